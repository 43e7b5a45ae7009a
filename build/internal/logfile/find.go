package logfile

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// Path is a file to read.
type Path struct {
	Name  string
	Found bool // in a directory, so that it need not be a log
}

// Find returns the files that paths mean: the files themselves, those in
// directories and below, and "-". Each file comes once, however often it is
// named. A path that does not exist is an error.
func Find(paths []string) ([]Path, error) {
	f := finder{seen: make(map[string][]fs.FileInfo)}
	for _, path := range paths {
		if path == Stdin {
			f.paths = append(f.paths, Path{Name: path})
			continue
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			return nil, err
		case info.IsDir():
			err = f.walk(path)
		default:
			f.add(path, false)
		}
		if err != nil {
			return nil, err
		}
	}
	if len(f.paths) == 0 {
		return nil, fmt.Errorf("no file in %s: name logs, directories of logs, or - for standard input", text.Join(paths, "or"))
	}
	return f.paths, nil
}

type finder struct {
	paths []Path
	seen  map[string][]fs.FileInfo // by size and time of change
}

// walk adds the regular files of a directory, and of those below it. Links to
// files count, links to directories do not: they could lead in a circle.
func (f *finder) walk(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Type().IsRegular() || d.Type()&fs.ModeSymlink != 0 {
			f.add(path, true)
		}
		return nil
	})
}

// add adds a file unless it is there, under another name perhaps.
func (f *finder) add(path string, found bool) {
	info, err := os.Stat(path)
	if err != nil || found && !info.Mode().IsRegular() {
		return
	}
	key := fmt.Sprint(info.Size(), info.ModTime().UnixNano())
	for _, other := range f.seen[key] {
		if os.SameFile(info, other) {
			return
		}
	}
	f.seen[key] = append(f.seen[key], info)
	f.paths = append(f.paths, Path{path, found})
}
