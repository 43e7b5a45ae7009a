package test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// TestBadCorefile shows what the user reads on the standard error. The server
// must not start.
func TestBadCorefile(t *testing.T) {
	t.Parallel()
	block := func(property string) string { return "lookalike {\n" + property + "\n}" }
	tests := []struct {
		name      string
		directive string
		files     map[string]string
		want      []string // all of them
	}{
		{"unknown property", block("protcet army.mil"), nil, []string{"Corefile:6", "unknown property 'protcet'"}},
		{"TLD of digits", "lookalike 123", nil, []string{"Corefile:5", `"123"`, "a TLD cannot be a number"}},
		{"TLD that is no label", "lookalike m/l", nil, []string{"Corefile:5", `"m/l"`, "letters, digits and hyphens"}},
		{"block on one line", "lookalike { protect army.mil }", nil, []string{"Corefile:5", "'}'", "each property on a line of its own"}},
		{"brace on the next line", "lookalike ml\n{\nprotect army.mil\n}", nil, []string{"Corefile:6", "'{'", "at the end of the line above"}},
		{"TLD with a dot", "lookalike com.ml", nil, []string{"Corefile:5", `"com.ml"`, "without a dot"}},
		{"bad CIDR", block("clients 192.0.2.0/33"), nil, []string{"Corefile:6", `"192.0.2.0/33" is not a CIDR`}},
		{"client that is a name", block("clients mail.example.org"), nil, []string{"Corefile:6", `"mail.example.org" is not a CIDR or an IP address`}},
		{"no clients", block("clients"), nil, []string{"Corefile:6", "clients needs"}},
		{"missing list", block("protect ./none.txt"), nil, []string{"Corefile:6", "none.txt", "no such file", "create the file", "server's directory /"}},
		{"empty list", block("protect ./empty.txt"), map[string]string{"empty.txt": "# nothing\n\n"}, []string{"Corefile:6", "empty.txt"}},
		{"list that is a directory", block("protect ./"), nil, []string{"Corefile:6", "directory"}},
		{"broken line in a list", block("protect ./list.txt"), map[string]string{"list.txt": "army.mil\n# fine\nnavy..mil\n"}, []string{"list.txt:3", `"navy..mil"`}},
		{"broken line in an allow list", block("allow ./list.txt"), map[string]string{"list.txt": "army.ml\n\xff\xfe.ml\n"}, []string{"list.txt:2"}},
		{"broken lines in a list", block("protect ./list.txt"), map[string]string{"list.txt": "ar\x00my.mil\nar\\.my.mil\nnavy.mil.\n" + strings.Repeat("a.", 127) + "mil\n"},
			[]string{`list.txt:1: "ar\x00my.mil": character '\x00'`, `list.txt:2: "ar\\.my.mil": character '\\'`, "list.txt:4: ", "257 characters: a name has at most 253"}},
		{"missing brace", "lookalike {\nprotect army.mil\nforward . 192.0.2.53", nil, []string{"Corefile:7", "'forward'", "its '}' is missing above"}},
		{"broken name", block("protect army..mil"), nil, []string{"Corefile:6", `"army..mil"`}},
		{"no name", block("protect"), nil, []string{"Corefile:6", "protect needs at least one name or file"}},
		{"sinkhole on loopback", block("action high sinkhole 127.0.0.1"), nil, []string{"Corefile:6", "sinkhole 127.0.0.1", "loop"}},
		{"sinkhole on the unspecified address", block("action high sinkhole 0.0.0.0"), nil, []string{"Corefile:6", "sinkhole 0.0.0.0", "loop"}},
		{"sinkhole on ::", block("action sinkhole ::"), nil, []string{"Corefile:6", "sinkhole ::"}},
		{"sinkhole on mapped loopback", block("action sinkhole ::ffff:127.0.0.1"), nil, []string{"Corefile:6", "sinkhole ::ffff:127.0.0.1"}},
		{"sinkhole on this network", block("action sinkhole 0.0.0.1"), nil, []string{"Corefile:6", "sinkhole 0.0.0.1", "loop"}},
		{"sinkhole on a reserved address", block("action sinkhole 240.0.0.1"), nil, []string{"Corefile:6", "sinkhole 240.0.0.1"}},
		{"sinkhole on loopback inside IPv6", block("action sinkhole ::127.0.0.1"), nil, []string{"Corefile:6", "sinkhole ::127.0.0.1"}},
		{"sinkhole on loopback behind NAT64", block("action sinkhole 64:ff9b::7f00:1"), nil, []string{"Corefile:6", "sinkhole 64:ff9b::7f00:1"}},
		{"sinkhole on a link-local address", block("action sinkhole fe80::1"), nil, []string{"Corefile:6", "sinkhole fe80::1"}},
		{"sinkhole that is no address", block("action high sinkhole mail.example.org"), nil, []string{"Corefile:6", `"mail.example.org" is not an IP address`}},
		{"sinkhole with too many addresses", block("action sinkhole" + strings.Repeat(" 198.51.100.66", 65)), nil, []string{"Corefile:6", "65 addresses, want at most 64"}},
		{"sinkhole without an address", block("action high sinkhole"), nil, []string{"Corefile:6", "needs the address"}},
		{"unknown action", block("action high blcok"), nil, []string{"Corefile:6", `unknown action "blcok"`, "nxdomain"}},
		{"unknown class", block("action typos nxdomain"), nil, []string{"Corefile:6", `"typos"`, "tld-swap"}},
		{"action twice", block("action high nxdomain\naction high drop"), nil, []string{"Corefile:7", "twice"}},
		{"ttl of 0", block("ttl 0"), nil, []string{"Corefile:6", "ttl 0", "1s to 1h"}},
		{"ttl of a week", block("ttl 168h"), nil, []string{"Corefile:6", "ttl 168h", "1s to 1h"}},
		{"ttl that is no duration", block("ttl soon"), nil, []string{"Corefile:6", `"soon" is not a duration`}},
		{"a whole lookalike TLD is protected", block("protect army.mil *.ml"), nil, []string{"Corefile:6", `"ml"`, "remove it, or its TLD after lookalike at Corefile:5"}},
		{"unknown destination", block("alert gopher://192.0.2.1"), nil, []string{"Corefile:6", "gopher"}},
		{"alert file in no directory", block("alert stdout\nalert ./none/alerts.json"), nil, []string{"Corefile:7: ", "none/alerts.json", "the directory", "must exist"}},
		{"alert file that is a directory", block("alert ./."), nil, []string{"Corefile:6: ", "is a directory", "name a file in it"}},
		{"alert file in two formats", block("alert ./a.json\nalert ./a.json cef"), nil, []string{"Corefile:6: ", "a.json", "one format", "name another file"}},
		{"secret that is not there", block("alert splunk+https://192.0.2.1:8088 token_file=./none"), nil, []string{"Corefile:6: ", "token_file", "none", "no such file"}},
		{"secret in the Corefile", block("alert splunk+https://192.0.2.1:8088 token=secret"), nil, []string{"Corefile:6", "does not belong in a Corefile", "token_file=PATH"}},
		{"spool that is a file", block("ttl 5s\nspool ./list.txt"), map[string]string{"list.txt": "army.mil\n"}, []string{"Corefile:7: ", "list.txt", "the directory must exist"}},
		{"spool that two directives cannot share", block("alert http://192.0.2.1/a\nspool ./spool") + "\n" + block("alert http://192.0.2.1/b\nspool ./spool"), nil,
			[]string{"Corefile:11: ", "cannot share it", "a directory of its own"}},
		{"property with a block", block("protect army.mil {\n}"), nil, []string{"Corefile:6", "protect takes no block"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			message, status := harness.Refused(t, harness.Config{
				Corefile: ".:0 {\nbind 127.0.0.1\nerrors\nwhoami\n" + tt.directive + "\n}\n",
				Files:    tt.files,
			})
			if status <= 0 {
				t.Errorf("Exit status %d", status)
			}
			for _, want := range tt.want {
				if !strings.Contains(message, want) {
					t.Errorf("No %q in the message:\n%s", want, message)
				}
			}
		})
	}
}

// TestGoodCorefile starts what may look odd and is in order.
func TestGoodCorefile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		directive string
		qname     string
		want      string // RCODE, and the record that says it with its TTL
		log       string // part of it, or empty
	}{
		{"directive without a block", "lookalike", "army.ml", "NXDOMAIN 60 SOA", ""},
		{"empty block", "lookalike {\n}", "army.ml", "NXDOMAIN 60 SOA", ""},
		{"TLD in capitals", "lookalike ML", "army.ml", "NXDOMAIN 60 SOA", ""},
		{"private sinkhole", "lookalike {\n action sinkhole 10.0.0.25\n}", "army.ml", "NOERROR 60 10.0.0.25", "10.0.0.25 is a private address"},
		{"shortest ttl", "lookalike {\n ttl 1s\n}", "army.ml", "NXDOMAIN 1 SOA", ""},
		{"longest ttl", "lookalike cm {\n ttl 1h\n protect example.com\n}", "example.cm", "NXDOMAIN 3600 SOA", ""},
		{"whole TLD", "lookalike {\n protect *.mil\n}", "army.ml", "NXDOMAIN 60 SOA", ""},
		{"sinkhole behind NAT64", "lookalike {\n action sinkhole 64:ff9b::c633:6442 198.51.100.66\n}", "army.ml", "NOERROR 60 198.51.100.66", ""},
		{"TLD on the allow list", "lookalike {\n allow *.ml\n}", "army.ml", "NOERROR 300 203.0.113.66", `*.ml is on the allow list`},
		{"any above it", "any\nlookalike", "army.ml", "NXDOMAIN 60 SOA", "the any plugin answers queries of type ANY before"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := harness.Start(t, harness.Config{Corefile: corefile(tt.directive), Upstream: harness.NewUpstream(t).Addr})
			r := harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(tt.qname, dns.TypeA))
			words := []string{dns.RcodeToString[r.Rcode]}
			for _, rr := range append(r.Answer, r.Ns...) {
				words = append(words, fmt.Sprint(rr.Header().Ttl))
				switch rr := rr.(type) {
				case *dns.A:
					words = append(words, rr.A.String())
				case *dns.SOA:
					words = append(words, "SOA")
				}
			}
			if got := strings.Join(words, " "); got != tt.want {
				t.Errorf("%s: %s, want %s\n%v", tt.qname, got, tt.want, r)
			}
			if !strings.Contains(server.Output(), tt.log) {
				t.Errorf("The log does not say %q:\n%s", tt.log, server.Output())
			}
		})
	}
}

// TestHostileNames sends names that no honest client makes. Each gets one reply
// to the question, byte for byte, and the server lives on.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	const (
		blocked = "blocked"
		passes  = "passes"
		either  = "either" // resembles a protected name or not, as one sees it
	)
	long := strings.Repeat("a", 63)
	tests := []struct {
		name   string
		labels []string
		want   string
	}{
		{"255 octets below army.ml", []string{long, long, long, strings.Repeat("b", 53), "army", "ml"}, blocked},
		{"255 octets that resemble nothing", []string{long, long, long, strings.Repeat("b", 58), "ml"}, passes},
		{"label with dots below army.ml", []string{"a.b.c", "army", "ml"}, blocked},
		{"army.mil as one label", []string{"army.mil", "ml"}, either},
		{"army.ml as one label", []string{"army.ml"}, passes},
		{"dots only", []string{"....", "ml"}, passes},
		{"NUL below army.ml", []string{"\x00", "army", "ml"}, blocked},
		{"NUL in the label", []string{"ar\x00my", "ml"}, either},
		{"NUL behind the TLD", []string{"army", "ml\x00"}, passes},
		{"backslash below army.ml", []string{`a\`, "army", "ml"}, blocked},
		{"backslash at the end of the label", []string{`army\`, "ml"}, either},
		{"escape that looks like another name", []string{`army\046ml`}, passes},
		{"backslash and dot", []string{`\.`, "army", "ml"}, blocked},
		{"broken UTF-8 below army.ml", []string{"\xff\xfe", "army", "ml"}, blocked},
		{"capitals and octets", []string{"\xc3\x84", "ARMY", "ML"}, blocked},
		{"space", []string{" ", "army", "ml"}, blocked},
		{"quote and semicolon", []string{`";`, "army", "ml"}, blocked},
		{"as many labels as fit", append(slices.Repeat([]string{"a"}, 123), "army", "ml"), blocked},
		{"broken punycode", []string{"xn--\x80", "army", "ml"}, blocked},
		{"TLD alone", []string{"ml"}, passes},
		{"root", nil, passes},
	}
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike {\n action medium off\n action low off\n }"),
		Upstream: harness.NewUpstream(t).Addr,
	})
	count := 0
	for _, tt := range tests {
		for _, qtype := range []uint16{dns.TypeMX, dns.TypeANY} {
			query := rawQuery(tt.labels, qtype)
			wire := harness.UDP(t, server.Addr("DNS"), query)
			if len(wire) < len(query) || !bytes.Equal(wire[12:len(query)], query[12:]) {
				t.Errorf("%s: the reply does not repeat the question:\n% x\n% x", tt.name, query, wire)
				continue
			}
			r := harness.Unpack(t, wire)
			if r.Rcode != dns.RcodeNameError && r.Rcode != dns.RcodeSuccess {
				t.Errorf("%s: RCODE %s", tt.name, dns.RcodeToString[r.Rcode])
			}
			if tt.want != either && isBlocked(r) != (tt.want == blocked) {
				t.Errorf("%s: blocked %t, want %s\n%v", tt.name, isBlocked(r), tt.want, r)
			}
			if isBlocked(r) {
				count++
			}
		}
	}
	server.Stop()
	alerts := server.Alerts(t)
	if got := harness.Sum(alerts); got != count {
		t.Errorf("The alerts tell of %d queries, %d were blocked", got, count)
	}
	for _, a := range alerts {
		if a.Lookalike.Confidence != "high" || a.Source.IP != "127.0.0.1" {
			t.Errorf("Alert %s", a.Raw)
		}
	}
}

// TestHostileMessages sends what is no query, over UDP, TCP and HTTPS. It never
// counts as one, and the server lives on.
func TestHostileMessages(t *testing.T) {
	t.Parallel()
	const (
		silence  = ""
		formerr  = "FORMERR"
		servfail = "SERVFAIL"
		notimp   = "NOTIMP"
		upstream = "NOERROR" // the message is passed on
	)
	long := strings.Repeat("a", 63)
	query := rawQuery([]string{"army", "ml"}, dns.TypeMX)
	const flags, questions = 2, 5 // where these stand in a header
	with := func(at int, value byte) []byte {
		wire := bytes.Clone(query)
		wire[at] = value
		return wire
	}
	tests := []struct {
		name string
		wire []byte
		want string // over UDP and TCP
		http int    // status over HTTPS
	}{
		{"256 octets", rawQuery([]string{long, long, long, strings.Repeat("b", 54), "army", "ml"}, dns.TypeMX), formerr, http.StatusBadRequest},
		{"name without an end", query[:len(query)-5], formerr, http.StatusBadRequest},
		{"header only", query[:12], servfail, http.StatusOK}, // the server takes it for a message without a question
		{"half a header", query[:6], silence, http.StatusBadRequest},
		{"compression loop", append(bytes.Clone(query[:12]), 0xc0, 12, 0, 15, 0, 1), formerr, http.StatusBadRequest},
		{"no question", with(questions, 0), formerr, http.StatusBadRequest},
		{"two questions", append(with(questions, 2), query[12:]...), formerr, http.StatusBadRequest},
		{"a response", with(flags, 0x80), silence, http.StatusBadRequest},
		{"IQUERY", with(flags, dns.OpcodeIQuery<<3), notimp, http.StatusBadRequest},
		{"STATUS", with(flags, dns.OpcodeStatus<<3), notimp, http.StatusBadRequest},
		{"NOTIFY", with(flags, dns.OpcodeNotify<<3), upstream, http.StatusOK},
		{"UPDATE", with(flags, dns.OpcodeUpdate<<3), notimp, http.StatusBadRequest},
	}
	server := harness.Start(t, harness.Config{
		Corefile: corefile("lookalike") + encrypted(t, "https", "lookalike"),
		Upstream: harness.NewUpstream(t).Addr,
	})
	for _, tt := range tests {
		for network, replies := range map[string][][]byte{
			"udp": harness.Replies(t, harness.Loopback, server.Addr("DNS"), tt.wire, tt.want != silence),
			"tcp": harness.Pipeline(t, "tcp", server.Addr("DNS"), [][]byte{tt.wire}, 0),
		} {
			got := silence
			if len(replies) > 0 {
				r := harness.Unpack(t, replies[0])
				got = dns.RcodeToString[r.Rcode]
				if isBlocked(r) {
					t.Errorf("%s over %s: the answer is that to a query:\n%v", tt.name, network, r)
				}
			}
			if len(replies) > 1 || got != tt.want {
				t.Errorf("%s over %s: %d replies, %q, want %q", tt.name, network, len(replies), got, tt.want)
			}
		}
		if status, _ := harness.HTTPS(t, harness.Loopback, server.Addr("HTTPS"), tt.wire); status != tt.http {
			t.Errorf("%s over HTTPS: status %d, want %d", tt.name, status, tt.http)
		}
	}
	if alerts := server.Alerts(t); len(alerts) != 0 {
		t.Errorf("There is an alert: %s", alerts[0].Raw)
	}
	if r := harness.Unpack(t, harness.UDP(t, server.Addr("DNS"), query)); !isBlocked(r) {
		t.Error("army.ml is not blocked any more")
	}
	server.Stop()
	if n := harness.Sum(server.Alerts(t)); n != 1 {
		t.Errorf("The alerts tell of %d queries, want 1", n)
	}
}

// rawQuery packs a query with labels of any octets, and of any length.
func rawQuery(labels []string, qtype uint16) []byte {
	wire := []byte{0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0}
	for _, l := range labels {
		wire = append(append(wire, byte(len(l))), l...)
	}
	return append(wire, 0, byte(qtype>>8), byte(qtype), 0, 1)
}
