package dnslog

import (
	"bytes"
	"encoding/json"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// suricata reads the DNS records of EVE: version 2, and version 3 of Suricata 8, which
// lists the questions. It leaves out alerts and answers, which repeat them.
type suricata struct {
	*queries
	rec eve
}

func newSuricata(q *queries) event.Parser { return &suricata{queries: q} }

// eve is a record.
type eve struct {
	Timestamp raw `json:"timestamp"`
	Event     raw `json:"event_type"`
	Client    raw `json:"src_ip"`
	Port      raw `json:"dest_port"`
	DNS       struct {
		Type raw `json:"type"`
		question
		Queries []question `json:"queries"`
	} `json:"dns"`
}

type question struct {
	Name  raw `json:"rrname"`
	Qtype raw `json:"rrtype"`
}

// eveTime is the layout of timestamp.
const eveTime = "2006-01-02T15:04:05.999999999Z0700"

// Line reads a record.
func (p *suricata) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	if !bytes.HasPrefix(l.Text, []byte("{")) || !bytes.Contains(l.Text, []byte(`"event_type"`)) {
		return event.Unknown
	}
	if !bytes.Contains(l.Text, []byte(`"dns"`)) {
		return event.Passed // most records of most sensors
	}
	r := &p.rec
	*r = eve{Timestamp: r.Timestamp[:0], Event: r.Event[:0], Client: r.Client[:0], Port: r.Port[:0]}
	if json.Unmarshal(l.Text, r) != nil {
		return event.Unknown
	}
	if string(r.Event) != "dns" || localPorts[string(r.Port)] {
		return event.Passed
	}
	switch string(r.DNS.Type) {
	case "query", "request":
	case "answer", "response":
		return event.Passed
	default:
		return event.Unknown
	}
	questions := r.DNS.Queries
	if len(questions) == 0 {
		questions = []question{r.DNS.question}
	}
	return p.ask(l, questions, emit)
}

// ask takes the questions of a record.
func (p *suricata) ask(l *event.Line, questions []question, emit func(*event.Event)) event.Taken {
	for _, q := range questions {
		if len(q.Name) == 0 {
			q.Name = raw(".")
		}
		a := asked{client: p.rec.Client, name: p.present(q.Name), qtype: q.Qtype}
		var ok bool
		if a.time, ok = jsonTime(p.rec.Timestamp, eveTime); !ok {
			return event.Unknown
		}
		if taken := p.take(l, a, emit); taken != event.Used {
			return taken
		}
	}
	return event.Used
}
