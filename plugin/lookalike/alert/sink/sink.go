// Package sink is what the alert pipeline and the sinks, each in a package of
// its own below this one, know of each other.
package sink

import (
	"context"
	"fmt"
	"time"
)

// Message is one record, encoded for a sink. It is one line without its end.
type Message struct {
	ID       string // event id, the same at every sink and on every attempt
	Group    string // messages of one group are to stay in order
	Sequence uint64
	Time     time.Time
	Severity Severity
	Event    string // the rule or kind of event, printable ASCII
	Sensor   string
	Text     string // the message in words
	Body     []byte
}

// Severity is the importance of a message.
type Severity uint8

// The severities, least important first.
const (
	Info Severity = iota
	Low
	Medium
	High
)

// Sink takes messages to one receiver. The pipeline calls it from one
// goroutine, and calls nothing after Close.
type Sink interface {
	// Send delivers the batch in order. It returns how many messages, from
	// the front, are settled: they will not be offered again; the others will,
	// after a pause. An error says why not all of them are settled; of the
	// errors in this package each has a meaning, every other one means that it
	// is worth trying again. Send returns soon after ctx is done.
	Send(ctx context.Context, batch []Message) (int, error)
	// Close lets go of what the sink holds. It does not wait for the receiver.
	Close() error
}

// Looker is a Sink that wants to look after what it holds now and then, while
// there is nothing to send.
type Looker interface{ Look() }

// Env is what a sink may know about the sensor that it works for.
type Env struct {
	Sensor  string // host name
	Version string // of the plugin
	Guest   bool   // it is the tool, not the server: what it creates is for the server's user
}

// Opener makes a sink from a destination that has been parsed. It does not
// wait for a receiver on the network; it fails where the configuration cannot
// work on this machine: a file that cannot be written, a secret that is not
// there.
type Opener func(Env) (Sink, error)

// Parser reads a destination: its address, and the options that it knows. It
// opens nothing.
type Parser func(Address, *Options) (Opener, error)

// Refused is the error of a Send whose next message, the one after those that
// are settled, the receiver will never take. It goes to the dead letters.
type Refused struct{ Err error }

func (e *Refused) Error() string { return fmt.Sprintf("refused: %v", e.Err) }

// Unwrap returns the receiver's words.
func (e *Refused) Unwrap() error { return e.Err }

// Denied is the error of a Send whose credentials the receiver did not accept.
// Trying again soon is useless and may lock the account.
type Denied struct{ Err error }

func (e *Denied) Error() string { return fmt.Sprintf("access denied: %v", e.Err) }

// Unwrap returns the receiver's words.
func (e *Denied) Unwrap() error { return e.Err }

// Partial is the error of a Send all of whose messages are settled, though the
// receiver says that it did not keep N of them.
type Partial struct {
	N   int
	Err error
}

func (e *Partial) Error() string { return fmt.Sprintf("%d rejected: %v", e.N, e.Err) }

// Unwrap returns the receiver's words.
func (e *Partial) Unwrap() error { return e.Err }

// Later is the error of a Send that the receiver asked to repeat after a time.
type Later struct {
	After time.Duration
	Err   error
}

func (e *Later) Error() string { return fmt.Sprintf("asked to wait %v: %v", e.After, e.Err) }

// Unwrap returns the receiver's words.
func (e *Later) Unwrap() error { return e.Err }
