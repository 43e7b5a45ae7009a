package dnslog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// BenchmarkLine measures a line of each corpus: of names that nobody wants, as
// most are, and of names that are all wanted.
func BenchmarkLine(b *testing.B) {
	for _, wanted := range []bool{false, true} {
		for _, c := range corpora() {
			b.Run(fmt.Sprintf("wanted=%t/%s %s", wanted, c.format, c.version), func(b *testing.B) {
				c.options.Wanted = func([]byte) bool { return wanted }
				p := formatNamed(b, c.format).New(c.options)
				lines := make([]*event.Line, len(c.rows))
				for i := range c.rows {
					lines[i] = c.line(i)
				}
				b.ReportAllocs()
				for n := 0; b.Loop(); n++ {
					p.Line(lines[n%len(lines)], func(*event.Event) {})
				}
			})
		}
	}
}

// TestLineDoesNotAllocate has the parsers of text cost nothing for names that
// nobody wants, and of those that are, for a name that has been seen.
func TestLineDoesNotAllocate(t *testing.T) {
	for _, row := range []struct{ format, line string }{
		{"bind", `25-Nov-2026 21:51:05.364 queries: info: client @0x7fbeaaa6a098 192.0.2.25#33785 (example.ml): view a: query: example.ml IN MX +E(0)K (192.0.2.53)`},
		{"unbound", `[1795643424] unbound[26678:0] query: 192.0.2.25 example.ml. MX IN`},
		{"coredns", `[INFO] 192.0.2.25:60997 - 63605 "MX IN example.ml. udp 48 false 1232" NXDOMAIN qr,rd,ra 136 0.003250290s`},
		{"dnsmasq", `query[MX] example.ml from 192.0.2.25`},
		{"recursor", `msg="Question" subsystem="syncres" ts="1795643477.158" qname="example.ml" qtype="MX" remote="192.0.2.25:34918"`},
		{"windows", `11/25/2026 9:54:52 PM 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] MX     (7)example(2)ml(0)`},
	} {
		for _, wanted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, wanted=%t", row.format, wanted), func(t *testing.T) {
				o := event.Options{Wanted: func([]byte) bool { return wanted }, Location: time.UTC}
				p := formatNamed(t, row.format).New(o)
				l := &event.Line{Text: []byte(row.line), Host: "ns1", Repeated: 1}
				emit := func(*event.Event) {}
				if n := testing.AllocsPerRun(100, func() { p.Line(l, emit) }); n != 0 {
					t.Errorf("%v allocations for each line, want none", n)
				}
			})
		}
	}
}

// TestMemory has a log in which no name recurs: what is kept of them is bounded.
func TestMemory(t *testing.T) {
	q := newQueries("bind", event.Options{})
	p := newBIND(q)
	pad := strings.Repeat("a", 60)
	const lines = 60000 // 5 times what is kept
	for i := range lines {
		l := &event.Line{Text: fmt.Appendf(nil, `client @0x7f 192.0.2.25#33785 (x): query: %d.%s.%s.%s.ml IN MX + (192.0.2.53)`, i, pad, pad, pad)}
		if taken := p.Line(l, func(*event.Event) {}); taken != event.Used {
			t.Fatalf("%s: taken as %d", l.Text, taken)
		}
	}
	if q.names.size > maxInterned || len(q.names.m) > lines/2 {
		t.Errorf("%d names of %d bytes are kept, want at most %d bytes", len(q.names.m), q.names.size, maxInterned)
	}
}
