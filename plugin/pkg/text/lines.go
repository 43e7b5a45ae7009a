package text

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// ErrUTF16 is the error of an input that begins with the byte order mark of
// UTF-16.
var ErrUTF16 = errors.New("UTF-16: save it as UTF-8")

// Lines reads lines in memory that the length of a line does not move: it
// passes over the rest of one that is too long. A byte order mark of UTF-8 is
// no part of the first line. The fields may be read after each Next.
type Lines struct {
	N    int    // number of the line, from 1
	Read int64  // bytes read so far
	Text []byte // the line without its end, valid until Next is called
	Long bool   // the line is longer than the limit; Text is its beginning
	Cut  bool   // the input ends within the line, which has no line end
	Err  error  // why Next returned false, other than io.EOF

	// Growing is set for an input that others still write to. Next then waits
	// for the end of a line: at the end of the input it returns false, and goes
	// on from there when it is called again. Text is the part that has come.
	Growing bool

	r     *bufio.Reader
	limit int
	begun bool // Text is the part of a line that has not ended
}

// NewLines returns a reader of r's lines of at most limit bytes.
func NewLines(r io.Reader, limit int) *Lines {
	return &Lines{r: bufio.NewReaderSize(r, 32<<10), limit: limit}
}

// Next moves on to the next line, if there is one.
func (l *Lines) Next() bool {
	if l.Err != nil {
		return false
	}
	if !l.begun {
		l.Text, l.Long = l.Text[:0], false
	}
	for {
		part, err := l.r.ReadSlice('\n')
		l.add(part)
		switch {
		case err == nil, errors.Is(err, io.EOF) && l.begun && !l.Growing:
			l.Cut = err != nil
			return l.end()
		case errors.Is(err, io.EOF):
			return false
		case !errors.Is(err, bufio.ErrBufferFull):
			l.Err = err
			return false
		}
	}
}

// Buffered returns how many bytes have been read of the lines to come.
func (l *Lines) Buffered() int { return l.r.Buffered() }

// add takes over a part of the line.
func (l *Lines) add(part []byte) {
	l.Read += int64(len(part))
	l.begun = l.begun || len(part) > 0
	if l.Long {
		return
	}
	l.Text = append(l.Text, part...)
	if len(withoutEnd(l.Text)) > l.limit {
		l.Text, l.Long = l.Text[:l.limit], true
	}
}

// end completes the line.
func (l *Lines) end() bool {
	l.begun = false
	if l.N++; l.N == 1 {
		if bytes.HasPrefix(l.Text, []byte("\xff\xfe")) || bytes.HasPrefix(l.Text, []byte("\xfe\xff")) {
			l.Err = ErrUTF16
			return false
		}
		l.Text = bytes.TrimPrefix(l.Text, []byte("\xef\xbb\xbf"))
	}
	if !l.Long {
		l.Text = withoutEnd(l.Text)
	}
	return true
}

func withoutEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}
