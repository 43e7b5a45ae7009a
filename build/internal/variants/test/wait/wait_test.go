package wait

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// failing is a test that may fail.
type failing struct {
	testing.TB
	why string
}

func (f *failing) Fatalf(format string, args ...any) {
	f.why = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// TestLimits: each wait ends when its time is up, and says what it waited for.
func TestLimits(t *testing.T) {
	tests := []struct {
		name string
		wait func(tb testing.TB)
		want time.Duration
	}{
		{"until", func(tb testing.TB) { tb.Helper(); Until(tb, "godot", func() bool { return false }) }, Limit},
		{"within", func(tb testing.TB) {
			tb.Helper()
			Within(tb, time.Second, "godot", func() bool { return false })
		}, time.Second},
		{"for", func(tb testing.TB) { tb.Helper(); For(tb, "godot", make(chan struct{})) }, Limit},
		{"done", func(tb testing.TB) { tb.Helper(); Done(tb, "godot", func() { time.Sleep(2 * Limit) }) }, Limit},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &failing{TB: t}
				began, ended := time.Now(), make(chan struct{})
				go func() {
					defer close(ended)
					tc.wait(f)
				}()
				<-ended
				defer time.Sleep(2 * Limit) // until what was waited for has ended
				if took := time.Since(began); took < tc.want || took > tc.want+time.Second {
					t.Errorf("Ended after %v, want %v", took, tc.want)
				}
				if !strings.HasPrefix(f.why, fmt.Sprintf("Waited %v in vain for godot", tc.want)) || !strings.Contains(f.why, "TestLimits") {
					t.Errorf("It says %q", f.why)
				}
			})
		})
	}
}

// TestCommandEnds runs itself as a program that does not end.
func TestCommandEnds(t *testing.T) {
	if os.Getenv("SLEEP") != "" {
		time.Sleep(time.Hour)
	}
	cmd := Command(t, 100*time.Millisecond, os.Args[0], "-test.run=^TestCommandEnds$")
	cmd.Env = append(os.Environ(), "SLEEP=1")
	if err := cmd.Run(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Got %v, want it killed", err)
	}
}
