package dnslog

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/test/querylog"
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

// TestInterned has texts that recur kept once, and those that do not bounded.
func TestInterned(t *testing.T) {
	var kept interned
	for i := range 3 * slots {
		b := fmt.Append(nil, i)
		if got, known := kept.get(b); known {
			t.Fatalf("%s is known as %q before it was put", b, got)
		}
		kept.put(b, strings.Repeat("x", i%3+1))
		if got, known := kept.get(b); !known || len(got) != i%3+1 {
			t.Fatalf("%s is known as %q, %t", b, got, known)
		}
	}
	if len(kept.known) != slots {
		t.Errorf("%d texts are kept, want %d", len(kept.known), slots)
	}
}

// TestBIND has every query of a generated log found, and with a TLD that is
// watched those below it.
func TestBIND(t *testing.T) {
	var log bytes.Buffer
	counts, err := querylog.BIND(&log, 1<<20, 7, asOf)
	if err != nil || counts.Lookalikes == 0 {
		t.Fatalf("%+v, %v", counts, err)
	}
	for _, row := range []struct {
		name   string
		wanted func([]byte) bool
		want   int
	}{
		{"all", nil, counts.Queries},
		{"below ml", func(name []byte) bool { return bytes.HasSuffix(name, []byte(".ml")) }, counts.Lookalikes},
	} {
		t.Run(row.name, func(t *testing.T) {
			p, n, bare := formatNamed(t, "bind").New(event.Options{Wanted: row.wanted}), 0, 0
			emit := func(e *event.Event) {
				if e.Bare {
					bare++
				} else {
					n++
				}
			}
			for i, text := range bytes.Split(bytes.TrimSuffix(log.Bytes(), []byte("\n")), []byte("\n")) {
				if taken := p.Line(&event.Line{Text: text, Number: i + 1}, emit); taken != event.Used {
					t.Fatalf("%s: taken as %d", text, taken)
				}
			}
			if n != row.want || bare != counts.Queries-n {
				t.Errorf("%d queries and %d bare ones, want %d of %d", n, bare, row.want, counts.Queries)
			}
		})
	}
}
