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

// About has the facts for the comment at the beginning of a zone file.
type About struct {
	Writer  string // the program and its version
	Time    time.Time
	Options Options
}

// notInZone lists the limits of a zone, in the words of the Corefile.
var notInZone = []string{
	"embedding and double-typo: too many names to list",
	"names with several slips, or with letters of other scripts in several places (unless in all)",
	"verify and inspect, which need DNS lookups",
	"clients: the zone is for everybody who asks its resolver",
	"exceptions for single clients or classes: the zone has only those for everybody",
	"alerts and their counts: there is only the resolver's own log",
	"a sinkhole's probes and its MX records",
	"EDE texts that name the protected name",
}

// Write writes the zone as a file (RFC 1035 section 5), with a comment that
// describes its contents and limits.
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

// writeEntry writes the records of a name. out keeps any error.
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

// data returns a record without the fields before its data.
func data(rr dns.RR) string { return strings.TrimPrefix(rr.String(), rr.Header().String()) }

// comment returns the lines of the comment.
func (z *Zone) comment(origin string, about About) []string {
	classes := z.byClass()
	lines := make([]string, 0, len(classes)+16)
	lines = append(lines,
		fmt.Sprintf("Response policy zone %s, written by %s on %s", origin, about.Writer, about.Time.UTC().Format(time.RFC3339)),
		"Contents, each name with all names below it: "+z.String(),
	)
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		lines = append(lines, fmt.Sprintf("  %-15s %6d  %s", class, classes[class], class.Meaning()))
	}
	lines = append(lines, "Not included:")
	for _, not := range slices.Concat(z.leftOut(origin, about.Options), notInZone) {
		lines = append(lines, "  "+not)
	}
	return lines
}

// leftOut lists the contents that options could add.
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
		not = append(not, text.Join(classes, "and")+": list them with the option classes")
	}
	if !slices.Contains(asked, detect.Combosquat) && slices.Contains(asked, detect.TLDKept) {
		not = append(not, "tld-kept with a word such as mail: listed with the class combosquat")
	}
	if z.Passed > 0 {
		not = append(not, fmt.Sprintf("%d lookalikes whose action is monitor or off: block them with the option all", z.Passed))
	}
	return append(not, z.Doubts(origin)...)
}

// Doubts returns warnings about names that the zone origin lacks.
func (z *Zone) Doubts(origin string) (doubts []string) {
	if z.AnyTLD {
		doubts = append(doubts, "every TLD (lookalike *), which no zone can list: name TLDs with the option tlds")
	}
	if n := z.tooLong(origin); n > 0 {
		doubts = append(doubts, fmt.Sprintf("%d names that are too long when %s follows: use a shorter zone name", n, origin))
	}
	return doubts
}

// tooLong returns how many names are too long for the zone origin.
func (z *Zone) tooLong(origin string) (n int) {
	for _, e := range z.entries {
		if !fits(e, origin) {
			n++
		}
	}
	return n
}

// NextSerial returns the serial of a zone written now, which replaces one with
// the serial last (0: none): the seconds since 1970, or one more than last.
func NextSerial(last uint32, now time.Time) uint32 {
	serial := uint32(now.Unix())              //nolint:gosec // serials wrap (RFC 1982)
	if last != 0 && int32(serial-last) <= 0 { //nolint:gosec // as above
		return last + 1
	}
	return serial
}

// ReadSerial returns the serial of a zone file that Write wrote.
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

var errNoSOA = errors.New("not a zone file: its first record is not an SOA")
