package mailog

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/logfile"
)

// FuzzParsers feeds a log to each parser, and to those that the log seems to be
// for. None may fail, and the same log tells the same again.
func FuzzParsers(f *testing.F) {
	for _, rows := range samples {
		for _, s := range rows {
			f.Add([]byte(s.log))
		}
	}
	f.Fuzz(func(t *testing.T, log []byte) {
		if len(log) > 1<<16 {
			return
		}
		start := time.Now()
		for _, only := range []string{"", "postfix", "exim", "sendmail", "opensmtpd", "exchange", "microsoft365"} {
			first, second := told(t, log, only), told(t, log, only)
			if !slices.Equal(first, second) {
				t.Errorf("%s: the log tells %q, and again %q", only, first, second)
			}
		}
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("%d bytes took %v", len(log), took)
		}
	})
}

func told(t *testing.T, log []byte, only string) (events []string) {
	t.Helper()
	o := logfile.Options{Options: event.Options{Location: time.UTC, Now: modified}, Formats: Formats(), Format: only}
	files, err := logfile.Read(context.Background(), []string{logfile.Stdin}, bytes.NewReader(log), o, func(e *event.Event) {
		if e.Recipient == "" || e.Count < 1 || e.Line < 1 || e.File != logfile.Stdin || e.Format == "" || e.Outcome == event.Queried || e.Outcome.String() == "" {
			t.Errorf("%s: event %+v", only, e)
		}
		events = append(events, fmt.Sprint(*e))
	})
	if err != nil {
		t.Fatal(err)
	}
	if file := files[0]; file.Err == nil && file.Used+file.Passed+file.Unknown > file.Lines {
		t.Errorf("%s: counts %+v", only, file)
	}
	return events
}
