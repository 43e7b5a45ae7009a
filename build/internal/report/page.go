// Package report writes reports of past logs or alerts about mail to lookalikes: one
// page for people (HTML or text), and the same contents as data (JSON, CSV).
package report

import (
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Schema is the version of the JSON form, which SCHEMA.md describes. It changes
// when a field changes its meaning or goes; new fields may come without it.
const Schema = 1

// Page holds the contents of a report. Its names, addresses and log lines are raw: a
// writer makes them safe to show.
type Page struct {
	Schema   int       `json:"schema"`
	Kind     Kind      `json:"kind"`
	Basis    Basis     `json:"basis"`
	Created  time.Time `json:"created"`
	Version  string    `json:"version"`
	Headline string    `json:"headline"`
	Notes    []string  `json:"notes,omitempty"` // what a reader of the headline has to know
	Period   Period    `json:"period"`
	Figures  []Figure  `json:"figures"`

	Total   Counts  `json:"total"`
	Trend   Trend   `json:"trend"`
	Names   []Name  `json:"names"` // what left most comes first
	Classes []Share `json:"classes"`
	Hosts   []Share `json:"hosts"`   // that sent mail, or asked
	Domains []Share `json:"domains"` // of the senders

	Allow        []Candidate   `json:"allow"`
	Exceptions   []Exception   `json:"exceptions,omitempty"`
	Destinations []Destination `json:"destinations,omitempty"`
	Sensors      []Sensor      `json:"sensors,omitempty"`
	Read         Read          `json:"read"`
}

// Kind is the command that made the page.
type Kind string

// The kinds.
const (
	Audit  Kind = "audit"  // past logs, judged by a policy
	Review Kind = "report" // alerts of a server
)

// Period is the time that a page is about.
type Period struct {
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	Zone string    `json:"zone"` // in which times are shown

	In *time.Location `json:"-"`
}

// Figure is one of the four numbers at the top.
type Figure struct {
	Label string `json:"label"`
	Value uint64 `json:"value"`
	Upper uint64 `json:"upper,omitempty"` // Value is the lower end of an estimate
	Note  string `json:"note,omitempty"`
	Leaks bool   `json:"leaks,omitempty"` // it counts what got away
}

// Counts holds numbers of messages and queries by outcome.
type Counts struct {
	Delivered uint64 `json:"delivered"` // messages that another server took
	Bounced   uint64 `json:"bounced"`   // messages that went back to the sender
	Deferred  uint64 `json:"deferred"`  // messages that waited at the end of the log
	Rejected  uint64 `json:"rejected"`  // recipients that were refused at submission
	Queries   uint64 `json:"queries"`   // names that were asked for
	Stopped   uint64 `json:"stopped"`   // of the delivered messages, or else of the queries: a policy blocks them
	Allowed   uint64 `json:"allowed"`   // of the same: an exception lets them through
}

// Add adds other.
func (c *Counts) Add(other Counts) {
	c.Delivered += other.Delivered
	c.Bounced += other.Bounced
	c.Deferred += other.Deferred
	c.Rejected += other.Rejected
	c.Queries += other.Queries
	c.Stopped += other.Stopped
	c.Allowed += other.Allowed
}

// Trend is how the counts change with time.
type Trend struct {
	Unit    Unit     `json:"unit"`
	Buckets []Bucket `json:"buckets"` // one after the other, without a hole
}

// Bucket is one unit of time.
type Bucket struct {
	Start time.Time `json:"start"`
	Counts
	Gap Gap `json:"gap,omitempty"`
}

// Gap tells which part of a bucket has no data.
type Gap string

// The gaps.
const (
	NoGap    Gap = ""
	SomeDays Gap = "some" // on some days, nothing was logged
	AllDays  Gap = "all"  // nothing was logged at all
)

// Share is a part of the total.
type Share struct {
	Name string `json:"name"`
	Counts
}

// Name is one registrable lookalike, with all names below it.
type Name struct {
	Name       string            `json:"name"`
	Unicode    string            `json:"unicode,omitempty"`
	Typed      []string          `json:"typed,omitempty"` // names as they were typed, at most five
	Protected  []string          `json:"protected"`       // best first
	DidYouMean []string          `json:"did_you_mean"`
	Class      detect.Class      `json:"class"`
	Confidence detect.Confidence `json:"confidence"`
	Reason     string            `json:"reason"`
	Slips      []Slip            `json:"slips,omitempty"`

	Action    string   `json:"action"` // as check has it
	Decision  Decision `json:"decision"`
	Directive string   `json:"directive,omitempty"`  // file and line
	AllowedAt string   `json:"allowed_at,omitempty"` // file and line of the exception
	Idle      string   `json:"idle,omitempty"`       // why nothing is done

	Counts
	Received  uint64    `json:"received,omitempty"` // messages that came from it
	Incidents uint64    `json:"incidents,omitempty"`
	Mail      *Estimate `json:"mail,omitempty"`   // messages, estimated from queries
	Before    *uint64   `json:"before,omitempty"` // queries of the month before
	First     time.Time `json:"first,omitzero"`
	Last      time.Time `json:"last,omitzero"`
	Days      int       `json:"days"` // different ones
	Senders   uint64    `json:"senders"`
	Hosts     uint64    `json:"hosts"`

	TopSenders []Share   `json:"top_senders,omitempty"`
	TopHosts   []Share   `json:"top_hosts,omitempty"`
	Messages   []Message `json:"messages,omitempty"` // the latest
}

// Slip is one difference between the first of the protected names and what was
// typed.
type Slip struct {
	Kind string `json:"kind"`
	At   int    `json:"at"` // octets of the protected name before it
	From string `json:"from"`
	To   string `json:"to"`
}

// Slips returns those of a verdict.
func Slips(v *detect.Verdict) []Slip {
	all := make([]Slip, len(v.Slips))
	for i, s := range v.Slips {
		all[i] = Slip{s.Kind, s.At, s.From, s.To}
	}
	return all
}

// Message is one message to a recipient, a query, or an alert.
type Message struct {
	Time      time.Time `json:"time,omitzero"`
	Sender    string    `json:"sender,omitempty"`
	Recipient string    `json:"recipient,omitempty"`
	Original  string    `json:"original,omitempty"` // the recipient as typed, where it differs
	Name      string    `json:"name,omitempty"`     // that was asked for
	Type      string    `json:"type,omitempty"`     // of the query
	Host      string    `json:"host,omitempty"`
	Outcome   string    `json:"outcome"`
	Count     uint64    `json:"count"`
	File      string    `json:"file,omitempty"`
	Line      int       `json:"line,omitempty"`
}

// Candidate is a name to think about before anything is blocked.
type Candidate struct {
	Name    string   `json:"name"`
	Reasons []string `json:"reasons"`
	Line    string   `json:"line"`    // for the allow file; a comment where a person has to decide first
	TwoWay  bool     `json:"two_way"` // mail came from it, and went there
}

// Exception is an entry of an allow list.
type Exception struct {
	Name   string    `json:"name"`
	Where  string    `json:"where"` // file and line
	Owner  string    `json:"owner,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Until  time.Time `json:"until,omitzero"`
	Used   uint64    `json:"used"` // on how many days, where the server keeps that
	Note   string    `json:"note,omitempty"`
}

// Destination is a destination of alerts, as far as the alerts tell.
type Destination struct {
	File       string `json:"file"` // or address
	Records    uint64 `json:"records"`
	Lost       uint64 `json:"lost"`       // records that it says it was not given
	Detections uint64 `json:"detections"` // in them
	Reasons    []Why  `json:"reasons,omitempty"`
}

// Why is a reason for losses.
type Why struct {
	Reason  string `json:"reason"`
	Records uint64 `json:"records"`
}

// Sensor is a server that raised alerts.
type Sensor struct {
	Name    string    `json:"name"`
	Version string    `json:"version,omitempty"`
	Records uint64    `json:"records"`
	Missing uint64    `json:"missing"` // sequence numbers that did not come
	Starts  uint64    `json:"starts"`  // of its sequence, one for each run of the server
	First   time.Time `json:"first,omitzero"`
	Last    time.Time `json:"last,omitzero"`
}

// Read describes the input of the page.
type Read struct {
	Files       []File   `json:"files"`
	Lines       uint64   `json:"lines"`
	Unknown     uint64   `json:"unknown"`      // lines that were not understood
	WithoutTime uint64   `json:"without_time"` // events
	Guessed     uint64   `json:"guessed"`      // events with an assumed year or zone
	Corefile    string   `json:"corefile,omitempty"`
	SHA256      string   `json:"sha256,omitempty"` // of the Corefile, in hex
	TLDs        []string `json:"tlds,omitempty"`
	Protected   int      `json:"protected"` // names that are protected
	Addresses   string   `json:"addresses"` // full, pseudonym or none
	LeftOut     uint64   `json:"left_out"`  // names beyond those that are told of
	Notes       []string `json:"notes,omitempty"`
}

// UnknownShare returns the share of lines that no parser recognised, from 0 to 1.
func (r *Read) UnknownShare() float64 {
	if r.Lines == 0 {
		return 0
	}
	return float64(r.Unknown) / float64(r.Lines)
}

// File is one file that was read.
type File struct {
	Name    string   `json:"name"`
	Format  string   `json:"format,omitempty"`
	Bytes   int64    `json:"bytes"`
	Lines   uint64   `json:"lines"`
	Used    uint64   `json:"used"`
	Passed  uint64   `json:"passed"` // a known kind of line that tells nothing
	Unknown uint64   `json:"unknown"`
	Samples []string `json:"samples,omitempty"` // the first lines that were not understood
	Damage  string   `json:"damage,omitempty"`  // why it was not read to its end
}
