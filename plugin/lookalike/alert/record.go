package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

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
)

var phaseNames = [...]string{"first", "update", "final", "storm", "lost", "test"}

// String returns the phase as it stands in records.
func (p Phase) String() string { return phaseNames[p] }

// MarshalText is String.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (p *Phase) UnmarshalText(text []byte) error {
	i := slices.Index(phaseNames[:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown phase %q", text)
	}
	*p = Phase(i) //nolint:gosec // there are six
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
	Action     string
	Reason     string

	Client     netip.Addr // zero in a roll-up over clients
	ClientPort uint16
	Server     netip.AddrPort
	Transport  string
	Protocol   string

	DNSID       uint16
	Qtype       string
	Rcode       string // empty when nothing was answered
	Answers     []netip.Addr
	Name        string // the first name in this record
	Registrable string // "*" in a roll-up
	Unicode     string
	Protected   []string // best first
	DidYouMean  []string // in the order of Protected

	Count           uint64 // detections in this record
	Total           uint64 // detections of the group so far
	Qtypes          []TypeCount
	Samples         []string // names, at most five
	DistinctNames   uint64   // exact up to five, an estimate beyond
	Clients         []netip.Addr
	DistinctClients uint64 // estimate; roll-ups over clients only

	Context     string
	Via         string
	ServerBlock string
	View        string
	SMTP        []SMTP
	SMTPMore    uint64 `json:",omitempty"` // refused messages whose envelopes are left out
	Lost        *Gap

	Sensor  string
	Version string

	after *groupState // the group, once this record is made; nil: it is no more
	owner string      // of the group, in the spool
}

// TypeCount is the number of queries of one type.
type TypeCount struct {
	Type  string
	Count uint64
}

// Gap is a run of records that a sink was not given.
type Gap struct {
	Epoch      string // of From and To
	From, To   uint64 // sequence numbers, inclusive
	Records    uint64
	Detections uint64 // the sum of the records' counts
	Reason     string
}

// newFirst makes the record of a new group's first detection.
func newFirst(a *announcement) *Record {
	r := &Record{Phase: First, Start: a.det.Time, End: a.det.Time, FirstSeen: a.det.Time}
	r.describe(&a.key, &a.det)
	r.Samples = []string{r.Name}
	r.DistinctNames = 1
	if a.det.SMTP != nil {
		r.SMTP = []SMTP{*a.det.SMTP}
		return r
	}
	r.Count, r.Total = 1, 1
	r.Qtypes = []TypeCount{{Type: r.Qtype, Count: 1}}
	return r
}

// newRecord makes a record of g's window.
func newRecord(g *group, phase Phase) *Record {
	w := &g.window
	r := &Record{Phase: phase, Start: w.start, End: w.end, FirstSeen: g.first}
	if r.Start.IsZero() {
		r.Start, r.End = g.last, g.last
	}
	r.describe(&g.key, &g.det)
	r.Count, r.Total = w.count, g.total
	for _, c := range w.qtypes {
		if c.count > 0 {
			r.Qtypes = append(r.Qtypes, TypeCount{Type: typeName(c.qtype), Count: c.count})
		}
	}
	if w.others > 0 {
		r.Qtypes = append(r.Qtypes, TypeCount{Type: "other", Count: w.others})
	}
	r.Samples = w.samples
	r.DistinctNames = w.distinctNames()
	r.Clients = w.clients
	r.DistinctClients = w.distinctClients()
	r.SMTP, r.SMTPMore = w.envelopes, w.more
	return r
}

// newLost makes the record that tells one sink what it was not given. It has
// no sequence number, since it belongs to no other sink; like lends it the
// sensor.
func newLost(g *Gap, like *Record) *Record {
	return &Record{
		ID: newID(), Epoch: like.Epoch, Phase: Lost, Lost: g, Created: time.Now(),
		Start: like.Start, End: like.End, Sensor: like.Sensor, Version: like.Version,
	}
}

// newID returns a UUIDv7 (RFC 9562): its order is that of time.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

// describe sets what is known from the key and one detection.
func (r *Record) describe(k *key, d *Detection) {
	v := d.Verdict
	r.Group = groupID(k)
	r.Class, r.Confidence, r.Action, r.Reason = k.class, v.Confidence, k.action, display(v.Reason)
	r.Client, r.Registrable = k.client, k.name
	if r.Client.IsValid() {
		r.ClientPort = d.Client.Port()
	}
	r.Server, r.Transport, r.Protocol = d.Server, d.Transport, d.Protocol
	if d.SMTP == nil {
		r.DNSID, r.Qtype = d.ID, typeName(d.Qtype)
		r.Rcode = rcodeName(d)
		r.Answers = d.Answers
	}
	r.Name, r.Unicode = v.Name, display(v.Unicode)
	r.Protected = make([]string, len(v.Matches))
	r.DidYouMean = make([]string, len(v.Matches))
	for i, m := range v.Matches {
		r.Protected[i], r.DidYouMean[i] = m.Protected, m.DidYouMean
	}
	r.Context, r.Via = d.Context, d.Via
	r.ServerBlock, r.View = d.ServerBlock, d.View
}

// groupID names a group in the same way on every sensor, so that a SIEM can
// join what several resolvers saw.
func groupID(k *key) string {
	client := anyName
	if k.client.IsValid() {
		client = k.client.String()
	}
	sum := sha256.Sum256([]byte(k.class.String() + "\x00" + client + "\x00" + k.name + "\x00" + k.action))
	return hex.EncodeToString(sum[:8])
}

func typeName(qtype uint16) string {
	if s, ok := dns.TypeToString[qtype]; ok {
		return s
	}
	return "TYPE" + strconv.Itoa(int(qtype)) // RFC 3597 section 5
}

func rcodeName(d *Detection) string {
	if d.Action == "monitor" || d.Action == "drop" {
		return ""
	}
	if s, ok := dns.RcodeToString[d.Rcode]; ok {
		return s
	}
	return "RCODE" + strconv.Itoa(d.Rcode)
}

// display makes text safe to look at: what could reorder or hide a part of it
// on a screen (control and format characters, line separators) is left out,
// and what is not UTF-8 is replaced.
func display(s string) string {
	return strings.Map(func(c rune) rune {
		if unsafeRune(c) {
			return -1
		}
		return c
	}, s)
}

// Blocked reports whether the queries were kept from going on.
func (r *Record) Blocked() bool { return r.Action != "monitor" && r.Phase != Lost }

// Level is the severity of a record.
type Level uint8

// The levels of a record.
const (
	LevelInfo Level = iota
	LevelLow
	LevelMedium
	LevelHigh
)

// Level follows the confidence.
func (r *Record) Level() Level {
	switch r.Phase {
	case Test:
		return LevelInfo
	case Lost:
		return LevelHigh
	}
	return Level(r.Confidence)
}

// Message tells the record in one sentence.
func (r *Record) Message() string {
	switch r.Phase {
	case Lost:
		g := r.Lost
		with := ""
		if g.Detections > 0 { // else not known, if nobody could read the records
			with = fmt.Sprintf(" with %d detections", g.Detections)
		}
		return fmt.Sprintf("%d alerts%s were lost to this receiver (%s): sequence %d to %d", g.Records, with, g.Reason, g.From, g.To)
	case Test:
		return "Test of the way from the resolver to you: no mail server asked for anything"
	}
	var s string
	switch {
	case r.Count == 0 && len(r.SMTP) > 0:
		return r.mailMessage()
	case r.Phase == Storm:
		s = r.stormMessage()
	default:
		s = r.queryMessage()
	}
	if len(r.SMTP) > 0 {
		s += "; " + r.refused()
	}
	return s
}

// mailMessage is about refused messages, and no queries.
func (r *Record) mailMessage() string {
	resembles := "the names resemble protected ones (" + r.Class.String() + ")"
	if r.Phase != Storm {
		resembles = fmt.Sprintf("%s resembles %s (%s, %s confidence)", r.Registrable, r.resembled(), r.Class, r.Confidence)
	}
	s := r.who() + ": " + r.refused() + "; " + resembles
	if r.Phase == Final {
		s += "; no more is expected"
		if r.Total > 0 {
			s += ", " + queries(r.Total) + " in all since " + clockTime(r.FirstSeen)
		}
	}
	return s
}

// refused names the first of the refused messages. What an SMTP client said is
// as little to be trusted as what stands in names.
func (r *Record) refused() string {
	from := display(r.SMTP[0].From)
	if from == "" {
		from = "<>" // RFC 5321 section 4.5.5
	}
	s := fmt.Sprintf("mail from %s to %s was refused", from, display(r.SMTP[0].To))
	if more := uint64(len(r.SMTP)) - 1 + r.SMTPMore; more > 0 {
		s += fmt.Sprintf(" (and %d more)", more)
	}
	return s
}

func (r *Record) queryMessage() string {
	var b strings.Builder
	did, outcome := "asked for", "; "+r.outcome()
	if r.Total == 0 { // only messages have been seen
		did, outcome = "had mail refused to", ""
	}
	fmt.Fprintf(&b, "%s %s %s", r.Client, did, r.Name)
	if r.Unicode != "" {
		fmt.Fprintf(&b, " (%s)", r.Unicode)
	}
	if r.Via != "" {
		fmt.Fprintf(&b, " by way of %s", r.Via)
	}
	fmt.Fprintf(&b, ", which resembles %s (%s, %s confidence)%s", r.resembled(), r.Class, r.Confidence, outcome)
	switch {
	case r.Total == 0:
		b.WriteString("; no more is expected")
	case r.Phase == Update:
		fmt.Fprintf(&b, "; %s since %s, %d in all", queries(r.Count), clockTime(r.Start), r.Total)
	case r.Phase == Final:
		fmt.Fprintf(&b, "; no more is expected, %s in all since %s", queries(r.Total), clockTime(r.FirstSeen))
	}
	return b.String()
}

func (r *Record) stormMessage() string {
	return fmt.Sprintf("%s asked for about %d names that resemble protected ones (%s), among them %s; %s; %s since %s",
		r.who(), r.DistinctNames, r.Class, r.Name, r.outcome(), queries(r.Count), clockTime(r.Start))
}

// who names the client, or says how many there are.
func (r *Record) who() string {
	switch {
	case r.Client.IsValid():
		return r.Client.String()
	case r.DistinctClients > 0:
		return fmt.Sprintf("about %d clients", r.DistinctClients)
	}
	return "many clients"
}

// resembled names the protected names, the first few of them.
func (r *Record) resembled() string {
	const few = 3
	if n := len(r.Protected) - few; n > 0 {
		return strings.Join(r.Protected[:few], ", ") + " and " + strconv.Itoa(n) + " more"
	}
	return strings.Join(r.Protected, ", ")
}

// outcome says what was done about the query.
func (r *Record) outcome() string {
	switch r.Action {
	case "monitor":
		return "not blocked, only reported"
	case "drop":
		return "not answered"
	case "sinkhole":
		return "answered with the sinkhole"
	case "nodata", "nullmx":
		return "answered " + r.Action
	}
	if r.Rcode == "" {
		return "blocked"
	}
	return "answered " + r.Rcode
}

func queries(n uint64) string {
	if n == 1 {
		return "1 query"
	}
	return strconv.FormatUint(n, 10) + " queries"
}

func clockTime(t time.Time) string { return t.UTC().Format("15:04:05Z") }
