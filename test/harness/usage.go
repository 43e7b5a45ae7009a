package harness

import (
	"fmt"
	"os"
	"strings"
)

// Memory is a size that proc(5) has of a process, in bytes: VmRSS is what is in RAM
// now, VmHWM the most that ever was.
func Memory(pid int, field string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "\n"+field+":")
	var kilobytes int64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		return 0, fmt.Errorf("no %s: %w\n%s", field, err, status)
	}
	return kilobytes << 10, nil
}

// ForgetPeak has the kernel begin anew with the most memory that a process ever had.
func ForgetPeak(pid int) error {
	const peak = "5" // of proc(5), clear_refs
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte(peak), 0)
}
