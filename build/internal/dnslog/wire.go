package dnslog

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/build/internal/dnslog/presentation"
	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// tapped makes events from DNS messages in wire format. If there are no queries, it
// counts responses.
type tapped struct {
	*queries
	once once
	line event.Line
	name []byte
	from []byte // the client's address as text
}

// headerSize is the length of a DNS message's header (RFC 1035 section 4.1.1).
const headerSize = 12

// message takes a message from or to a client. It reports false for bytes that are
// not a DNS query, or a response, with one question.
func (t *tapped) message(m []byte, client netip.Addr, at time.Time, logger string, emit func(*event.Event)) bool {
	if len(m) < headerSize || m[2]>>3&15 != dns.OpcodeQuery || binary.BigEndian.Uint16(m[4:]) != 1 {
		return false
	}
	end, ok := t.wireName(m)
	if !ok || len(m) < end+4 {
		return false
	}
	if binary.BigEndian.Uint16(m[end+2:]) != dns.ClassINET || !client.IsValid() {
		return true
	}
	response := m[2]&0x80 != 0
	if !response {
		t.once.query(logger)
	} else if !t.once.pending(logger) {
		return true
	}
	if year := at.Year(); year < 1970 || year > 9999 {
		at = time.Time{} // damaged
	}
	t.from = client.AppendTo(t.from[:0])
	t.line = event.Line{Host: logger}
	qtype := dns.Type(binary.BigEndian.Uint16(m[end:])).String()
	if !t.fill(&t.line, asked{client: t.from, name: t.name, qtype: []byte(qtype), time: at}) {
		return false
	}
	if response {
		t.once.reply(logger, &t.e, emit)
	} else {
		emit(&t.e)
	}
	return true
}

// wireName reads the name of the question into t.name, in presentation format, and
// returns its end. That name is the first in a message, so it is not compressed.
func (t *tapped) wireName(m []byte) (end int, ok bool) {
	t.name = t.name[:0]
	for at := headerSize; at < len(m); {
		n := int(m[at])
		at++
		if n == 0 {
			if len(t.name) == 0 {
				t.name = append(t.name, '.')
			}
			return at, at-headerSize <= presentation.MaxName
		}
		if n > presentation.MaxLabel || at+n > len(m) {
			return 0, false
		}
		t.name = presentation.AppendLabel(t.name, m[at:at+n])
		at += n
	}
	return 0, false
}
