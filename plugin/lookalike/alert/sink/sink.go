// Package sink is the interface between the alert pipeline and the sinks, which
// are packages below this one.
package sink

import (
	"context"
	"fmt"
	"time"
)

// Message is one record, encoded for a sink. It is one line, without the line
// end.
type Message struct {
	ID       string // event id, the same at every sink and on every attempt
	Group    string // messages of one group must stay in order
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

// Sink delivers messages to one receiver. The pipeline calls it from one
// goroutine, and calls nothing after Close.
type Sink interface {
	// Send delivers the batch in order. It returns how many messages, from the
	// front, are settled. Those will not be offered again; the others will,
	// after a pause. An error says why not all of them are settled. Each error
	// in this package has a meaning; any other error means that a retry is
	// worthwhile. Send returns soon after ctx is done.
	Send(ctx context.Context, batch []Message) (int, error)
	// Close releases the sink's resources. It does not wait for the receiver.
	Close() error
}

// Looker is a Sink that checks its resources now and then, while there is
// nothing to send.
type Looker interface{ Look() }

// Env is what a sink knows about its sensor.
type Env struct {
	Sensor  string // host name
	Version string // of the plugin
	Guest   bool   // the tool runs it, not the server: files it creates belong to the server's user
}

// Opener makes a sink from a destination that has been parsed. It does not wait
// for a receiver on the network. It fails where the configuration cannot work
// on this machine: an unwritable file, a missing secret.
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

// Partial is the error of a Send that settled all messages, though the receiver
// says that it rejected N of them.
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
