package harness

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the processor time that a process has used, to the nanosecond, with that of
// threads that have ended.
func CPU(pid int) (time.Duration, error) {
	const scheduler = 2 // of the kernel's include/linux/posix-timers.h, CPUCLOCK_SCHED
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduler), &used); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(used.Nano()), nil
}
