package record

import (
	"encoding/json"
	"testing"
)

func TestActions(t *testing.T) {
	tests := []struct {
		name            string
		blocks, replies bool
		outcome         string // of a query that was answered NXDOMAIN, where an RCODE was written
	}{
		{"off", false, false, "blocked"},
		{"monitor", false, false, "not blocked, only reported"},
		{"nxdomain", true, true, "answered NXDOMAIN"},
		{"nodata", true, true, "answered nodata"},
		{"nullmx", true, true, "answered nullmx"},
		{"sinkhole", true, true, "answered with the sinkhole"},
		{"refused", true, true, "answered NXDOMAIN"},
		{"servfail", true, true, "answered NXDOMAIN"},
		{"drop", true, false, "not answered"},
	}
	if len(tests) != len(Actions()) {
		t.Fatalf("Got %d actions, want %d", len(Actions()), len(tests))
	}
	for i, tc := range tests {
		a, ok := ParseAction(tc.name)
		if !ok || a != Actions()[i] || a.String() != tc.name {
			t.Errorf("Got %v, %v for %q, want %v", a, ok, tc.name, Actions()[i])
		}
		rcode := ""
		if a.WritesRcode() {
			rcode = "NXDOMAIN"
		}
		if got := a.Outcome(rcode); a.Blocks() != tc.blocks || a.WritesRcode() != tc.replies || got != tc.outcome {
			t.Errorf("Got blocks %v, writes an RCODE %v, outcome %q for %s", a.Blocks(), a.WritesRcode(), got, a)
		}
		var again Action
		if b, err := json.Marshal(a); err != nil || json.Unmarshal(b, &again) != nil || again != a {
			t.Errorf("Got %s, error %v for %s, read as %s", b, err, a, again)
		}
	}
	if a, ok := ParseAction("nxdomains"); ok || a != Off {
		t.Errorf("Got %v for no action", a)
	}
	if err := new(Action).UnmarshalText([]byte("")); err == nil {
		t.Error("Got no error for an empty action")
	}
}
