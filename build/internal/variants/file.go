package variants

import (
	"fmt"
	"io"
	"os"
)

// Output is a file that results are written to.
type Output struct {
	*os.File
	After  string // the name behind which to go on, empty for a new file
	Format string // of the file that is continued
}

// Create opens a file for results: a new one, or with resume one that a run before
// has begun, if there is one. What that has left incomplete is cut off.
func Create(path string, resume bool) (*Output, error) {
	mode := os.O_RDWR | os.O_CREATE
	if !resume {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, mode, 0o644)
	if err != nil {
		return nil, err
	}
	o := &Output{File: f}
	if !resume { // a device or a pipe has no end to look for
		return o, nil
	}
	if err := o.toEnd(); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return o, nil
}

// toEnd goes behind the last complete line.
func (o *Output) toEnd() error {
	last, format, end, err := ReadLast(o.File)
	if err != nil {
		return err
	}
	o.After, o.Format = last, format
	if err := o.Truncate(end); err != nil {
		return err
	}
	_, err = o.Seek(end, io.SeekStart)
	return err
}
