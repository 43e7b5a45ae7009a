package input

import (
	"bytes"
	"context"
	"io"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// MaxLine is the length of the longest line: a name of 255 octets, all of them
// escaped, and a comment.
const MaxLine = 4096

// Lines reads the lines of a stream until a context ends.
type Lines struct {
	*text.Lines
	src *interruptible
	end context.CancelFunc
}

// NewLines returns the lines of r. The caller must call Close.
func NewLines(ctx context.Context, r io.Reader) *Lines {
	ctx, end := context.WithCancel(ctx)
	src := newInterruptible(ctx, r)
	return &Lines{text.NewLines(src, MaxLine), src, end}
}

// Close stops reading ahead.
func (l *Lines) Close() { l.end() }

// Content returns the line without surrounding blanks and without its comment. It is
// valid until the next call of Next.
func (l *Lines) Content() []byte {
	line := bytes.TrimSpace(l.Text)
	for i, c := range line {
		if c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			return bytes.TrimSpace(line[:i])
		}
	}
	return line
}

// Paused reports whether the next line has not arrived yet.
func (l *Lines) Paused() bool { return l.Buffered() == 0 && l.src.paused() }

// interruptible is a reader whose Read returns when a context ends, even while
// the reader below blocks, as standard input does. Its goroutine ends with the
// context or the input; one that waits for standard input ends with the
// process.
type interruptible struct {
	ctx    context.Context
	chunks chan chunk
	free   chan []byte
	now    chunk
	rest   []byte // of now
}

type chunk struct {
	buf []byte
	n   int
	err error
}

func newInterruptible(ctx context.Context, r io.Reader) *interruptible {
	i := &interruptible{ctx: ctx, chunks: make(chan chunk, 1), free: make(chan []byte, 2)}
	i.free <- make([]byte, 64<<10)
	i.free <- make([]byte, 64<<10)
	go i.fill(r)
	return i
}

// fill reads ahead by one buffer.
func (i *interruptible) fill(r io.Reader) {
	for {
		var buf []byte
		select {
		case buf = <-i.free:
		case <-i.ctx.Done():
			return
		}
		n, err := r.Read(buf)
		select {
		case i.chunks <- chunk{buf, n, err}:
		case <-i.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// Read implements io.Reader.
func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	for len(i.rest) == 0 {
		if i.now.err != nil {
			return 0, i.now.err
		}
		if i.now.buf != nil {
			i.free <- i.now.buf
		}
		select {
		case i.now = <-i.chunks:
			i.rest = i.now.buf[:i.now.n]
		case <-i.ctx.Done():
			return 0, i.ctx.Err()
		}
	}
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	return n, nil
}

// paused reports whether Read would wait.
func (i *interruptible) paused() bool { return len(i.rest) == 0 && len(i.chunks) == 0 }
