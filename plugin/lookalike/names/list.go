package names

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
)

const (
	maxLine       = 4096      // bytes; a name takes at most 253, the rest is for a comment
	maxFile int64 = 256 << 20 // bytes; more than ten million names
)

// list gathers names, each once, in the order of their first appearance.
type list struct {
	names []string
	seen  map[string]struct{}
	max   int64 // bytes of one file; 0 is maxFile
}

func (l *list) add(name string) {
	if l.seen == nil {
		l.seen = make(map[string]struct{})
	}
	if _, dup := l.seen[name]; dup {
		return
	}
	l.seen[name] = struct{}{}
	l.names = append(l.names, name)
}

// readFile adds the names of the file at path.
func (l *list) readFile(path string) error {
	f, err := openList(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return l.read(f, path)
}

// openList opens a regular file. It looks before it opens: opening a named
// pipe would wait for a writer.
func openList(path string) (*os.File, error) {
	fi, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, explain(path, err)
	case fi.IsDir():
		return nil, fmt.Errorf("%s: a directory: name the files in it one by one", path)
	case !fi.Mode().IsRegular():
		return nil, fmt.Errorf("%s: no regular file: a list that is watched must be one", path)
	case fi.Size() > maxFile:
		return nil, errTooLarge(path, maxFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, explain(path, err)
	}
	return f, nil
}

// explain adds the cure to the error of a file that cannot be opened.
func explain(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: let the server's user read it", err)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case filepath.IsAbs(path):
		return fmt.Errorf("%w: make the file, or correct the path", err)
	}
	dir, _ := os.Getwd() // empty where even that fails
	return fmt.Errorf("%w: make the file, or correct the path, which starts from the server's directory %s", err, dir)
}

func errTooLarge(path string, limit int64) error {
	return fmt.Errorf("%s: larger than %d MiB: no list of names should be; split it if it is one", path, limit>>20)
}

// read adds the names in r: one a line, # comments. Every broken line is
// counted, the first ones are reported; path is how messages call r.
func (l *list) read(r io.Reader, path string) error {
	var (
		broken ListError
		found  bool
		limit  = &io.LimitedReader{R: r, N: cmp.Or(l.max, maxFile) + 1}
		lines  = lineReader{r: bufio.NewReaderSize(limit, maxLine)}
	)
	for lines.next() {
		text, err := lines.text()
		name := ""
		if err == nil {
			if text = content(text); len(text) == 0 {
				continue
			}
			name, err = Parse(string(text))
		}
		if err != nil {
			broken.add(newError(path+":"+strconv.Itoa(lines.n), string(text), err))
			continue
		}
		found = true
		l.add(name)
	}
	switch {
	case lines.err != nil:
		return fmt.Errorf("%s: %w", path, lines.err)
	case limit.N <= 0:
		return errTooLarge(path, cmp.Or(l.max, maxFile))
	case broken.Total > 0:
		return &broken
	case !found:
		return fmt.Errorf("%s: holds no name: write one a line, or leave the file out", path)
	}
	return nil
}

// find returns where the file at path gives name, or an empty string.
func find(path, name string) string {
	f, err := openList(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := lineReader{r: bufio.NewReaderSize(f, maxLine)}
	for lines.next() {
		text, err := lines.text()
		if err != nil {
			continue
		}
		if got, err := Parse(string(content(text))); err == nil && got == name {
			return path + ":" + strconv.Itoa(lines.n)
		}
	}
	return ""
}

// content returns a line without its comment and the blanks around it.
func content(line []byte) []byte {
	if i := bytes.IndexByte(line, '#'); i >= 0 {
		line = line[:i]
	}
	return bytes.TrimSpace(line)
}

// lineReader splits its input into lines of at most maxLine bytes, and passes
// over the rest of a longer one, so that memory does not grow with the input.
type lineReader struct {
	r    *bufio.Reader
	n    int // number of the line, from 1
	line []byte
	long bool
	err  error // other than io.EOF
}

// next moves on to the next line, if there is one.
func (l *lineReader) next() bool {
	line, err := l.r.ReadSlice('\n')
	l.long = errors.Is(err, bufio.ErrBufferFull)
	if l.long {
		line = bytes.Clone(line[:maxShown+1])
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = l.r.ReadSlice('\n')
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		l.err = err
		return false
	}
	if len(line) == 0 {
		return false
	}
	l.line = line
	l.n++
	return true
}

var (
	utf8BOM    = []byte("\xef\xbb\xbf")
	utf16BOMLE = []byte("\xff\xfe")
	utf16BOMBE = []byte("\xfe\xff")
)

// CutBOM returns the first line of a list without its byte order mark. That of
// UTF-16 is an error.
func CutBOM(line []byte) ([]byte, error) {
	if bytes.HasPrefix(line, utf16BOMLE) || bytes.HasPrefix(line, utf16BOMBE) {
		return line, errors.New("UTF-16: save the list as UTF-8")
	}
	return bytes.TrimPrefix(line, utf8BOM), nil
}

// text returns the line, which is valid until next is called.
func (l *lineReader) text() ([]byte, error) {
	if l.n == 1 {
		var err error
		if l.line, err = CutBOM(l.line); err != nil {
			return l.line, err
		}
	}
	if l.long {
		return l.line, fmt.Errorf("line longer than %d bytes: write one name a line", maxLine)
	}
	return l.line, nil
}
