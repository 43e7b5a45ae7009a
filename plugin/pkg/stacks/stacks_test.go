package stacks

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// idle parks n goroutines as a server has them, and returns what ends them.
func idle(n int) (end func()) {
	done := make(chan struct{})
	for range n {
		go func() { <-done }()
	}
	return func() { close(done) }
}

func TestStart(t *testing.T) {
	tests := []struct {
		name string
		goal int
		idle int
	}{
		{"nothing else runs, 8 KiB", 8 << 10, 0},
		{"nothing else runs, 16 KiB", 16 << 10, 0},
		{"a small server", 8 << 10, 40},
		{"a server with many connections", 8 << 10, 400},
		{"16 KiB beside many connections", 16 << 10, 200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			defer idle(test.idle)()
			k, err := Start(test.goal)
			defer k.Stop()
			if err != nil {
				t.Fatal(err)
			}
			runtime.GC()
			if got := look().size; got != uint64(test.goal) {
				t.Errorf("goroutines start with %d bytes, want %d", got, test.goal)
			}
			if len(k.holders) > most {
				t.Errorf("%d holders, want at most %d", len(k.holders), most)
			}
		})
	}
}

// The number of goroutines changes after the start, and so do the holders.
func TestKeep(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	k, err := Start(Query)
	defer k.Stop()
	if err != nil {
		t.Fatal(err)
	}
	defer idle(300)()
	runtime.GC()
	if got := look().size; got == Query {
		t.Fatal("300 idle goroutines leave the size as it was, so that there is nothing to keep")
	}
	wait.Until(t, "goroutines to start with the size again", func() bool {
		runtime.GC()
		return look().size == Query
	})
}

// TestIgnored runs itself in a Go that does not adapt the size.
func TestIgnored(t *testing.T) {
	if os.Getenv("STACKS_IGNORED") != "" {
		k, err := Start(Query)
		if err == nil {
			t.Error("no error, though the size cannot change")
		}
		if len(k.holders) > 0 {
			t.Errorf("%d goroutines are still parked", len(k.holders))
		}
		k.Stop()
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestIgnored$", "-test.timeout=1m")
	child.Env = append(os.Environ(), "STACKS_IGNORED=1", "GODEBUG=adaptivestackstart=0")
	if out, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
