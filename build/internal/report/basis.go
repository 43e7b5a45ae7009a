package report

import "fmt"

// Basis is the unit of a page's counts.
type Basis string

// The bases.
const (
	Mail    Basis = "mail"    // messages in the logs of mail servers
	Queries Basis = "queries" // queries in the logs of DNS servers
	Alerts  Basis = "alerts"  // queries that a server with the plugin has seen
)

// basis is how the counts of a basis are told in two parts: what got away, and
// what did not.
type basis struct {
	unit         string // one of what is counted
	leaked, held string // headings
	host, hosts  string // headings

	perUnit, perName, perClass, perHost string // titles of charts

	leakedOf, heldOf func(*Counts) uint64
}

var bases = map[Basis]*basis{
	Mail: {
		unit: "message", leaked: "Delivered", held: "Came back", host: "Sending host", hosts: "Sending hosts",
		perUnit: "Mail to lookalikes per %s", perName: "Messages per name", perClass: "Messages per class", perHost: "Messages per sending host",
		leakedOf: func(c *Counts) uint64 { return c.Delivered },
		heldOf:   func(c *Counts) uint64 { return c.Bounced + c.Deferred + c.Rejected },
	},
	Queries: {
		unit: "query", leaked: "Would pass", held: "Would be stopped", host: "Host that asked", hosts: "Who asked",
		perUnit: "Queries for lookalikes per %s", perName: "Queries per name", perClass: "Queries per class", perHost: "Queries per host",
		leakedOf: func(c *Counts) uint64 { return c.Queries - c.Stopped },
		heldOf:   func(c *Counts) uint64 { return c.Stopped },
	},
	Alerts: {
		unit: "query", leaked: "Only reported", held: "Blocked", host: "Mail server", hosts: "Who asked",
		perUnit: "Queries for lookalikes per %s", perName: "Queries per name", perClass: "Queries per class", perHost: "Queries per mail server",
		leakedOf: func(c *Counts) uint64 { return c.Queries - c.Stopped },
		heldOf:   func(c *Counts) uint64 { return c.Stopped },
	},
}

// trend returns the title of the chart of a trend.
func (b *basis) trend(u Unit) string { return fmt.Sprintf(b.perUnit, u) }

// Leaked returns the part of the counts that got through.
func (b Basis) Leaked(c *Counts) uint64 { return bases[b].leakedOf(c) }

// Held returns the part of the counts that did not get through.
func (b Basis) Held(c *Counts) uint64 { return bases[b].heldOf(c) }

// Decision is the action that a page recommends for a name.
type Decision string

// The decisions.
const (
	Stopped  Decision = "stopped"  // the policy blocks it
	Reported Decision = "reported" // the policy only reports it, so mail leaves
	Ask      Decision = "ask"      // the policy blocks it, but mail went both ways
	Allowed  Decision = "allowed"  // an exception lets it through
	Unserved Decision = "unserved" // no directive is asked
)

// decisions are the words for people.
var decisions = map[Decision]string{
	Stopped:  "blocked",
	Reported: "only reported",
	Ask:      "decide first",
	Allowed:  "allowed",
	Unserved: "no directive applies",
}

// String returns the decision in words.
func (d Decision) String() string { return decisions[d] }
