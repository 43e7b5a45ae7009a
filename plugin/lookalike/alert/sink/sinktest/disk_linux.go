package sinktest

import (
	"os"
	"syscall"
	"testing"
)

// SmallDisk mounts a file system of a size such as "64k" and returns its
// directory. That takes root: without it the test is skipped, unless "make e2e"
// runs it, which sets LOOKALIKE_E2E and must not pass without it.
func SmallDisk(t *testing.T, size string) string {
	t.Helper()
	skip := t.Skipf
	if os.Getenv("LOOKALIKE_E2E") != "" {
		skip = t.Fatalf
	}
	if os.Geteuid() != 0 {
		skip("Mounting a file system needs root; \"make e2e\" runs this as root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		skip("No file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}
