package stdout

import (
	"bufio"
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// TestFullPipe holds that nobody waits for a reader longer than he wants to,
// and that the reader, when he reads again, finds whole lines.
func TestFullPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := New(w)
	line := strings.Repeat("x", 6000) // more than a pipe takes at once
	todo := make([]sink.Message, 0, 100)
	for range 100 {
		todo = append(todo, sink.Message{Body: []byte(line)})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	n, err := s.Send(ctx, todo)
	if err == nil || n == 0 || n == len(todo) {
		t.Fatalf("Got %d lines and error %v, want some and that nobody reads", n, err)
	}
	lines := make(chan int)
	go func() {
		good := 0
		for sc := bufio.NewScanner(r); sc.Scan(); {
			if sc.Text() == line {
				good++
			}
		}
		lines <- good
	}()
	if m, err := s.Send(t.Context(), todo[n:]); err != nil || m != len(todo)-n {
		t.Errorf("Got %d lines and error %v, want %d", m, err, len(todo)-n)
	}
	w.Close()
	if got := wait.For(t, "the reader to end", lines); got != len(todo) {
		t.Errorf("Got %d whole lines, want %d", got, len(todo))
	}
}

// TestReaderGone runs itself with a standard output that nobody reads: the sink
// has an error, and the process lives.
func TestReaderGone(t *testing.T) {
	const survived = 7
	if os.Getenv("READER_GONE") != "" {
		n, err := New(os.Stdout).Send(t.Context(), []sink.Message{{Body: []byte("{1}")}})
		if n != 0 || !errors.Is(err, syscall.EPIPE) {
			os.Exit(1)
		}
		os.Exit(survived)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	cmd := wait.Command(t, wait.Limit, os.Args[0], "-test.run=^TestReaderGone$")
	cmd.Env = append(os.Environ(), "READER_GONE=1")
	cmd.Stdout = w
	_ = cmd.Run() // its status says more
	if cmd.ProcessState.ExitCode() != survived {
		t.Errorf("Got %v, want exit status %d", cmd.ProcessState, survived)
	}
}

func TestRegularFile(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := New(f)
	if n, err := s.Send(t.Context(), []sink.Message{{Body: []byte("{1}")}, {Body: []byte("{2}")}}); n != 2 || err != nil {
		t.Errorf("Got %d lines and error %v, want 2", n, err)
	}
	if got, _ := os.ReadFile(f.Name()); string(got) != "{1}\n{2}\n" {
		t.Errorf("Got %q", got)
	}
}
