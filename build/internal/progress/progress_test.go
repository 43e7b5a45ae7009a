package progress

import (
	"bytes"
	"testing"
	"time"
)

func TestLine(t *testing.T) {
	now := time.Unix(1000, 0)
	var out bytes.Buffer
	l := &Line{w: &out, size: 1000, now: func() time.Time { return now }, start: now}
	step := func(after time.Duration, names int, done int64) string {
		out.Reset()
		now = now.Add(after)
		l.Show(names, 3, done)
		return out.String()
	}
	if got := step(900*time.Millisecond, 90, 90); got != "" {
		t.Errorf("%q within the first second", got)
	}
	if got, want := step(100*time.Millisecond, 100, 100), "\r\x1b[Klookalike:  10 %, 100 names, 3 found, 100 names/s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := step(100*time.Millisecond, 110, 110); got != "" {
		t.Errorf("%q too soon after the last", got)
	}
	if got, want := step(900*time.Millisecond, 400, 2000), "\r\x1b[Klookalike: 100 %, 400 names, 3 found, 200 names/s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	out.Reset()
	l.Clear()
	l.Clear()
	if got := out.String(); got != "\r\x1b[K" {
		t.Errorf("Cleared by %q", got)
	}
}
