package journal

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	host "github.com/lookalike-dns/lookalike/plugin/internal/disk"
)

// disk is the directory of a spool, as far as its logs need one: a test has one
// that fails, or whose power is cut.
type disk interface {
	open(name string, flag int) (file, error)
	remove(name string) error
	names() ([]string, error)
	sync() error // of the names
	close() error

	// holds reports whether a file still stands under its name.
	holds(name string, f file) bool
	// replace puts a copy of a file, which holds has missed, under its name.
	replace(name string, f file) (file, error)
	// retake makes and locks the directory anew where it is gone.
	retake() error
}

// file is a file of a disk.
type file interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
}

// ErrInUse is of a directory that another process has.
var ErrInUse = errors.New("another process uses the directory")

// directory is a disk of the operating system. One process has it at a time. Its
// files are found by the open directory, not by its path: who has moved it away
// and put another in its place gets nothing of ours into that.
type directory struct {
	path string
	root *os.Root
	self *os.File // has the lock
}

// openDirectory makes the directory if need be, and locks it.
func openDirectory(path string) (*directory, error) {
	d := &directory{path: path}
	return d, d.take()
}

// lockWait is how long another process may have the directory.
const lockWait = time.Second

func (d *directory) take() error {
	if err := host.Straight(d.path); err != nil {
		return err
	}
	if err := os.MkdirAll(d.path, 0o750); err != nil {
		return err
	}
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	self, err := root.Open(".")
	if err != nil {
		return errors.Join(err, root.Close())
	}
	began := time.Now()
	for err = lock(self); errors.Is(err, ErrInUse) && time.Since(began) < lockWait; err = lock(self) {
		time.Sleep(lockWait / 20)
	}
	if err != nil {
		return errors.Join(err, self.Close(), root.Close())
	}
	_ = d.close()
	d.root, d.self = root, self
	return nil
}

func (d *directory) close() error {
	if d.root == nil {
		return nil
	}
	return errors.Join(d.self.Close(), d.root.Close())
}

func (d *directory) open(name string, flag int) (file, error) {
	f, err := d.root.OpenFile(name, flag, 0o640)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (d *directory) remove(name string) error { return d.root.Remove(name) }

func (d *directory) names() ([]string, error) {
	f, err := d.root.Open(".") // a second reading of self would find nothing
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

func (d *directory) sync() error { return syncDirectory(d.self) }

// moved reports whether the directory is no longer the one at its path. A disk
// that cannot tell may get over it.
func (d *directory) moved() bool {
	return !same(d.self, func() (fs.FileInfo, error) { return os.Stat(d.path) })
}

func (d *directory) holds(name string, f file) bool {
	return !d.moved() && same(f.(osFile).File, func() (fs.FileInfo, error) { return d.root.Lstat(name) })
}

// same reports whether a file is the one that there finds.
func same(f *os.File, there func() (fs.FileInfo, error)) bool {
	found, err := there()
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	info, err := f.Stat()
	return err != nil || os.SameFile(found, info)
}

func (d *directory) retake() error {
	if !d.moved() {
		return nil
	}
	return d.take()
}

// replace sets aside what stands in the way.
func (d *directory) replace(name string, f file) (file, error) {
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	fresh := name + ".new"
	to, err := d.root.OpenFile(fresh, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(to, io.NewSectionReader(f, 0, size))
	if err = errors.Join(err, to.Sync()); err == nil {
		if _, taken := d.root.Lstat(name); taken == nil {
			err = d.root.Rename(name, name+".other-"+time.Now().UTC().Format("20060102T150405.000"))
		}
	}
	if err == nil {
		err = d.root.Rename(fresh, name)
	}
	if err != nil {
		return nil, errors.Join(err, to.Close(), d.root.Remove(fresh))
	}
	return osFile{to}, nil
}

// osFile is a file of the operating system.
type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// patient reads a file on a disk that fails in places, as zeros there.
type patient struct {
	f        file
	at, size int64
	bad      int64 // bytes that could not be read
	err      error // why
}

const pageSize = 4096

func (p *patient) Read(b []byte) (int, error) {
	if p.at >= p.size {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), p.size-p.at)]
	n, err := p.f.ReadAt(b, p.at)
	if n == 0 && err != nil {
		if errors.Is(err, io.EOF) {
			return 0, err
		}
		n = int(min(int64(len(b)), pageSize-p.at%pageSize))
		clear(b[:n])
		p.bad += int64(n)
		p.err = err
	}
	p.at += int64(n)
	return n, nil
}
