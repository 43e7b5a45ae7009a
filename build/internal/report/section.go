package report

import (
	"fmt"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// section is what the page says about one name.
type section struct {
	*Name
	ID, Lead       string
	Drawing        *Drawing
	Reason         string
	Facts          []fact
	Senders, Hosts shareTable
	MessageColumns []string
	Messages       []messageRow
}

type messageRow struct {
	Time  string
	Cells []fact
}

// mostMessages is how many of a name's messages the page shows.
const mostMessages = 10

func (v *view) section(n *Name, id string) section {
	s := section{Name: n, ID: id, Reason: text.Visible(sentence(n.Reason))}
	s.Lead = fmt.Sprintf("resembles %s · %s · %s confidence", text.Visible(names(n.Protected)), n.Class, n.Confidence)
	if len(n.Protected) > 0 {
		s.Drawing = Draw(n.Protected[0], n.Name, n.Slips)
	}
	s.Facts = v.facts(n)
	s.Senders = v.shares("Senders", "Sender", n.TopSenders)
	s.Hosts = v.shares(bases[v.Basis].host+"s", bases[v.Basis].host, n.TopHosts)
	v.messages(&s, n)
	return s
}

// sentence makes a reason begin and end as a sentence does.
func sentence(reason string) string {
	if reason == "" {
		return ""
	}
	return strings.ToUpper(reason[:1]) + reason[1:] + "."
}

// names joins the first few of a list.
func names(all []string) string {
	const few = 3
	if more := len(all) - few; more > 0 {
		return strings.Join(all[:few], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return text.Join(all, "and")
}

// facts lists what is known of a name.
func (v *view) facts(n *Name) []fact {
	var all []fact
	add := func(label, value string) { all = append(all, fact{label, value}) }
	number := func(label string, value uint64) {
		if value > 0 {
			add(label, Number(value))
		}
	}
	if v.Basis == Mail {
		add("Delivered", Number(n.Delivered))
		number("Bounced", n.Bounced)
		number("Refused at submission", n.Rejected)
		number("Still waiting", n.Deferred)
		number("Received from it", n.Received)
		number("Queries", n.Queries)
		number("Senders", n.Senders)
	} else {
		add("Queries", Number(n.Queries))
		number("Blocked", n.Stopped)
		number("Incidents", n.Incidents)
		if n.Mail != nil {
			add("Messages, estimated", n.Mail.String())
		}
		if n.Before != nil {
			add("Queries the month before", Number(*n.Before))
		}
	}
	number("Hosts", n.Hosts)
	add("Seen", fmt.Sprintf("%s to %s, on %s", date(n.First, v.Period.In), date(n.Last, v.Period.In), Some(uint64(max(0, n.Days)), "day")))
	if len(n.Typed) > 1 || len(n.Typed) == 1 && n.Typed[0] != n.Name {
		add("Typed as", text.Join(n.Typed, "and"))
	}
	if len(n.DidYouMean) > 0 {
		add("Probably meant", names(n.DidYouMean))
	}
	add("Policy", n.policy())
	if n.Directive != "" {
		add("Decided by", n.Directive)
	}
	return all
}

// policy says what is done about the name.
func (n *Name) policy() string {
	switch {
	case n.Idle != "":
		return "nothing: " + n.Idle
	case n.AllowedAt != "":
		return "allowed at " + n.AllowedAt
	}
	if a, ok := record.ParseAction(n.Action); ok {
		return fmt.Sprintf("%s (%s)", n.Action, a.Effect())
	}
	return n.Action
}

// columns are the columns of the messages of each basis.
var columns = map[Basis][]struct {
	label string
	value func(*Message) string
}{
	Mail: {
		{"Sender", func(m *Message) string { return m.Sender }},
		{"Recipient", func(m *Message) string {
			if m.Original != "" {
				return m.Original + " → " + m.Recipient
			}
			return m.Recipient
		}},
		{"Outcome", func(m *Message) string { return m.Outcome }},
		{"Log line", func(m *Message) string { return place(m.File, m.Line) }},
	},
	Queries: {
		{"Host", func(m *Message) string { return m.Host }},
		{"Asked for", func(m *Message) string { return strings.TrimSpace(m.Name + " " + m.Type) }},
		{"Times", func(m *Message) string { return Number(m.Count) }},
		{"Log line", func(m *Message) string { return place(m.File, m.Line) }},
	},
	Alerts: {
		{"Mail server", func(m *Message) string { return m.Host }},
		{"Asked for", func(m *Message) string { return strings.TrimSpace(m.Name + " " + m.Type) }},
		{"Queries", func(m *Message) string { return Number(m.Count) }},
		{"Outcome", func(m *Message) string { return m.Outcome }},
	},
}

// place says where a line stands.
func place(file string, line int) string {
	if line == 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// messages shows the latest.
func (v *view) messages(s *section, n *Name) {
	for _, c := range columns[v.Basis] {
		s.MessageColumns = append(s.MessageColumns, c.label)
	}
	latest := n.Messages[max(0, len(n.Messages)-mostMessages):]
	for i := range latest {
		m := &latest[len(latest)-1-i]
		row := messageRow{Time: stamp(m.Time, v.Period.In)}
		for _, c := range columns[v.Basis] {
			row.Cells = append(row.Cells, fact{c.label, c.value(m)})
		}
		s.Messages = append(s.Messages, row)
	}
}
