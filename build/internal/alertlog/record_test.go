package alertlog

import (
	"errors"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
)

// TestParse holds that a record that was written and read is written again as
// the same line.
func TestParse(t *testing.T) {
	for name, r := range recordtest.EveryPhase() {
		t.Run(name, func(t *testing.T) {
			line := format.ECS().Append(nil, r)
			got, err := Parse(line)
			if err != nil {
				t.Fatal(err)
			}
			if again := format.ECS().Append(nil, &got.Record); string(again) != string(line) {
				t.Errorf("Got\n%s, want\n%s", again, line)
			}
			if got.Text != r.Message() || string(got.Raw) != string(line) {
				t.Errorf("Got %q of %s", got.Text, got.Raw)
			}
		})
	}
}

func TestParseOthers(t *testing.T) {
	tests := []struct{ name, line string }{
		{"nothing", ``},
		{"a log line", `[INFO] plugin/lookalike: hello`},
		{"another object", `{"@timestamp":"2026-11-23T08:41:00.000Z","message":"hello"}`},
		{"no phase", `{"lookalike":{"class":"typo"}}`},
		{"the phase of a later version", `{"lookalike":{"phase":"prelude"}}`},
		{"a count below zero", `{"lookalike":{"phase":"first","count":-1}}`},
		{"half a line", `{"lookalike":{"phase":"first",`},
		{"a name for an address", `{"source":{"ip":"mx.example.org"},"lookalike":{"phase":"first"}}`},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got, err := Parse([]byte(tc.line)); !errors.Is(err, ErrNoAlert) {
				t.Errorf("Got %+v, error %v", got, err)
			}
		})
	}
}

// FuzzParse holds that any line is an alert or none.
func FuzzParse(f *testing.F) {
	for _, r := range recordtest.EveryPhase() {
		f.Add(format.ECS().Append(nil, r))
	}
	f.Add([]byte(`{"lookalike":{"phase":"first","context":["spf","tlsa"],"action":"prelude"},"dns":{"id":"65536"}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := Parse(line)
		if (err == nil) != (r != nil) {
			t.Errorf("Got %v, error %v", r, err)
		}
		if r != nil {
			format.ECS().Append(nil, &r.Record)
		}
	})
}
