package record

import "fmt"

// Action is what is done with a query for a lookalike. The zero value is Off.
type Action uint8

// The actions.
const (
	Off      Action = iota // no answer, no alert
	Monitor                // an alert only
	NXDomain               // the name does not exist
	NoData                 // the name exists and has no data
	NullMX                 // the name takes no mail (RFC 7505)
	Sinkhole               // the name leads to a host that refuses mail
	Refused
	Servfail
	Drop // no answer
)

// actions has a row for each action.
var actions = [...]struct {
	name    string
	blocks  bool   // the query goes no further
	replies bool   // an answer with an RCODE is written here
	outcome string // of the query, in words; empty: the RCODE says it
	effect  string // for who decides on an action
}{
	Off: {name: "off",
		effect: "nothing, not even an alert: the query goes on"},
	Monitor: {name: "monitor", outcome: "not blocked, only reported",
		effect: "an alert only: the query goes on, and mail leaves"},
	NXDomain: {name: "nxdomain", blocks: true, replies: true,
		effect: "answered with NXDOMAIN, so that mail bounces at once"},
	NoData: {name: "nodata", blocks: true, replies: true, outcome: "answered nodata",
		effect: "answered with no records, so that most mail servers bounce mail"},
	NullMX: {name: "nullmx", blocks: true, replies: true, outcome: "answered nullmx",
		effect: "answered with a null MX, so that most mail servers bounce mail"},
	Sinkhole: {name: "sinkhole", blocks: true, replies: true, outcome: "answered with the sinkhole",
		effect: "answered with the address of a host that refuses the mail"},
	Refused: {name: "refused", blocks: true, replies: true,
		effect: "answered with REFUSED, so that mail is queued and tried again"},
	Servfail: {name: "servfail", blocks: true, replies: true,
		effect: "answered with SERVFAIL, so that mail is queued and tried again"},
	Drop: {name: "drop", blocks: true, outcome: "not answered",
		effect: "not answered, so that mail is queued and tried again"},
}

// Actions returns all actions, in the order of their values.
func Actions() []Action {
	all := make([]Action, len(actions))
	for i := range all {
		all[i] = Action(i)
	}
	return all
}

// ParseAction is the inverse of String.
func ParseAction(name string) (Action, bool) {
	for i := range actions {
		if actions[i].name == name {
			return Action(i), true
		}
	}
	return Off, false
}

// String returns the action as it is written in Corefiles and alerts.
func (a Action) String() string { return actions[a].name }

// MarshalText returns the action as String does.
func (a Action) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (a *Action) UnmarshalText(text []byte) error {
	parsed, ok := ParseAction(string(text))
	if !ok {
		return fmt.Errorf("unknown action %q", text)
	}
	*a = parsed
	return nil
}

// Blocks reports whether the query is answered (or dropped) here instead of
// being passed on.
func (a Action) Blocks() bool { return actions[a].blocks }

// WritesRcode reports whether an answer with an RCODE is written here.
func (a Action) WritesRcode() bool { return actions[a].replies }

// Effect says in words what the action does to queries and mail.
func (a Action) Effect() string { return actions[a].effect }

// Outcome says in words what became of the query, to which rcode was answered;
// rcode is the RCODE's name, or empty where it is not known.
func (a Action) Outcome(rcode string) string {
	switch {
	case actions[a].outcome != "":
		return actions[a].outcome
	case rcode == "":
		return "blocked"
	}
	return "answered " + rcode
}
