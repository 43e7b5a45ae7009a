package disk

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"
)

func TestMayPass(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want bool
	}{
		{"full", &os.PathError{Op: "write", Path: "a", Err: syscall.ENOSPC}, true},
		{"read-only, wrapped", fmt.Errorf("spool: %w", &os.PathError{Op: "mkdir", Path: "a", Err: syscall.EROFS}), true},
		{"failing", syscall.EIO, true},
		{"a quota", syscall.EDQUOT, true},
		{"no such directory", &os.PathError{Op: "open", Path: "a", Err: syscall.ENOENT}, false},
		{"not permitted", syscall.EACCES, false},
		{"another", errors.New("ENOSPC"), false},
		{"none", nil, false},
	}
	for _, tc := range tests {
		if got := MayPass(tc.err); got != tc.want {
			t.Errorf("%s: MayPass(%v) is %t, want %t", tc.name, tc.err, got, tc.want)
		}
	}
}
