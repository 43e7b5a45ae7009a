package harness

import "syscall"

// dieWithParent has the kernel end the process when the test process ends, be
// it killed.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
