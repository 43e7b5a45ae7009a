package soctest

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// situation tells whether a record is about a situation that the SOC is to hear
// of. All content has a rule for each; what the rules find in the sample is
// compared with what is said here in Go.
type situation func(r Record) bool

// The situations, by the names that the content uses. A group's lines of
// every=query repeat what its records tell, so that no rule looks at them.
var situations = map[string]situation{
	"passed": func(r Record) bool {
		return first(r) && r.Has("lookalike.confidence", "high") && r.Has("lookalike.action", "monitor")
	},
	"blocked":         func(r Record) bool { return first(r) && r.Has("event.type", "denied") },
	"homoglyph":       func(r Record) bool { return first(r) && r.Has("lookalike.class", "idn-homoglyph") },
	"mail_refused":    func(r Record) bool { return alert(r) && r.Has("lookalike.context", "delivery") },
	"sender_checked":  func(r Record) bool { return alert(r) && (has(r, "spf") || has(r, "dmarc") || has(r, "dkim")) },
	"exception_ended": func(r Record) bool { return alert(r) && len(r["lookalike.exception.name"]) > 0 },
	"storm":           func(r Record) bool { return alert(r) && r.Has("lookalike.phase", "storm") },
	"many_clients":    func(r Record) bool { return first(r) && r.Has("lookalike.confidence", "high") },
	"lost":            func(r Record) bool { return r.Has("lookalike.phase", "lost") },
}

func has(r Record, context string) bool { return r.Has("lookalike.context", context) }

func alert(r Record) bool {
	return r.Has("event.kind", "alert") && !r.Has("lookalike.phase", "query") && r.Has("lookalike.test", "false")
}

func first(r Record) bool { return alert(r) && r.Has("lookalike.phase", "first") }

// Situations returns their names, in order.
func Situations() []string { return slices.Sorted(maps.Keys(situations)) }

// Finds fails the test unless a rule finds those records of the sample that are
// about a situation.
func Finds(t *testing.T, name string, rule func(Record) (bool, error)) {
	t.Helper()
	want, known := situations[name]
	if !known {
		t.Fatalf("No situation %q; there are %q", name, Situations())
	}
	found := 0
	for _, r := range ECS() {
		got, err := rule(r)
		if err != nil {
			t.Fatal(err)
		}
		if got {
			found++
		}
		if got != want(r) {
			t.Errorf("%s: got %v, want %v for the record %s", name, got, want(r), r.kind())
		}
	}
	if found == 0 || found == len(ECS()) {
		t.Errorf("%s: the rule finds %d of %d records", name, found, len(ECS()))
	}
}

// kind says in a few words which record of the sample r is.
func (r Record) kind() string {
	return fmt.Sprint(r["lookalike.phase"], r["lookalike.class"], r["lookalike.action"], r["lookalike.context"], r["dns.question.name"])
}
