package dnslog

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// corpus is what one version of a server writes, line by line.
type corpus struct {
	format  string
	version string
	program string    // that the wrapper named
	wrapped time.Time // time of the wrapper; zero: it has none
	options event.Options
	rows    []row
	flushed string // events that come at the end
}

// row is a line and what it tells: "time client name type" for an event, several
// after one another with "; " between, and passed or unknown for other lines.
// A time with ~ is guessed.
type row struct{ name, line, want string }

const (
	used    = "used"
	passed  = "passed"
	unknown = "unknown"
)

// shown is an event as a row has it.
func shown(e *event.Event) string {
	at := "-"
	if !e.Time.IsZero() {
		at = e.Time.UTC().Format("2006-01-02T15:04:05.999999999Z")
		if e.Guessed {
			at = "~" + at
		}
	}
	if e.Bare {
		return at + " bare" + e.Client + e.Qtype
	}
	text := fmt.Sprintf("%s %s %s %s", at, e.Client, e.Name, e.Qtype)
	if e.Count != 1 {
		text += fmt.Sprintf(" x%d", e.Count)
	}
	return text
}

// play feeds a corpus to a parser, and calls check with what each line gave.
func (c *corpus) play(p event.Parser, check func(r row, got string)) (flushed string) {
	var events []string
	emit := func(e *event.Event) { events = append(events, shown(e)) }
	for i, r := range c.rows {
		l := c.line(i)
		taken := p.Line(l, emit)
		got := strings.Join(events, "; ")
		switch {
		case taken == event.Unknown:
			got = strings.TrimSuffix(unknown+" "+got, " ")
		case taken == event.Passed:
			got = strings.TrimSuffix(passed+" "+got, " ")
		case got == "":
			got = used
		}
		check(r, got)
		events = nil
	}
	p.Flush(emit)
	return strings.Join(events, "; ")
}

// line returns line i as it comes from its wrapper.
func (c *corpus) line(i int) *event.Line {
	return &event.Line{
		Text: []byte(c.rows[i].line), File: c.format, Number: i + 1, Host: "ns1", Program: c.program,
		Time: c.wrapped, YearKnown: true, ZoneKnown: true, Repeated: 1,
	}
}

// corpora returns those of all formats.
func corpora() []corpus {
	return slices.Concat(bindCorpora, unboundCorpora, corednsCorpora, dnsmasqCorpora, recursorCorpora,
		windowsCorpora, zeekCorpora, suricataCorpora, adguardCorpora)
}

func formatNamed(tb testing.TB, name string) event.Format {
	tb.Helper()
	for _, f := range Formats() {
		if f.Name == name {
			return f
		}
	}
	tb.Fatalf("no format %q", name)
	return event.Format{}
}

func TestCorpora(t *testing.T) {
	for _, c := range corpora() {
		t.Run(c.format+" "+c.version, func(t *testing.T) {
			if c.options.Location == nil {
				c.options.Location = time.UTC
			}
			p := formatNamed(t, c.format).New(c.options)
			flushed := c.play(p, func(r row, got string) {
				if got != r.want {
					t.Errorf("%s\n\t%s\ngives %s\nwant  %s", r.name, r.line, got, r.want)
				}
			})
			if flushed != c.flushed {
				t.Errorf("the end gives %q, want %q", flushed, c.flushed)
			}
			again := c.play(p, func(row, string) {})
			if again != c.flushed {
				t.Errorf("the end of the same lines again gives %q, want %q: the parser was not empty", again, c.flushed)
			}
		})
	}
}

// TestLooks has each corpus recognised as its own, among all formats.
func TestLooks(t *testing.T) {
	for _, c := range corpora() {
		if c.options.CoreDNS != "" {
			continue // known only to who says so
		}
		t.Run(c.format+" "+c.version, func(t *testing.T) {
			var head []*event.Line
			for i := range c.rows {
				head = append(head, c.line(i))
			}
			scores := map[string]int{}
			for _, f := range Formats() {
				scores[f.Name] = f.Looks(head)
			}
			for name, n := range scores {
				if name != c.format && n >= scores[c.format] {
					t.Errorf("%s recognises %d lines, %s only %d of %d", name, n, c.format, scores[c.format], len(head))
				}
			}
		})
	}
}

// TestWanted has queries whose names nobody wants come out bare, and as many of
// them. Nobody looks whether they are valid.
func TestWanted(t *testing.T) {
	for _, c := range corpora() {
		t.Run(c.format+" "+c.version, func(t *testing.T) {
			all, bare, odd := 0, 0, 0
			count := func(n *int, word string) func(row, string) {
				return func(_ row, got string) { *n += strings.Count(strings.ToLower(got), word) }
			}
			late := c.play(formatNamed(t, c.format).New(c.options), func(r row, got string) {
				count(&all, ".ml")(r, got)
				count(&odd, unknown)(r, got)
			})
			c.options.Wanted = func(name []byte) bool { return !bytes.Contains(bytes.ToLower(name), []byte(".ml")) }
			lateBare := c.play(formatNamed(t, c.format).New(c.options), count(&bare, "bare"))
			all, bare = all+strings.Count(strings.ToLower(late), ".ml"), bare+strings.Count(lateBare, "bare")
			if bare == 0 || bare < all || bare > all+odd {
				t.Errorf("%d queries are bare, want %d, and at most %d that are not understood", bare, all, odd)
			}
		})
	}
}
