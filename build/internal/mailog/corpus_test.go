package mailog

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/logfile"
)

// sample is a log, and what it tells: one line an event.
type sample struct {
	name string
	log  string
	want string
}

// samples are the corpora, by format. They are the seeds of fuzzing as well.
var samples = map[string][]sample{
	"postfix":      postfixSamples,
	"exim":         eximSamples,
	"sendmail":     sendmailSamples,
	"opensmtpd":    opensmtpdSamples,
	"exchange":     exchangeSamples,
	"microsoft365": traceSamples,
}

// modified is when the logs of the tests were written.
var modified = time.Date(2026, time.November, 26, 6, 25, 0, 0, time.UTC)

func TestSamples(t *testing.T) {
	for format, rows := range samples {
		for _, s := range rows {
			t.Run(format+"/"+s.name, func(t *testing.T) {
				file, got := readLog(t, s.log)
				if !slices.Equal(file.Formats, []string{format}) {
					t.Errorf("formats: %q, want %q alone", file.Formats, format)
				}
				if file.Unknown > 0 {
					t.Errorf("unknown: %d lines: %+v", file.Unknown, file.First)
				}
				if want := lines(s.want); !slices.Equal(got, want) {
					t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
				}
			})
		}
	}
}

// lines returns the lines of a text that are not empty, without their
// indentation.
func lines(s string) (all []string) {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// readLog reads a log by finding out its format.
func readLog(t *testing.T, log string) (*logfile.File, []string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(strings.TrimLeft(log, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, modified, modified); err != nil {
		t.Fatal(err)
	}
	var got []string
	o := logfile.Options{Options: event.Options{Location: time.UTC, Now: modified}, Formats: Formats()}
	files, err := logfile.Read(context.Background(), []string{path}, nil, o, func(e *event.Event) { got = append(got, show(e)) })
	if err != nil {
		t.Fatal(err)
	}
	return files[0], got
}

// show returns an event as the samples write it.
func show(e *event.Event) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s -> %s", e.Time.UTC().Format("2006-01-02 15:04:05"), e.Outcome, cmp.Or(e.Sender, "?"), e.Recipient)
	for _, part := range []struct{ name, value string }{{"typed", e.Original}, {"via", e.NextHop}, {"from", e.Client}, {"on", e.Logger}} {
		if part.value != "" {
			fmt.Fprintf(&b, " %s %s", part.name, part.value)
		}
	}
	if e.Deferrals > 0 {
		fmt.Fprintf(&b, " after %d deferrals", e.Deferrals)
	}
	if e.Count > 1 {
		fmt.Fprintf(&b, " ×%d", e.Count)
	}
	return b.String()
}

func TestFormats(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Formats() {
		if len(samples[f.Name]) == 0 {
			t.Errorf("format %s has no samples", f.Name)
		}
		if seen[f.Name] || f.Title == "" || !f.Mail || f.New == nil {
			t.Errorf("format %+v: want a name of its own, a title, a parser", f)
		}
		seen[f.Name] = true
	}
}

// A log of one format is not taken for another, whatever stands in it.
func TestStrangers(t *testing.T) {
	file, got := readLog(t, `
Nov 25 21:54:52 mx kernel: eth0: link up
Nov 25 21:54:52 mx dovecot: imap-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.77
25-Nov-2026 21:51:05.364 queries: info: client @0x7fbeaaa6a098 192.0.2.25#33785 (example.ml): query: example.ml IN MX +E(0)K (192.0.2.53)
2026-11-25 21:55:06 INFO to=<bob@example.ml>, status=sent
{"ts":1795640000.1,"query":"example.ml"}
date,name,status
`)
	if len(got) > 0 || file.Unknown != file.Lines || len(file.Formats) > 0 {
		t.Errorf("got %q of formats %q, %d lines unknown; want nothing", got, file.Formats, file.Unknown)
	}
}
