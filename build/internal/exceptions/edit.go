// Package exceptions lists and changes the exceptions of allow files, for the
// commands of the tool.
package exceptions

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/outfile"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
)

// File is an allow file to edit. An edit leaves all other lines as they are, byte for
// byte.
type File struct {
	Path string
	Now  time.Time

	rules *exception.Rules // for its entries; nil: there are none
}

// under has the file keep to the rules of the allow line that names it in a
// Corefile, which was read from path.
func (f *File) under(c *lookalike.Corefile, path string) error {
	info, err := os.Stat(f.Path)
	if err != nil {
		return err
	}
	for _, p := range c.Policies {
		if rules, added := p.Lists().Allow.RulesOf(info); added {
			f.rules = rules
			return nil
		}
	}
	return fmt.Errorf("%s: no allow line of %s names that file: add it to one, or leave -conf out", f.Path, path)
}

// Add appends a line for an entry, with the day as its added. It returns an error and
// changes nothing if the server would then refuse the file, if the name is already
// listed or protected, or if the entry has ended. The Corefile c, read from path, gives
// the rules and protected names. Without c, the built-in names are protected.
func (f *File) Add(e *exception.Entry, c *lookalike.Corefile, path string) (err error) {
	if c != nil {
		err = f.under(c, path)
	} else {
		c, err = lookalike.Default()
	}
	if err != nil {
		return err
	}
	if e.Ended(f.Now) {
		return fmt.Errorf("until=%s is in the past: give a later day", e.End())
	}
	for _, p := range c.Policies {
		if at := p.ProtectedAt(e.Name); at != "" {
			return fmt.Errorf("%s is protected (%s): it is never blocked, and needs no exception", e.Name, at)
		}
	}
	if err := e.Set("added", f.Now.UTC().Format(time.DateOnly)); err != nil {
		return err
	}
	return f.change(func(contents []byte) ([]byte, error) {
		for i, line := range lines(contents) {
			if names.NameIn(line) == e.Name {
				return nil, fmt.Errorf("%s:%d: %s is listed already: correct that line, or remove it with 'lookalike allow remove' first", f.Path, i+1, e.Name)
			}
		}
		return added(contents, e.String()), nil
	}, f.check)
}

// Remove removes all lines that list a name, in canonical form, and returns them. It
// also works in a file with broken lines, and leaves those as they are.
func (f *File) Remove(name string) (removed []string, err error) {
	err = f.change(func(contents []byte) (rest []byte, err error) {
		if rest, removed = without(contents, name); len(removed) == 0 {
			return nil, fmt.Errorf("%s: %s is not listed there", f.Path, name)
		}
		return rest, nil
	}, func(string) error { return nil })
	return removed, err
}

// lines splits a text behind each line end.
func lines(contents []byte) [][]byte { return bytes.SplitAfter(contents, []byte("\n")) }

// added returns the contents with a line more, which ends as the others do.
func added(contents []byte, line string) []byte {
	end := "\n"
	if i := bytes.IndexByte(contents, '\n'); i > 0 && contents[i-1] == '\r' {
		end = "\r\n"
	}
	all := bytes.Clone(contents)
	if len(all) > 0 && !bytes.HasSuffix(all, []byte("\n")) {
		all = append(all, end...)
	}
	return append(all, line+end...)
}

// without returns the contents without the lines that list name, and those lines.
// What marks the beginning of a file as UTF-8 stays.
func without(contents []byte, name string) (rest []byte, removed []string) {
	mark := []byte("\ufeff")
	for i, line := range lines(contents) {
		if names.NameIn(line) != name {
			rest = append(rest, line...)
			continue
		}
		if text, marked := bytes.CutPrefix(line, mark); marked && i == 0 {
			rest, line = append(rest, mark...), text
		}
		removed = append(removed, strings.TrimRight(string(line), "\r\n"))
	}
	return rest, removed
}

// check returns an error where the server would refuse the file at path.
func (f *File) check(path string) error {
	spec := names.Spec{Exceptions: true, Rules: f.rules}
	if err := spec.Add(path, "allow"); err != nil {
		return err
	}
	err := spec.EachException(f.Now, func(*exception.Entry) {})
	if err == nil {
		return nil
	}
	return errors.New("the server would refuse the file: " + strings.ReplaceAll(strings.TrimPrefix(err.Error(), "allow: "), path, f.Path))
}

// change replaces the file, in one step and with its mode and owner, by what
// changed makes of its contents, where check has nothing against that.
func (f *File) change(changed func([]byte) ([]byte, error), check func(path string) error) error {
	path, err := filepath.EvalSymlinks(f.Path)
	if err != nil {
		return err
	}
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	before, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !before.Mode().IsRegular() {
		return fmt.Errorf("%s: not a regular file: name an allow file", f.Path)
	}
	contents, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if contents, err = changed(contents); err != nil {
		return err
	}
	fresh, err := outfile.Create(path, before.Mode())
	if err != nil {
		return err
	}
	if err := f.fill(fresh, contents, before, check); err != nil {
		fresh.Discard()
		return err
	}
	return fresh.Commit()
}

// fill writes the contents to the fresh file. It returns an error where that must not
// replace the file, which was looked at before.
func (f *File) fill(fresh *outfile.File, contents []byte, before os.FileInfo, check func(path string) error) error {
	_, err := fresh.Write(contents)
	if err == nil {
		err = chown(fresh.File, before)
	}
	if err == nil {
		err = fresh.Sync() // now, so that little time passes behind the looks below
	}
	if err == nil {
		err = check(fresh.Name())
	}
	if err != nil {
		return err
	}
	now, err := os.Stat(f.Path)
	if err != nil {
		return err
	}
	if !os.SameFile(before, now) || !now.ModTime().Equal(before.ModTime()) || now.Size() != before.Size() {
		return fmt.Errorf("%s: somebody else has just changed it: try again", f.Path)
	}
	return nil
}
