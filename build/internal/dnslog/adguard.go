package dnslog

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// adguard reads querylog.json of AdGuard Home, one object a line. Addresses may be
// anonymised there.
type adguard struct {
	*queries
	rec adguardRecord
}

func newAdGuard(q *queries) event.Parser { return &adguard{queries: q} }

type adguardRecord struct {
	Time   raw `json:"T"`
	Name   raw `json:"QH"`
	Type   raw `json:"QT"`
	Class  raw `json:"QC"`
	Client raw `json:"IP"`
}

// Line reads a query.
func (p *adguard) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	if !bytes.HasPrefix(l.Text, []byte("{")) {
		return event.Unknown
	}
	r := &p.rec
	*r = adguardRecord{r.Time[:0], r.Name[:0], r.Type[:0], r.Class[:0], r.Client[:0]}
	if json.Unmarshal(l.Text, r) != nil || len(r.Time) == 0 || len(r.Type) == 0 || len(r.Client) == 0 {
		return event.Unknown
	}
	if string(r.Class) != "IN" {
		return event.Passed
	}
	if len(r.Name) == 0 {
		r.Name = append(r.Name, '.')
	}
	a := asked{client: r.Client, name: r.Name, qtype: r.Type}
	var ok bool
	if a.time, ok = jsonTime(r.Time, time.RFC3339Nano); !ok {
		return event.Unknown
	}
	return p.take(l, a, emit)
}
