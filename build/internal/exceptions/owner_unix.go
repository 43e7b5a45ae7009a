//go:build unix

package exceptions

import (
	"fmt"
	"os"
	"syscall"
)

// chown gives f the owner and the group of another file.
func chown(f *os.File, like os.FileInfo) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	own, want := info.Sys().(*syscall.Stat_t), like.Sys().(*syscall.Stat_t)
	if own.Uid == want.Uid && own.Gid == want.Gid {
		return nil
	}
	if err := f.Chown(int(want.Uid), int(want.Gid)); err != nil {
		return fmt.Errorf("%s: its owner cannot be kept: run the command as that owner, or as root: %w", like.Name(), err)
	}
	return nil
}
