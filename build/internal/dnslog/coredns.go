package dnslog

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/dnslog/template"
	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// coredns reads the lines of the log directive, by default
//
//	[INFO] 192.0.2.25:60997 - 63605 "MX IN example.ml. udp 48 false 1232" NXDOMAIN qr,rd,ra 136 0.003250290s
//
// It also reads any other format that is given, and the JSON of -log-format=json.
// Text has no time, so the wrapper's counts.
type coredns struct {
	*queries
	format  *template.Template // nil: it does not tell what was asked for
	rec     coreRecord
	started bool // a line of CoreDNS has been seen
}

// CheckCoreDNS says why lines in a format of CoreDNS's log directive cannot be
// read.
func CheckCoreDNS(format string) error {
	_, err := template.Compile(format)
	return err
}

func newCoreDNS(q *queries) event.Parser {
	format, _ := template.Compile(q.CoreDNS) // CheckCoreDNS tells what is wrong with it
	return &coredns{queries: q, format: format}
}

// coreRecord is a record of the log plugin in JSON.
type coreRecord struct {
	Time   raw `json:"time"`
	Level  raw `json:"level"`
	Msg    raw `json:"msg"`
	Plugin raw `json:"plugin"`
	Client raw `json:"client_ip"`
	Name   raw `json:"qname"`
	Type   raw `json:"qtype"`
	Class  raw `json:"qclass"`
}

// Line reads a line of CoreDNS's standard output.
func (p *coredns) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	text := l.Text
	if bytes.HasPrefix(text, []byte("{")) {
		return p.json(l, emit)
	}
	text, info := bytes.CutPrefix(text, []byte("[INFO] "))
	if p.format != nil {
		if q, ok := p.format.Match(text); ok {
			p.started = true
			if len(q.Class) > 0 && string(q.Class) != "IN" {
				return event.Passed
			}
			return p.take(l, asked{client: q.Client, name: q.Name, qtype: q.Type}, emit)
		}
	}
	if p.other(text, info) {
		p.started = true
		return event.Passed
	}
	return event.Unknown
}

// other reports whether text is another line of CoreDNS than a query. A query in an
// unknown format is none: it is an [INFO] line.
func (p *coredns) other(text []byte, info bool) bool {
	starts := []string{"[DEBUG] ", "[WARNING] ", "[ERROR] ", "[FATAL] ", "[PANIC] ", "CoreDNS-", "maxprocs: "}
	if info {
		starts = []string{"plugin/", "Reloading", "SIG"}
	}
	for _, start := range starts {
		if bytes.HasPrefix(text, []byte(start)) {
			return true
		}
	}
	return p.started && (bytes.HasPrefix(text, []byte("linux/")) || bytes.HasPrefix(text, []byte(".")))
}

// json takes a line in JSON. It passes the alerts that go to standard output.
func (p *coredns) json(l *event.Line, emit func(*event.Event)) event.Taken {
	r := &p.rec
	*r = coreRecord{r.Time[:0], r.Level[:0], r.Msg[:0], r.Plugin[:0], r.Client[:0], r.Name[:0], r.Type[:0], r.Class[:0]}
	if json.Unmarshal(l.Text, r) != nil {
		return event.Unknown
	}
	switch {
	case bytes.HasPrefix(l.Text, []byte(`{"@timestamp"`)) && bytes.Contains(l.Text, []byte(`"lookalike"`)):
		return event.Passed
	case len(r.Level) == 0 || len(r.Msg) == 0 || len(r.Time) == 0:
		return event.Unknown
	case string(r.Plugin) != "log", string(r.Class) != "IN":
		return event.Passed
	}
	a := asked{client: r.Client, name: r.Name, qtype: r.Type}
	a.time, _ = jsonTime(r.Time, time.RFC3339Nano)
	return p.take(l, a, emit)
}
