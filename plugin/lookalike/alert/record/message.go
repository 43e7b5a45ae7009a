package record

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// Message tells the record in one sentence.
func (r *Record) Message() string {
	switch r.Phase {
	case Lost:
		g := r.Lost
		with := ""
		if g.Detections > 0 { // else not known, if nobody could read the records
			with = fmt.Sprintf(" with %d detections", g.Detections)
		}
		run := ""
		if g.To > 0 { // else they had none
			run = fmt.Sprintf(": sequence %d to %d", g.From, g.To)
		}
		return fmt.Sprintf("%d alerts%s were lost to this receiver (%s)%s", g.Records, with, g.Reason, run)
	case Test:
		return "Test of the way from the resolver to you: no mail server asked for anything"
	}
	var s string
	switch {
	case r.Count == 0 && len(r.SMTP) > 0:
		return r.mailMessage() + r.ended()
	case r.Phase == Storm:
		s = r.stormMessage()
	default:
		s = r.queryMessage()
	}
	if len(r.SMTP) > 0 {
		s += "; " + r.refused()
	}
	return s + r.ended()
}

// ended names the exception that has ended, and whom to ask about it.
func (r *Record) ended() string {
	e := r.Exception
	if e == nil {
		return ""
	}
	s := fmt.Sprintf("; the exception for %s has ended (until %s)", e.Name, e.Until)
	if e.Owner != "" {
		s += ", its owner is " + e.Owner
	}
	return s
}

// mailMessage is about refused messages, and no queries.
func (r *Record) mailMessage() string {
	resembles := "the names resemble protected ones (" + r.Class.String() + ")"
	if r.Phase != Storm {
		resembles = fmt.Sprintf("%s resembles %s (%s, %s confidence)", r.Name, r.resembled(), r.Class, r.Confidence)
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

// refused names the first of the refused messages. Text from an SMTP client is
// no more trustworthy than a name.
func (r *Record) refused() string {
	from := text.Strip(r.SMTP[0].From)
	if from == "" {
		from = "<>" // RFC 5321 section 4.5.5
	}
	s := fmt.Sprintf("mail from %s to %s was refused", from, text.Strip(r.SMTP[0].To))
	if more := uint64(len(r.SMTP)) - 1 + r.SMTPMore; more > 0 {
		s += fmt.Sprintf(" (and %d more)", more)
	}
	return s
}

func (r *Record) queryMessage() string {
	var b strings.Builder
	did, outcome := "asked for", "; "+r.Action.Outcome(r.Rcode)
	if r.Total == 0 { // only messages have been seen
		did, outcome = "had mail refused to", ""
	}
	fmt.Fprintf(&b, "%s %s %s", r.Client, did, r.Name)
	if r.Unicode != "" {
		fmt.Fprintf(&b, " (%s)", r.Unicode)
	}
	if len(r.Vias) > 0 {
		fmt.Fprintf(&b, " by way of %s", text.Join(r.Vias, "and"))
		if r.ViasMore > 0 {
			b.WriteString(" and others")
		}
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
		r.who(), r.DistinctNames, r.Class, r.Name, r.Action.Outcome(r.Rcode), queries(r.Count), clockTime(r.Start))
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

func queries(n uint64) string {
	if n == 1 {
		return "1 query"
	}
	return strconv.FormatUint(n, 10) + " queries"
}

func clockTime(t time.Time) string { return t.UTC().Format("15:04:05Z") }
