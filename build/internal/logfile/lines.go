package logfile

import (
	"bytes"
	"io"
)

// MaxLine is the number of bytes read of a line.
const MaxLine = 1 << 20

// Lines are the lines of a stream.
type Lines struct {
	Text   []byte // without its end; valid until Next is called
	Number int    // counts from 1
	Long   int    // how many lines were longer than MaxLine; their rest is dropped

	next  func() ([]byte, error)
	block []byte // what is left of it
	carry []byte // the beginning of a line that goes on in the next block
	err   error  // comes after block
}

// NewLines returns the lines of r, which is read by the goroutine of the
// caller.
func NewLines(r io.Reader) *Lines {
	buf := make([]byte, blockSize)
	return &Lines{next: func() ([]byte, error) {
		n, err := r.Read(buf)
		return buf[:n], err
	}}
}

// Next advances to the next line. If it returns false, Err gives the reason. A last
// line without an end counts, unless the stream is damaged there.
func (l *Lines) Next() bool {
	l.carry = l.carry[:0]
	for long := false; ; {
		at := bytes.IndexByte(l.block, '\n')
		if at >= 0 && len(l.carry) == 0 && at <= MaxLine {
			l.set(l.block[:at])
			l.block = l.block[at+1:]
			return true
		}
		part := l.block
		if at >= 0 {
			part = l.block[:at]
		}
		if room := MaxLine - len(l.carry); len(part) > room {
			part, long = part[:room], true
		}
		l.carry = append(l.carry, part...)
		if long && at < 0 {
			l.carry = l.carry[:MaxLine]
		}
		if at >= 0 || !l.more() {
			l.block = l.block[min(at+1, len(l.block)):]
			return l.carried(at >= 0, long)
		}
	}
}

// more fetches the next block, and reports whether there is one.
func (l *Lines) more() bool {
	for l.err == nil {
		l.block, l.err = l.next()
		if len(l.block) > 0 {
			return true
		}
	}
	l.block = nil
	return false
}

// carried makes a line of what was carried on from earlier blocks.
func (l *Lines) carried(complete, long bool) bool {
	if !complete && (len(l.carry) == 0 || l.Err() != nil) {
		return false
	}
	if long {
		l.Long++
	}
	l.set(l.carry)
	return true
}

// set takes off what an editor, Windows or a crashed disk has put round a line.
func (l *Lines) set(line []byte) {
	l.Number++
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) > 0 && (line[0] == 0 || line[len(line)-1] == 0) {
		line = bytes.Trim(line, "\x00")
	}
	if len(line) > 0 && line[0] == 0xef {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	l.Text = line
}

// take returns the next n bytes as they are, if that many are left.
func (l *Lines) take(n int) ([]byte, bool) {
	l.carry = l.carry[:0]
	for {
		part := l.block[:min(len(l.block), n-len(l.carry))]
		l.carry = append(l.carry, part...)
		l.block = l.block[len(part):]
		if len(l.carry) == n {
			return l.carry, true
		}
		if !l.more() {
			return nil, false
		}
	}
}

// Err returns the error that ended the lines, or nil at a normal end.
func (l *Lines) Err() error {
	if l.err == io.EOF {
		return nil
	}
	return l.err
}
