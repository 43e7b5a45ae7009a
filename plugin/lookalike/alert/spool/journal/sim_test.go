package journal

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
)

// simDisk is a disk in memory, whose operations fail when it is told to, and whose
// power can be cut.
type simDisk struct {
	rand    *rand.Rand
	files   map[string]*simFile // as a running process sees them
	renamed []nameChange        // since the last sync
	saved   map[string]*simFile // as of the last sync

	strict    bool // a name is on the disk only after a sync of the directory
	noSync    bool // a sync of a file does nothing
	noDirSync bool // nor does one of the directory

	left   int     // operations until the power is off; negative: it stays on
	faults float64 // share of the operations that fail
	room   int     // bytes; 0: enough
}

type simFile struct {
	disk    *simDisk
	content []byte
	synced  []byte
	since   []change // since the last sync
	kept    bool     // has been synced, and with it, on most file systems, its name
}

// change is a write, or where b is nil a truncation.
type change struct {
	at int64
	b  []byte
}

type nameChange struct {
	name string
	file *simFile // nil: removed
}

var errPower = errors.New("the power is off")

func newSim(seed uint64) *simDisk {
	return &simDisk{
		rand: rand.New(rand.NewPCG(seed, 1)), files: make(map[string]*simFile), saved: make(map[string]*simFile), left: -1,
	}
}

// operation is asked before each one that changes something.
func (d *simDisk) operation() error {
	if d.left == 0 {
		return errPower
	}
	if d.left > 0 {
		d.left--
	}
	if d.faults > 0 && d.rand.Float64() < d.faults {
		return syscall.EIO
	}
	return nil
}

func (d *simDisk) open(name string, flag int) (file, error) {
	f := d.files[name]
	switch {
	case f != nil && flag&os.O_EXCL != 0:
		return nil, fs.ErrExist
	case f != nil:
		return f, nil
	case flag&os.O_CREATE == 0:
		return nil, fs.ErrNotExist
	}
	if err := d.operation(); err != nil {
		return nil, err
	}
	f = &simFile{disk: d}
	d.files[name] = f
	d.renamed = append(d.renamed, nameChange{name, f})
	return f, nil
}

func (d *simDisk) remove(name string) error {
	if d.files[name] == nil {
		return fs.ErrNotExist
	}
	if err := d.operation(); err != nil {
		return err
	}
	delete(d.files, name)
	d.renamed = append(d.renamed, nameChange{name, nil})
	return nil
}

func (d *simDisk) names() ([]string, error) { return slices.Sorted(maps.Keys(d.files)), nil }

func (d *simDisk) sync() error {
	if err := d.operation(); err != nil {
		return err
	}
	if !d.noDirSync {
		d.saved, d.renamed = maps.Clone(d.files), nil
	}
	return nil
}

func (d *simDisk) close() error                           { return nil }
func (d *simDisk) holds(string, file) bool                { return true }
func (d *simDisk) replace(_ string, f file) (file, error) { return f, nil }
func (d *simDisk) retake() error                          { return nil }
func (d *simDisk) used() (n int) {
	for _, f := range d.files {
		n += len(f.content)
	}
	return n
}

func (f *simFile) ReadAt(b []byte, at int64) (int, error) {
	return bytes.NewReader(f.content).ReadAt(b, at)
}

func (f *simFile) WriteAt(b []byte, at int64) (int, error) {
	err := f.disk.operation()
	if errors.Is(err, errPower) {
		return 0, err
	}
	n := len(b)
	if err != nil {
		n = f.disk.rand.IntN(n + 1) // it had begun
	}
	if more := int(at) + n - len(f.content); f.disk.room > 0 && more > 0 && f.disk.used()+more > f.disk.room {
		n = max(n-(f.disk.used()+more-f.disk.room), 0)
		err = syscall.ENOSPC
	}
	f.change(change{at, bytes.Clone(b[:n])})
	return n, err
}

func (f *simFile) Truncate(size int64) error {
	if err := f.disk.operation(); err != nil {
		return err
	}
	f.change(change{at: size})
	return nil
}

func (f *simFile) Sync() error {
	if err := f.disk.operation(); err != nil {
		if !errors.Is(err, errPower) && f.disk.rand.IntN(2) == 0 { // the pages are gone, and none is to be written any more
			f.since = nil
		}
		return err
	}
	if !f.disk.noSync {
		f.synced, f.since, f.kept = bytes.Clone(f.content), nil, true
	}
	return nil
}

func (f *simFile) Size() (int64, error) { return int64(len(f.content)), nil }
func (f *simFile) Close() error         { return nil }

func (f *simFile) change(c change) {
	f.content = c.apply(f.content)
	f.since = append(f.since, c)
}

func (c change) apply(b []byte) []byte {
	if c.b == nil {
		return extend(b, int(c.at))[:c.at]
	}
	b = extend(b, int(c.at)+len(c.b))
	copy(b[c.at:], c.b)
	return b
}

func extend(b []byte, size int) []byte {
	if len(b) < size {
		b = append(b, make([]byte, size-len(b))...)
	}
	return b
}

// afterCut is the disk when the power is back: of what was not synced, each page
// has reached it, or in part, or as zeros, or not.
func (d *simDisk) afterCut() *simDisk {
	to := newSim(d.rand.Uint64())
	names := maps.Clone(d.saved)
	for _, c := range d.renamed {
		switch {
		case c.file == nil && d.rand.IntN(2) == 0:
			delete(names, c.name)
		case c.file != nil && !d.strict && (c.file.kept || d.rand.IntN(2) == 0):
			names[c.name] = c.file
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		b := names[name].afterCut(d.rand)
		f := &simFile{disk: to, content: b, synced: bytes.Clone(b), kept: true}
		to.files[name], to.saved[name] = f, f
	}
	return to
}

func (f *simFile) afterCut(r *rand.Rand) []byte {
	b := bytes.Clone(f.synced)
	for _, c := range f.since {
		if c.b == nil {
			if r.IntN(2) == 0 {
				b = c.apply(b)
			}
			continue
		}
		for at, rest := c.at, c.b; len(rest) > 0; {
			n := min(int(pageSize-at%pageSize), len(rest))
			part := rest[:n]
			switch r.IntN(5) {
			case 0: // not
				part = nil
			case 1:
				part = part[:r.IntN(n+1)]
			case 2:
				part = make([]byte, n)
			}
			if len(part) > 0 {
				b = change{at, part}.apply(b)
			}
			at, rest = at+int64(n), rest[n:]
		}
	}
	return b
}

// copied is the disk as another process finds it after a kill.
func (d *simDisk) copied() *simDisk {
	to := newSim(d.rand.Uint64())
	for name, f := range d.files {
		g := &simFile{disk: to, content: bytes.Clone(f.content), synced: bytes.Clone(f.content), kept: true}
		to.files[name], to.saved[name] = g, g
	}
	return to
}

var _ io.ReaderAt = (*simFile)(nil)
