package names

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

const (
	maxLine       = 4096      // bytes; a name takes at most 253, the rest is for a comment
	maxFile int64 = 256 << 20 // bytes; more than ten million names

	meanLine = 16      // bytes, of lists that are seen
	maxHint  = 1 << 20 // names that room is made for before they are read
)

// list gathers names, each once, in the order of their first appearance.
type list struct {
	names []string
	slots []uint32 // for finding a name: 1 + its place in names; 0 is free
	seed  maphash.Seed
	max   int64 // bytes of one file; 0 is maxFile

	visit func(name, where string) // of each name when it first appears; may be nil

	exceptions *exceptions // nil: words behind a name are an error, and so is a file without a name
}

// add adds a name unless it is there, and reports whether it did. Its table
// takes a tenth of a map's memory, which matters while the old list is still in
// force.
func (l *list) add(name string) (added bool) {
	if 2*len(l.names) >= len(l.slots) {
		l.rehash(max(2*len(l.slots), 64))
	}
	slot := l.find(name)
	if *slot != 0 {
		return false
	}
	l.names = append(l.names, name)
	*slot = uint32(len(l.names)) //nolint:gosec // maxFile has fewer lines
	return true
}

// has reports whether a name was added.
func (l *list) has(name string) bool { return len(l.slots) > 0 && *l.find(name) != 0 }

// offer adds a name that stands in a line of path, 0 where it has none.
func (l *list) offer(name, path string, line int) {
	if !l.add(name) || l.visit == nil {
		return
	}
	if line > 0 {
		path += ":" + strconv.Itoa(line)
	}
	l.visit(name, path)
}

// find returns the slot that name has, or the free one that it would get.
func (l *list) find(name string) *uint32 {
	mask := uint64(len(l.slots) - 1) //nolint:gosec // there are some
	for i := maphash.String(l.seed, name) & mask; ; i = (i + 1) & mask {
		if at := l.slots[i]; at == 0 || l.names[at-1] == name {
			return &l.slots[i]
		}
	}
}

// rehash gives the list n slots, a power of two.
func (l *list) rehash(n int) {
	if l.slots == nil {
		l.seed = maphash.MakeSeed()
	}
	l.slots = make([]uint32, n)
	for i, name := range l.names {
		*l.find(name) = uint32(i + 1)
	}
}

// readFile adds the names of the file at path.
func (l *list) readFile(path string) error {
	if l.exceptions != nil && isNull(path) {
		return nil
	}
	f, err := openList(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if fi, err := f.Stat(); err == nil {
		l.names = slices.Grow(l.names, int(min(fi.Size()/meanLine, maxHint)))
	}
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
		return nil, fmt.Errorf("%s: not a regular file: a list that is watched must be one", path)
	case fi.Size() > maxFile:
		return nil, errTooLarge(path, maxFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, explain(path, err)
	}
	return f, nil
}

// isNull reports whether path leads to the null device, which is how a list is
// made empty without a file.
func isNull(path string) bool {
	fi, err := os.Stat(path)
	if err != nil {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err == nil && os.SameFile(fi, null)
}

// explain adds the cure to the error of a file that cannot be opened.
func explain(path string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: let the server's user read it", err)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case filepath.IsAbs(path):
		return fmt.Errorf("%w: create the file, or correct the path", err)
	}
	dir, _ := os.Getwd() // empty where even that fails
	return fmt.Errorf("%w: create the file, or correct the path, which starts from the server's directory %s", err, dir)
}

func errTooLarge(path string, limit int64) error {
	return fmt.Errorf("%s: larger than %d MiB: if it is a list of names, split it", path, limit>>20)
}

// read adds the names in r: one a line, # comments. Every broken line is
// counted, the first ones are reported; path is how messages call r.
func (l *list) read(r io.Reader, path string) error {
	var (
		broken ListError
		found  bool
		limit  = &io.LimitedReader{R: r, N: cmp.Or(l.max, maxFile) + 1}
		lines  = text.NewLines(limit, maxLine)
	)
	for lines.Next() {
		name, words, err := entry(lines, broken.Total < maxErrors)
		if err == nil && lines.Cut && l.cutOff(name) {
			err = errCutOff
		}
		if err == nil && name != "" {
			found = true
			err = l.take(name, words, path, lines.N)
		}
		if err != nil {
			broken.add(newError(path+":"+strconv.Itoa(lines.N), string(content(lines.Text)), err))
		}
	}
	switch {
	case lines.Err != nil:
		return fmt.Errorf("%s: %w", path, lines.Err)
	case limit.N <= 0:
		return errTooLarge(path, cmp.Or(l.max, maxFile))
	case broken.Total > 0:
		return &broken
	case !found && l.exceptions == nil:
		return fmt.Errorf("%s: has no names: write one per line, or leave the file out", path)
	}
	return nil
}

// take adds what a line of path lists.
func (l *list) take(name, words, path string, line int) error {
	switch {
	case l.exceptions != nil:
		return l.exceptions.take(l, name, words, path, line)
	case words != "":
		return errWords
	}
	l.offer(name, path, line)
	return nil
}

// errWords is the error of the words of an exception in another list.
var errWords = errors.New("words after a name: only files of allow may have them; write the name alone, and notes after a #")

var errCutOff = errors.New("the file ends within this line, and no other name has this TLD: copy the file again, or end the line")

// cutOff reports whether a name on which the file ends is likely half a name: it
// has a TLD that neither the root zone nor another name has.
func (l *list) cutOff(name string) bool {
	tld := name[strings.LastIndexByte(name, '.')+1:]
	return name != "" && !isTLD(tld) && len(l.names) > 0 &&
		!slices.ContainsFunc(l.names, func(other string) bool { return other == tld || strings.HasSuffix(other, "."+tld) })
}

// find returns where the file at path gives name, or an empty string.
func find(path, name string) string {
	f, err := openList(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	lines := text.NewLines(f, maxLine)
	for lines.Next() {
		if got, _, err := entry(lines, false); err == nil && got == name {
			return path + ":" + strconv.Itoa(lines.N)
		}
	}
	return ""
}

// NameIn returns the name in a line of a list, and an empty string where there is
// none, or the line is broken. The line may have its end.
func NameIn(line []byte) string {
	lines := text.NewLines(bytes.NewReader(line), maxLine)
	if !lines.Next() {
		return ""
	}
	name, _, _ := entry(lines, false)
	return name
}

// content returns a line without its comment and the blanks around it.
func content(line []byte) []byte {
	if i := bytes.IndexByte(line, '#'); i >= 0 {
		line = line[:i]
	}
	return bytes.TrimSpace(line)
}

// entry returns the name in a line, an empty string where there is none, and the
// words of an exception that follow it, with the comment behind them. Where explain
// is set, the error says of which product's lists the line is.
func entry(line *text.Lines, explain bool) (name, words string, err error) {
	if line.Long {
		return "", "", fmt.Errorf("line longer than %d bytes: write one name per line", maxLine)
	}
	text := content(line.Text)
	if len(text) == 0 {
		return "", "", nil
	}
	if len(text) < len(line.Text) && cosmetic(line.Text) {
		return "", "", errForeign(adBlock, string(text))
	}
	if end := bytes.IndexFunc(text, unicode.IsSpace); end >= 0 && exception.Begins(string(text[end:])) {
		text = text[:end]
		_, after, _ := bytes.Cut(line.Text, text)
		words = string(after)
	}
	name, err = Parse(string(text))
	if err == nil || !explain {
		return name, words, err
	}
	if foreign := checkForeign(string(bytes.TrimSpace(line.Text))); foreign != nil {
		return "", "", foreign
	}
	return "", "", err
}
