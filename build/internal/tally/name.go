package tally

import (
	"slices"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/report"
)

// What is kept of one name.
const (
	keptTyped    = 5
	keptMessages = 30
	keptTop      = 10
)

// Name counts what is told of one registrable lookalike, and keeps the latest of it.
type Name struct {
	Counts      report.Counts
	Senders     Tally
	Who         Distinct // senders
	Hosts       Tally
	Days        Days
	First, Last time.Time

	typed    []string
	messages []report.Message // the latest, as a ring
	next     int
	room     *Room // for messages
}

// NewName returns a name that takes its senders and hosts from entries.
func NewName(entries, days, messages *Room) Name {
	return Name{Senders: New(entries), Who: NewDistinct(entries), Hosts: New(entries), Days: NewDays(days), room: messages}
}

// Typed notes how the name was typed. An empty text is no name.
func (n *Name) Typed(name string) {
	if name != "" && len(n.typed) < keptTyped && !slices.Contains(n.typed, name) {
		n.typed = append(n.typed, strings.Clone(name))
	}
}

// Seen notes that the name was seen from one time to another, the day of which counts.
func (n *Name) Seen(from, to time.Time) {
	n.Days.Add(report.DateOf(to))
	if n.First.IsZero() || from.Before(n.First) {
		n.First = from
	}
	if to.After(n.Last) {
		n.Last = to
	}
}

// Keep keeps a message among the latest.
func (n *Name) Keep(m report.Message) {
	switch {
	case len(n.messages) < keptMessages:
		if n.room.Take() {
			n.messages = append(n.messages, m)
		}
	default:
		n.messages[n.next] = m
		n.next = (n.next + 1) % keptMessages
	}
}

// Row returns what a page says of the name, as far as it was counted here.
func (n *Name) Row(registrable string, b report.Basis) report.Name {
	return report.Name{
		Name: registrable, Typed: n.typed, Counts: n.Counts, First: n.First, Last: n.Last, Days: n.Days.Len(),
		Senders: n.Who.Count(), Hosts: n.Hosts.Len(),
		TopSenders: n.Senders.Shares(b, keptTop), TopHosts: n.Hosts.Shares(b, keptTop),
		Messages: slices.Concat(n.messages[n.next:], n.messages[:n.next]),
	}
}
