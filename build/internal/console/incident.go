package console

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// incident is a group of detections, as the records of all resolvers tell of it.
type incident struct {
	id     string // unlike that of the group, never used again
	group  string
	change uint64 // number of its last change, in the order of all changes

	First, Last time.Time
	Class       detect.Class
	Confidence  detect.Confidence
	Action      record.Action
	Client      netip.Addr // zero in a roll-up over clients
	Clients     uint64     // estimate; roll-ups only
	Name        string     // first queried
	Registrable string
	Unicode     string
	Protected   []string
	Meant       []string
	Reason      string
	Queries     uint64
	Sensors     []string
	Contexts    []string
	Storm       bool
	Mail        []record.SMTP // envelopes that were refused, the latest

	Entries []entry // the latest
	Dropped int     // older ones
	words   string  // what a search looks through, in lower case
}

// entry is a record of an incident.
type entry struct {
	ID     string
	Time   time.Time
	Phase  record.Phase
	Sensor string
	Count  uint64
	Total  uint64
	Rcode  string
	Qtypes []string
	Names  []string
	Vias   []string
}

// What an incident keeps.
const (
	mostEntries = 100
	mostMail    = 20
	// idle is how long a group may have no detection; then it has ended, and the
	// next detection with its key begins another incident.
	idle = 10 * time.Minute
)

func newIncident(r *alertlog.Record) *incident {
	return &incident{
		id: identity(r), group: r.Group,
		First: r.Start, Class: r.Class, Name: r.Name, Registrable: r.Registrable, Client: r.Client,
		Protected: r.Protected, Meant: r.DidYouMean, Unicode: r.Unicode, Reason: r.Reason,
		Storm: r.Phase == record.Storm,
	}
}

// identity makes a word for addresses of what an alert may have any text in.
func identity(r *alertlog.Record) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", r.Group, r.Start.UnixMilli()))
	return hex.EncodeToString(sum[:8])
}

// goesOn reports whether the record tells more of the incident.
func (i *incident) goesOn(r *alertlog.Record) bool { return !r.Start.After(i.Last.Add(idle)) }

// add takes a record, and reports whether it tells anything new: a record may
// come twice.
func (i *incident) add(r *alertlog.Record) bool {
	if slices.ContainsFunc(i.Entries, func(e entry) bool { return e.ID == r.ID && r.ID != "" }) {
		return false
	}
	i.Entries = append(i.Entries, entry{
		ID: r.ID, Time: r.End, Phase: r.Phase, Sensor: r.Sensor, Count: r.Count, Total: r.Total, Rcode: r.Rcode,
		Qtypes: r.Qtypes, Names: r.Samples, Vias: r.Vias,
	})
	if n := len(i.Entries) - mostEntries; n > 0 {
		i.Entries = slices.Delete(i.Entries, 0, n)
		i.Dropped += n
	}
	if r.Start.Before(i.First) {
		i.First = r.Start
	}
	if r.End.After(i.Last) {
		i.Last = r.End
	}
	i.Confidence, i.Action = max(i.Confidence, r.Confidence), r.Action
	i.Queries += r.Count
	i.Clients = max(i.Clients, r.DistinctClients)
	i.Sensors = with(i.Sensors, r.Sensor)
	for _, c := range r.Contexts {
		i.Contexts = with(i.Contexts, c)
	}
	i.Mail = append(i.Mail, r.SMTP...)
	i.Mail = i.Mail[max(0, len(i.Mail)-mostMail):]
	i.words = i.search()
	return true
}

// with is a list with a value, once.
func with(list []string, value string) []string {
	if value == "" || slices.Contains(list, value) {
		return list
	}
	return append(list, value)
}

// search returns the words in which a search is made.
func (i *incident) search() string {
	words := []string{i.Name, i.Registrable, i.Unicode, i.Reason, i.Class.String(), i.Action.String(), i.Confidence.String()}
	if i.Client.IsValid() {
		words = append(words, i.Client.String())
	}
	words = slices.Concat(words, i.Protected, i.Meant, i.Sensors, i.Contexts)
	for _, m := range i.Mail {
		words = append(words, m.From, m.To)
	}
	return strings.ToLower(strings.Join(words, "\n"))
}
