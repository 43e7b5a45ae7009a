package zone

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// About is what the comment at the beginning of a zone file says besides what is
// in the zone.
type About struct {
	Writer  string // the program and its version
	Time    time.Time
	Options Options
}

// notInZone is what a zone cannot do, in the words of the Corefile.
var notInZone = []string{
	"embedding and double-typo: their names are too many to list",
	"names with several slips, or with letters of other scripts in several places (unless in all)",
	"verify and inspect, which ask the DNS",
	"clients: the zone is for everybody who asks its resolver",
	"exceptions for single clients or classes: only what passes for everybody is in it",
	"alerts and their counts: the resolver's own log is all there is",
	"a sinkhole's check whether somebody answers there, and its MX records",
	"EDE texts that name the protected name",
}

// Write writes the zone as a file (RFC 1035 section 5), with a comment that says
// what is in it and what is not.
func (z *Zone) Write(w io.Writer, origin string, serial uint32, about About) error {
	out := bufio.NewWriterSize(w, 64<<10)
	for _, line := range z.comment(origin, about) {
		fmt.Fprintf(out, "; %s\n", line)
	}
	fmt.Fprintf(out, "$ORIGIN %s\n$TTL %d\n", origin, TTL)
	for _, rr := range Apex(origin, serial) {
		fmt.Fprintf(out, "@\tIN\t%s\t%s\n", dns.TypeToString[rr.Header().Rrtype], data(rr))
	}
	for _, e := range z.entries {
		if fits(e, origin) {
			z.writeEntry(out, e)
		}
	}
	return out.Flush()
}

// writeEntry writes the records of a name. An error stays with out.
func (z *Zone) writeEntry(out *bufio.Writer, e entry) {
	name, note := z.name(e), e.class.String()
	if e.policy == passes {
		note = "exception"
	}
	for _, owner := range []string{name, wildcard + name} {
		if e.wild && owner == name {
			continue
		}
		for _, rr := range z.policy(e).data {
			fmt.Fprintf(out, "%s\t%s\t%s\t; %s\n", owner, dns.TypeToString[rr.Header().Rrtype], data(rr), note)
		}
	}
}

// data returns a record without what stands before its data.
func data(rr dns.RR) string { return strings.TrimPrefix(rr.String(), rr.Header().String()) }

// comment returns the lines of the comment.
func (z *Zone) comment(origin string, about About) []string {
	classes := z.Classes()
	lines := make([]string, 0, len(classes)+16)
	lines = append(lines,
		fmt.Sprintf("Response policy zone %s, written by %s on %s", origin, about.Writer, about.Time.UTC().Format(time.RFC3339)),
		"In it, each with all names below it: "+z.String(),
	)
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		lines = append(lines, fmt.Sprintf("  %-15s %6d  %s", class, classes[class], class.Meaning()))
	}
	lines = append(lines, "Not in it:")
	for _, not := range slices.Concat(z.leftOut(origin, about.Options), notInZone) {
		lines = append(lines, "  "+not)
	}
	return lines
}

// leftOut says what could be in the zone, and is not.
func (z *Zone) leftOut(origin string, o Options) (not []string) {
	asked := o.Classes
	if asked == nil {
		asked = DefaultClasses()
	}
	var classes []string
	for _, class := range detect.Listable() {
		if !slices.Contains(asked, class) {
			classes = append(classes, class.String())
		}
	}
	if len(classes) > 0 {
		not = append(not, text.Join(classes, "and")+", which could be listed by the option classes")
	}
	if !slices.Contains(asked, detect.Combosquat) && slices.Contains(asked, detect.TLDKept) {
		not = append(not, "tld-kept with a word such as mail: comes with the class combosquat")
	}
	if z.Passed > 0 {
		not = append(not, fmt.Sprintf("%d lookalikes whose action is monitor or off: the option all blocks them", z.Passed))
	}
	return append(not, z.Doubts(origin)...)
}

// Doubts returns what the zone origin should have perhaps, and has not.
func (z *Zone) Doubts(origin string) (doubts []string) {
	if z.AnyTLD {
		doubts = append(doubts, "every TLD (lookalike *), which no zone can list: the option tlds names some")
	}
	if n := z.tooLong(origin); n > 0 {
		doubts = append(doubts, fmt.Sprintf("%d names that are too long with %s behind them: take a shorter zone name", n, origin))
	}
	return doubts
}

// tooLong returns how many names have no room in the zone origin.
func (z *Zone) tooLong(origin string) (n int) {
	for _, e := range z.entries {
		if !fits(e, origin) {
			n++
		}
	}
	return n
}

// NextSerial returns the serial of a zone that is written now, in place of one with
// the serial last, 0 for none: the seconds since 1970, or one more than last.
func NextSerial(last uint32, now time.Time) uint32 {
	serial := uint32(now.Unix())              //nolint:gosec // serials wrap (RFC 1982)
	if last != 0 && int32(serial-last) <= 0 { //nolint:gosec // as above
		return last + 1
	}
	return serial
}

// ReadSerial returns the serial of a zone file that Write has written.
func ReadSerial(r io.Reader) (uint32, error) {
	parser := dns.NewZoneParser(r, ".", "")
	rr, ok := parser.Next()
	if err := parser.Err(); err != nil {
		return 0, err
	}
	if soa, isSOA := rr.(*dns.SOA); ok && isSOA {
		return soa.Serial, nil
	}
	return 0, errNoSOA
}

var errNoSOA = errors.New("no zone file: its first record is no SOA")
