package dnslog

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// zeek reads Zeek's dns.log, as columns or as JSON: one line a transaction. A #fields
// line names the columns. Concatenated files repeat it, and the last one counts.
type zeek struct {
	*queries
	file      string
	separator byte
	columns   []*raw // of rec; nil for those that are of no use
	other     bool   // #path is another log
	rec       zeekRecord
	decoded   []byte
}

func newZeek(q *queries) event.Parser { return &zeek{queries: q} }

// zeekRecord is a line of dns.log. Columns and JSON have the same names.
type zeekRecord struct {
	Time   raw `json:"ts"`
	Client raw `json:"id.orig_h"`
	Port   raw `json:"id.resp_p"`
	Name   raw `json:"query"`
	Type   raw `json:"qtype_name"`
	Number raw `json:"qtype"`
	Class  raw `json:"qclass"`
}

func (r *zeekRecord) column(name []byte) *raw {
	switch string(name) {
	case "ts":
		return &r.Time
	case "id.orig_h":
		return &r.Client
	case "id.resp_p":
		return &r.Port
	case "query":
		return &r.Name
	case "qtype_name":
		return &r.Type
	case "qtype":
		return &r.Number
	case "qclass":
		return &r.Class
	}
	return nil
}

// localPorts are the ports of mDNS, LLMNR and NetBIOS, which resolve local names.
var localPorts = map[string]bool{"5353": true, "5355": true, "137": true}

// Line reads a line of dns.log.
func (p *zeek) Line(l *event.Line, emit func(*event.Event)) event.Taken {
	if l.File != p.file {
		p.file, p.columns, p.other, p.separator = l.File, nil, false, '\t'
	}
	r := &p.rec
	*r = zeekRecord{r.Time[:0], r.Client[:0], r.Port[:0], r.Name[:0], r.Type[:0], r.Number[:0], r.Class[:0]}
	switch {
	case bytes.HasPrefix(l.Text, []byte("#")):
		return p.header(l.Text)
	case bytes.HasPrefix(l.Text, []byte("{")):
		if json.Unmarshal(l.Text, r) != nil || len(r.Client) == 0 || len(r.Time) == 0 {
			return event.Unknown
		}
		if len(r.Name) == 0 && !bytes.Contains(l.Text, []byte(`"query":`)) {
			return event.Passed // another log, or a packet without a question
		}
	case p.other:
		return event.Passed
	case p.columns == nil || !p.split(l.Text):
		return event.Unknown
	}
	return p.record(l, emit)
}

// header takes a line that begins with #.
func (p *zeek) header(b []byte) event.Taken {
	if s, ok := bytes.CutPrefix(b, []byte("#separator ")); ok {
		if decoded := zeekUnescape(nil, s); len(decoded) == 1 {
			p.separator = decoded[0]
			return event.Passed
		}
		return event.Unknown
	}
	key, rest, _ := bytes.Cut(b, []byte{p.separator})
	switch string(key) {
	case "#path":
		p.other = string(rest) != "dns"
	case "#fields":
		p.columns = p.columns[:0]
		for more := true; more; {
			var name []byte
			name, rest, more = bytes.Cut(rest, []byte{p.separator})
			p.columns = append(p.columns, p.rec.column(name))
		}
	case "#set_separator", "#empty_field", "#unset_field", "#open", "#types", "#close":
	default:
		return event.Unknown
	}
	return event.Passed
}

// split fills the record from columns. It reports false for a line with fewer of
// them, which a crash has cut.
func (p *zeek) split(b []byte) bool {
	n := 0
	for more := true; more; n++ {
		var value []byte
		value, b, more = bytes.Cut(b, []byte{p.separator})
		if n < len(p.columns) && p.columns[n] != nil && string(value) != "-" {
			*p.columns[n] = append(*p.columns[n], value...)
		}
	}
	return n == len(p.columns)
}

// record takes the line that is in p.rec.
func (p *zeek) record(l *event.Line, emit func(*event.Event)) event.Taken {
	r := &p.rec
	if len(r.Name) == 0 || localPorts[string(r.Port)] || len(r.Class) > 0 && string(r.Class) != "1" {
		return event.Passed
	}
	if string(r.Name) == "(empty)" {
		r.Name = append(r.Name[:0], '.')
	}
	if bytes.IndexByte(r.Name, '\\') >= 0 {
		p.decoded = zeekUnescape(p.decoded[:0], r.Name)
		r.Name = append(r.Name[:0], p.decoded...)
	}
	a := asked{client: r.Client, name: p.present(r.Name), qtype: r.Type}
	if len(a.qtype) == 0 {
		a.qtype = r.Number
	}
	var ok bool
	if a.time, ok = epoch(r.Time); !ok {
		if a.time, ok = jsonTime(r.Time, time.RFC3339Nano); !ok {
			return event.Unknown
		}
	}
	return p.take(l, a, emit)
}

// zeekUnescape appends b without escapes: \x09 is an octet, and \\ a backslash.
func zeekUnescape(to, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) {
			if b[i+1] == 'x' && i+3 < len(b) {
				if v, err := strconv.ParseUint(string(b[i+2:i+4]), 16, 8); err == nil {
					to = append(to, byte(v))
					i += 3
					continue
				}
			}
			if b[i+1] == '\\' {
				i++
			}
		}
		to = append(to, b[i])
	}
	return to
}
