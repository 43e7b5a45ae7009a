package format

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
)

// binary is a name of four labels of binary octets below army.ml, as miekg/dns
// presents it.
func binary(octet byte) string {
	var b strings.Builder
	for range 3 {
		for range 63 {
			fmt.Fprintf(&b, "\\%03d", octet)
		}
		b.WriteByte('.')
	}
	for range 52 {
		fmt.Fprintf(&b, "\\%03d", octet)
	}
	return b.String() + ".army.ml"
}

// TestLimit holds that a record is 8 KiB at most, in every format, with what
// syslog puts before it, and says what it does not have.
func TestLimit(t *testing.T) {
	fill := func(change func(*record.Record)) *record.Record {
		r := recordtest.Sample()
		r.Registrable = "army.ml"
		change(r)
		return r
	}
	many := func(n int, s string) []string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprint(i, s)
		}
		return all
	}
	tests := []struct {
		name   string
		record *record.Record
	}{
		{"a usual one", fill(func(*record.Record) {})},
		{"a first one of a binary name", fill(func(r *record.Record) {
			r.Name, r.Samples, r.SMTP, r.Unicode = binary(255), []string{binary(255)}, nil, ""
		})},
		{"binary names", fill(func(r *record.Record) {
			r.Name, r.Samples = binary(0), []string{binary(0), binary(1), binary(2), binary(3), binary(4)}
		})},
		{"names in many scripts", fill(func(r *record.Record) {
			r.Unicode, r.Reason = strings.Repeat("\U00010400", 250), strings.Repeat("а", 500)
		})},
		{"an exception with long words", fill(func(r *record.Record) {
			words := strings.Repeat("\U00010400", 200)
			r.Exception = &record.Exception{Name: "army.ml", Until: "2026-11-22", Owner: words, Reason: words, Ticket: words}
		})},
		{"envelopes", fill(func(r *record.Record) {
			r.SMTP = nil
			for range 8 {
				r.SMTP = append(r.SMTP, record.SMTP{From: strings.Repeat("\"", 320), To: strings.Repeat("\\", 320), HELO: strings.Repeat("]", 255)})
			}
		})},
		{"many protected names", fill(func(r *record.Record) {
			r.Protected, r.DidYouMean = many(200, ".protected.example.mil"), many(200, ".mail.protected.example.mil")
		})},
		{"all at once", fill(func(r *record.Record) {
			r.Name, r.Registrable, r.Unicode, r.Reason = binary('"'), binary('\\'), strings.Repeat("я", 2000), strings.Repeat("\U000e0041", 5000)
			for _, list := range []*[]string{&r.Samples, &r.Vias, &r.Protected, &r.DidYouMean, &r.Views, &r.ServerBlocks, &r.Contexts} {
				*list = many(50, binary(200))
			}
			for i := range 50 {
				r.Clients = append(r.Clients, netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(i)}))
				r.SMTP = append(r.SMTP, record.SMTP{From: binary('='), To: binary('^'), HELO: binary(',')})
			}
			r.Answers, r.Sensor, r.Version = r.Clients, binary('s'), binary('v')
			words := strings.Repeat("\U00010400", 200)
			r.Exception = &record.Exception{Name: binary('e'), Until: "2026-11-22", Owner: words, Reason: words, Ticket: words}
		})},
	}
	for _, tc := range tests {
		for _, f := range formats {
			before := fmt.Sprintf("%+v", tc.record)
			line := f.Append([]byte("before"), tc.record)[len("before"):]
			if got := size(line); got > maxBody {
				t.Errorf("%s, %s: got %d octets, want %d at most", tc.name, f, got, maxBody)
			}
			key := map[*Format]string{ecs: "lookalike.left_out", ocsf: "unmapped.left_out"}[f]
			if long := size(f.append(nil, tc.record)) > maxBody; key != "" && (decode(t, line)[key] != nil) != long {
				t.Errorf("%s, %s: got left_out %v, want it %v", tc.name, f, !long, long)
			}
			if after := fmt.Sprintf("%+v", tc.record); after != before {
				t.Errorf("%s, %s: the record was changed", tc.name, f)
			}
		}
	}
}

// TestShorten holds that what is left of a name is a name.
func TestShorten(t *testing.T) {
	tests := []struct {
		in   string
		n    int
		want string
	}{
		{"army.ml", 6, "arm..."},
		{`a\255\255`, 9, `a\255...`}, {`a\255\255`, 8, `a\255...`}, {`a\255\255`, 7, "a..."}, {`a\255\255`, 5, "a..."},
		{`a\\\\b`, 5, `a...`}, {`a\\\\bcd`, 6, `a\\...`}, {`\.abcdef`, 6, `\.a...`},
	}
	for _, tc := range tests {
		if len(tc.in) <= tc.n {
			continue
		}
		got := shorten(tc.in, tc.n)
		if got != tc.want {
			t.Errorf("Got %q for %q at %d, want %q", got, tc.in, tc.n, tc.want)
		}
		if _, ok := dns.IsDomainName(strings.TrimSuffix(got, "...")); !ok {
			t.Errorf("Got %q, want a name", got)
		}
	}
}

func FuzzLimit(f *testing.F) {
	f.Add("army.ml", 5)
	f.Add(binary(255), 9)
	f.Add("\U0001f600\u202e", 300)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = max(min(n, 300), 0)
		r := recordtest.Sample()
		r.Name, r.Unicode, r.Reason, r.Registrable = s, s, s, s
		r.Samples, r.Vias, r.Protected = nil, nil, nil
		for range n {
			r.Samples, r.Vias, r.Protected = append(r.Samples, s), append(r.Vias, s), append(r.Protected, s)
			r.SMTP = append(r.SMTP, record.SMTP{From: s, To: s, HELO: s})
		}
		for _, format := range formats {
			if line := format.Append(nil, r); size(line) > maxBody {
				t.Errorf("Got %d octets of %s", size(line), format)
			}
		}
	})
}
