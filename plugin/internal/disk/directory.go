package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ErrNotDirectory is the error of a path that is something else.
var ErrNotDirectory = errors.New("not a directory: name one")

// CheckDirectory says why a directory cannot be written to, or be made where
// making is set. It makes nothing.
func CheckDirectory(dir string, making bool) error {
	if err := Straight(dir); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir(), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%s: %w", dir, ErrNotDirectory)
	case err == nil && info.Mode().Perm()&0o222 == 0:
		return fmt.Errorf("nobody may write to the directory %s: let the server's user write there", dir)
	case err == nil:
		return nil
	case making && errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir):
		return CheckDirectory(filepath.Dir(dir), making)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no directory %s: create it, and let the server's user write there", dir)
	}
	return err
}
