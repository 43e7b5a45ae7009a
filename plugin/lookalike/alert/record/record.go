// Package record holds the data of alerts: the detections that go in and the
// records that come out. It knows nothing of formats, spools and deliveries.
package record

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
	"unsafe"

	"github.com/google/uuid"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Any stands for the name in a record about many names.
const Any = "*"

// Phase says what a record tells about its group.
type Phase uint8

// The phases of a record.
const (
	First  Phase = iota // a group's first detection
	Update              // what happened since the group's last record
	Final               // the group has been idle, or the server stops; its last detections, if any
	Storm               // a roll-up over many names or clients
	Lost                // records that a sink could not be given
	Test                // from the test command
	Query               // one detection, where every one is to be a line
)

var phaseNames = [...]string{"first", "update", "final", "storm", "lost", "test", "query"}

// Phases are all phases.
func Phases() []Phase { return []Phase{First, Update, Final, Storm, Lost, Test, Query} }

// String returns the phase as it stands in records.
func (p Phase) String() string { return phaseNames[p] }

// MarshalText returns the phase as it stands in records.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (p *Phase) UnmarshalText(text []byte) error {
	i := slices.Index(phaseNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown phase %q", text)
	}
	*p = Phase(i) //nolint:gosec // there are seven
	return nil
}

// Record is one alert, before a format gives it a form. Records of a group
// carry deltas: the sum of Count over a group's records is the number of its
// detections. A Record is never modified once it has been handed to a sink.
type Record struct {
	ID       string // UUIDv7 (RFC 9562)
	Epoch    string // tells the sequences of one sensor apart
	Sequence uint64 // without gaps within an epoch; 0 in a record made for one sink
	Phase    Phase
	Group    string // the same on every sensor

	Created    time.Time
	Start, End time.Time // of the detections in this record
	FirstSeen  time.Time // of the group

	Class      detect.Class
	Confidence detect.Confidence
	Action     Action
	Reason     string

	Client     netip.Addr // zero in a roll-up over clients
	ClientPort uint16
	Server     netip.AddrPort
	Transport  string

	DNSID       uint16
	Qtype       string
	Rcode       string // empty when nothing was answered
	Answers     []netip.Addr
	Name        string // the first name in this record, as is all from ClientPort to here
	Registrable string // "*" in a roll-up
	Unicode     string
	Protected   []string // best first
	DidYouMean  []string // in the order of Protected

	Count           uint64   // detections in this record
	Total           uint64   // detections of the group so far
	Qtypes          []string // different ones, the first eight; "other" for more, and for unknown ones
	Samples         []string // names, at most five
	DistinctNames   uint64   // exact up to five, an estimate beyond
	Clients         []netip.Addr
	DistinctClients uint64 // estimate; roll-ups over clients only

	// Different ones, of all detections in this record.
	Contexts     []string
	Protocols    []string
	ServerBlocks []string
	Views        []string
	Vias         []string // at most five
	ViasMore     uint64   `json:",omitempty"` // detections by way of names that are left out

	SMTP     []SMTP
	SMTPMore uint64 `json:",omitempty"` // refused messages whose envelopes are left out
	Lost     *Gap

	Exception *Exception `json:",omitempty"` // the first that would have let a query of this record pass, had it not ended

	Sensor  string
	Version string

	LeftOut int `json:"-"` // values that a format has left out or shortened, since they did not fit
}

// Size is about how many bytes r takes in memory.
func (r *Record) Size() int {
	n := int(unsafe.Sizeof(*r)) + len(r.ID) + len(r.Group) + len(r.Reason) + len(r.Name) + len(r.Unicode)
	for _, list := range [][]string{r.Protected, r.DidYouMean, r.Samples, r.Qtypes, r.Vias, r.ServerBlocks, r.Views} {
		for _, s := range list {
			n += int(unsafe.Sizeof(s)) + len(s)
		}
	}
	for i := range r.SMTP {
		n += int(unsafe.Sizeof(r.SMTP[i])) + len(r.SMTP[i].From) + len(r.SMTP[i].To) + len(r.SMTP[i].HELO)
	}
	if e := r.Exception; e != nil {
		n += int(unsafe.Sizeof(*e)) + len(e.Name) + len(e.Until) + len(e.Owner) + len(e.Reason) + len(e.Ticket)
	}
	return n + (len(r.Clients)+len(r.Answers))*int(unsafe.Sizeof(netip.Addr{}))
}

// NewID returns a UUIDv7 (RFC 9562): its order is that of time.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Blocked reports whether the queries were kept from going on.
func (r *Record) Blocked() bool { return r.Action.Blocks() }

// Urgent reports whether nothing less may take r's place: what was blocked, what is
// high, and what tells of a loss.
func (r *Record) Urgent() bool { return r.Blocked() || r.Level() == LevelHigh }

// Level is the severity of a record.
type Level uint8

// The levels of a record.
const (
	LevelInfo Level = iota
	LevelLow
	LevelMedium
	LevelHigh
)

// Level returns the severity: that of the confidence for detections, high for
// lost records, which somebody has to look into.
func (r *Record) Level() Level {
	switch r.Phase {
	case Test:
		return LevelInfo
	case Lost:
		return LevelHigh
	}
	return Level(r.Confidence)
}
