package mailog

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/logfile"
	"github.com/lookalike-dns/lookalike/test/maillog"
	"github.com/lookalike-dns/lookalike/test/proof"
)

// generated writes a log of Postfix, and returns its path and what it tells.
func generated(tb testing.TB, size int64) (string, maillog.Counts) {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "mail.log")
	f, err := os.Create(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	counts, err := maillog.Postfix(f, size, 1, modified)
	if err != nil {
		tb.Fatal(err)
	}
	return path, counts
}

func BenchmarkPostfix(b *testing.B) {
	const size = 64 << 20
	path, _ := generated(b, size)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		events := 0
		if _, err := logfile.Read(context.Background(), []string{path}, nil, logfile.Options{Formats: Formats()}, func(*event.Event) { events++ }); err != nil || events == 0 {
			b.Fatal(events, err)
		}
	}
}

// A log of any size takes the same memory, and each message counts once.
func TestLargeLog(t *testing.T) {
	path, want := generated(t, int64(proof.N(8, 256))<<20)
	var got maillog.Counts
	var most uint64
	var years [2]time.Time
	o := logfile.Options{Options: event.Options{Now: modified}, Formats: Formats()}
	o.Progress = func(p logfile.Progress) {
		if p.Read%(16<<20) == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
	}
	files, err := logfile.Read(context.Background(), []string{path}, nil, o, func(e *event.Event) {
		if years[0].IsZero() {
			years[0] = e.Time
		}
		years[1] = e.Time
		got.Messages++
		switch e.Outcome {
		case event.Delivered:
			got.Delivered++
		case event.Bounced:
			got.Bounced++
		}
		got.Deferred += e.Deferrals
		if event.Domain(e.Recipient) == "army.ml" {
			got.Lookalikes++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("the log tells of %+v, want %+v", got, want)
	}
	if files[0].Unknown != 0 {
		t.Errorf("%d lines unknown: %+v", files[0].Unknown, files[0].First)
	}
	if span := years[1].Sub(years[0]); span < 360*24*time.Hour || span > 366*24*time.Hour {
		t.Errorf("the log goes from %v to %v, want a year", years[0], years[1])
	}
	if most > 64<<20 {
		t.Errorf("the heap had %d bytes, want at most 64 MiB", most)
	}
}
