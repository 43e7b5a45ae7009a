package dnslog

import (
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

var corednsCorpora = []corpus{
	{
		format: "coredns", version: "1.15", wrapped: time.Date(2026, 11, 25, 21, 54, 52, 103412345, time.UTC), rows: []row{
			{"the start", `.:53`, unknown},
			{"its version", `CoreDNS-1.15.0`, passed},
			{"its platform", `linux/amd64, go1.27.3, unknown`, passed},
			{"the common format", `[INFO] 192.0.2.25:60997 - 63605 "MX IN example.ml. udp 48 false 1232" NXDOMAIN qr,rd,ra 136 0.003250290s`, "2026-11-25T21:54:52.103412345Z 192.0.2.25 example.ml. MX"},
			{"IPv6", `[INFO] [2001:db8::25]:60997 - 1 "AAAA IN example.ml. tcp 48 true 4096" NOERROR qr,aa,rd 136 0.0001s`, "2026-11-25T21:54:52.103412345Z 2001:db8::25 example.ml. AAAA"},
			{"escapes", `[INFO] 192.0.2.25:60997 - 63605 "TXT IN a\ b\"c\(d\\.example.ml. udp 48 false 1232" NOERROR qr 136 0.003s`, `2026-11-25T21:54:52.103412345Z 192.0.2.25 a\ b\"c\(d\\.example.ml. TXT`},
			{"a name that quotes the end of a query", `[INFO] 192.0.2.25:60997 - 63605 "A IN x.\ udp\ 1\ false\ 1\"\ NOERROR\ -.example.ml. udp 48 false 1232" NOERROR qr 136 0.003s`, `2026-11-25T21:54:52.103412345Z 192.0.2.25 x.\ udp\ 1\ false\ 1\"\ NOERROR\ -.example.ml. A`},
			{"no response", `[INFO] 192.0.2.25:60997 - 63605 "A IN example.ml. udp 48 false 1232" - - 0 0.003s`, "2026-11-25T21:54:52.103412345Z 192.0.2.25 example.ml. A"},
			{"another class", `[INFO] 192.0.2.25:60997 - 63605 "TXT CH version.bind. udp 48 false 1232" NOERROR qr 136 0.003s`, passed},
			{"a plugin", `[INFO] plugin/reload: Running configuration SHA512 = 5d3e`, passed},
			{"an error of a plugin", `[ERROR] plugin/errors: 2 example.ml. MX: read udp 192.0.2.53:53: i/o timeout`, passed},
			{"an alert", `{"@timestamp":"2026-11-25T21:54:52.103Z","ecs":{"version":"9.0.0"},"lookalike":{"class":"tld-swap"}}`, passed},
			{"a query that is cut", `[INFO] 192.0.2.25:60997 - 63605 "MX IN exam`, unknown},
		},
	},
	{
		format: "coredns", version: "1.15 in JSON", rows: []row{
			{"a query", `{"time":"2026-09-15T08:00:00.5Z","level":"INFO","msg":"example.ml. NOERROR","plugin":"log","client_ip":"2001:db8::25","client_port":40212,"qname":"a\\ b.example.ml.","qtype":"MX","qclass":"IN","protocol":"udp","id":42,"opcode":0,"request_size":29,"dnssec_ok":false,"bufsize":512,"rcode":null,"response_size":29,"duration_seconds":0.001}`, `2026-09-15T08:00:00.5Z 2001:db8::25 a\ b.example.ml. MX`},
			{"a plugin", `{"time":"2026-09-15T08:00:00Z","level":"INFO","msg":"Running configuration","plugin":"reload"}`, passed},
			{"another program", `{"severity":"INFO"}`, unknown},
			{"cut", `{"time":"2026-09-15T08:00:00Z","level":"INFO"`, unknown},
		},
	},
	{
		format: "coredns", version: "1.15 in a format of one's own", options: event.Options{CoreDNS: `{/view/name} {remote}|{name}|{type}={rcode} {{proto}}`}, rows: []row{
			{"a query", `[INFO] inside of all 192.0.2.25|example.ml.|MX=NXDOMAIN {udp}`, unknown},
			{"one word of metadata", `[INFO] inside 192.0.2.25|example.ml.|MX=NXDOMAIN {udp}`, "- 192.0.2.25 example.ml. MX"},
			{"the separator in a name", `[INFO] - [::1]|a|b.example.ml.|MX=NXDOMAIN {udp}`, unknown},
			{"the common format", `[INFO] 192.0.2.25:60997 - 63605 "MX IN example.ml. udp 48 false 1232" NXDOMAIN qr,rd,ra 136 0.003250290s`, unknown},
		},
	},
	{
		format: "coredns", version: "1.15 with the name at the end", options: event.Options{CoreDNS: `{type} {name}`}, rows: []row{
			{"a query", `[INFO] MX a\ b.example.ml.`, `-  a\ b.example.ml. MX`},
		},
	},
	{
		format: "coredns", version: "1.15 combined", options: event.Options{CoreDNS: `{combined} {/forward/upstream}`}, rows: []row{
			{"a query", `[INFO] 192.0.2.25:60997 - 63605 "MX IN example.ml. udp 48 false 1232" NXDOMAIN qr,rd,ra 136 0.003250290s "0" 192.0.2.53:53`, "- 192.0.2.25 example.ml. MX"},
		},
	},
}

func TestCheckCoreDNS(t *testing.T) {
	for _, row := range []struct{ name, format, want string }{
		{"the default", "", "nil"},
		{"by name", "{common}", "nil"},
		{"braces that are text", "{ {name} }", "nil"},
		{"an unknown placeholder is text", "{what} {name}", "nil"},
		{"no name", "{remote} {type}", "without {name}"},
		{"nothing between", "{name}{type}", "no text between {name} and {type}"},
		{"nothing between, at the end", "{name} {type}", "nil"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := "nil"
			if err := CheckCoreDNS(row.format); err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, row.want) {
				t.Errorf("CheckCoreDNS(%q) = %s, want %s", row.format, got, row.want)
			}
		})
	}
}
