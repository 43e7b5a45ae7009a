//go:build !unix

package file

import "os"

// openFile opens or creates a file to append to.
func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, mode)
}

// CreateForOwner has nothing to do where there is no root.
func CreateForOwner(string) error { return nil }
