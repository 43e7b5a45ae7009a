//go:build !unix

package file

import "os"

// openFile opens a file with these flags of package os.
func openFile(path string, flags int) (*os.File, error) {
	return os.OpenFile(path, flags, mode)
}

// CreateForOwner has nothing to do where there is no root.
func CreateForOwner(string) error { return nil }
