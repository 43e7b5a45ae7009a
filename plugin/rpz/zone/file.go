package zone

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFile replaces a zone file in one step, so that readers find either the
// old zone or the new one. The serial is higher than that of the old file.
// WriteFile does not touch a file that is not a zone.
func (z *Zone) WriteFile(path, origin string, about About) (serial uint32, err error) {
	last, err := serialOf(path)
	if err != nil {
		return 0, err
	}
	serial = NextSerial(last, about.Time)
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".rpz-*")
	if failed := new(os.PathError); errors.As(err, &failed) { // its path is of no file that anybody knows
		err = fmt.Errorf("directory %s: %w", dir, failed.Err)
	}
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name()) // if it has not been renamed
	err = z.Write(f, origin, serial, about)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return 0, err
	}
	return serial, os.Rename(f.Name(), path)
}

// serialOf returns the serial of a zone file, 0 where there is none.
func serialOf(path string) (uint32, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if fi, err := f.Stat(); err == nil && fi.Size() == 0 {
		return 0, nil
	}
	serial, err := ReadSerial(f)
	if err != nil {
		return 0, fmt.Errorf("%s: %w: name another file, or remove this one", path, err)
	}
	return serial, nil
}
