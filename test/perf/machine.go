package perf

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// AllProcessors are the processors of the machine, in the form of taskset.
func AllProcessors() string { return fmt.Sprintf("0-%d", runtime.NumCPU()-1) }

// OtherProcessors are all but the first, where there are others.
func OtherProcessors() string {
	return fmt.Sprintf("%d-%d", min(1, runtime.NumCPU()-1), runtime.NumCPU()-1)
}

// Machine says what the figures of a run depend on: when it is, the processors, Linux
// and what else there is to do.
func Machine() (string, error) {
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return "", err
	}
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "", err
	}
	processor, err := processorName()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %d processors (%s), Linux %s, load %s", time.Now().UTC().Format("2006-01-02 15:04 MST"),
		runtime.NumCPU(), processor, bytes.TrimSpace(kernel), strings.Join(strings.Fields(string(load))[:3], " ")), nil
}

// processorName is what Linux calls the first processor.
func processorName() (string, error) {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(info)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value), nil
		}
	}
	return runtime.GOARCH, nil
}
