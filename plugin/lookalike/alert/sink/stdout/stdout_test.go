package stdout

import (
	"bufio"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
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
	if got := <-lines; got != len(todo) {
		t.Errorf("Got %d whole lines, want %d", got, len(todo))
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
