// Package event describes the events of past logs: a message that was sent, or a name
// that was queried. The readers of logs make events, and the audit judges them.
package event

import (
	"strings"
	"time"
)

// Event is a message to one recipient, or a query for one name.
type Event struct {
	Time    time.Time // zero where the log has no time
	Guessed bool      // the year or the zone of Time is assumed, not logged
	Logger  string    // the host that logged
	Client  string    // address or name of the host that asked, or that submitted the message

	Sender    string // empty where the log does not tell it; messages without a sender are bounces, and left out
	Recipient string // as delivered
	Original  string // as typed, where it differs from Recipient
	Name      string // as asked, in presentation format; empty for mail
	Qtype     string // as logged; empty for mail

	// Bare is set where nobody wants the name (Options.Wanted): then the event
	// tells that there was a query at Time, and Name is the root.
	Bare bool

	Outcome   Outcome
	Count     int // how often the same thing happened, at least 1
	Deferrals int // how often the message waited before its outcome

	NextHop string // the server that took, refused or deferred the message
	ID      string // of the message on the host that logged
	Format  string // the name of the format of the log
	File    string
	Line    int // counts from 1; the line that told the outcome; 0 in binary files
}

// Domains returns the names to judge. For a query this is the queried name. For a
// message these are the domains of the recipient and of the recipient as typed,
// because an alias can lead from a good name to a lookalike. They are as logged,
// without a final dot. It leaves out address literals, and names that differ from
// another only in case.
func (e *Event) Domains() []string {
	if e.Bare {
		return nil
	}
	if e.Name != "" {
		return []string{unrooted(e.Name)}
	}
	var domains []string
	for _, address := range [...]string{e.Recipient, e.Original} {
		d := Domain(address)
		if d == "" || len(domains) == 1 && strings.EqualFold(domains[0], d) {
			continue
		}
		domains = append(domains, d)
	}
	return domains
}

// Domain returns the domain of a mail address, without a final dot. It is empty
// for a local address and for an address literal (RFC 5321 section 4.1.3). A
// quoted local part can contain an @, a domain cannot.
func Domain(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 0 || strings.HasPrefix(address[at+1:], "[") || strings.HasSuffix(address, `"`) {
		return ""
	}
	return unrooted(address[at+1:])
}

// unrooted returns the name without its final dot. The root stays a dot, and so
// does a dot that an escape makes part of a label.
func unrooted(name string) string {
	bare, rooted := strings.CutSuffix(name, ".")
	if !rooted || bare == "" {
		return name
	}
	escapes := len(bare) - len(strings.TrimRight(bare, `\`))
	if escapes%2 == 1 {
		return name
	}
	return bare
}
