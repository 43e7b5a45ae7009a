// Package audit judges the events of past logs and makes a page of the findings.
package audit

import (
	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

// Finding is an event of a past log that a policy would have seen.
type Finding struct {
	*event.Event
	*judge.Finding
	Domain string // the one of the event's that resembles a protected name
}

// stopped reports whether the policy blocks the name.
func (f *Finding) stopped() bool {
	return f.Idle == "" && f.Finding.Outcome == lookalike.Acts && f.Action.Blocks()
}

// Times returns the number of occurrences.
func (f *Finding) Times() uint64 { return uint64(max(1, f.Count)) }
