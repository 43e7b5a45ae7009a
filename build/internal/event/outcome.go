package event

// Outcome is the fate of a message or a query.
type Outcome uint8

// The outcomes. Delivered mail is what has leaked; the others are what was
// tried.
const (
	Queried   Outcome = iota // a name was asked for
	Delivered                // another server, or a mailbox, took the message
	Bounced                  // the message went back to its sender
	Deferred                 // the message waited at the end of the log
	Rejected                 // the recipient was refused before there was a message
)

// outcomes are the names of the outcomes in data, and what texts say.
var outcomes = [...]struct{ name, text string }{
	Queried:   {"queried", "was asked for"},
	Delivered: {"delivered", "was delivered"},
	Bounced:   {"bounced", "was returned to its sender"},
	Deferred:  {"deferred", "was still waiting"},
	Rejected:  {"rejected", "was refused at submission"},
}

// String returns the name of the outcome for JSON and CSV.
func (o Outcome) String() string { return outcomes[o].name }

// Text returns the end of a sentence about a message or name.
func (o Outcome) Text() string { return outcomes[o].text }

// Outcomes returns all outcomes, in the order of their declaration.
func Outcomes() []Outcome {
	all := make([]Outcome, len(outcomes))
	for i := range all {
		all[i] = Outcome(i)
	}
	return all
}
