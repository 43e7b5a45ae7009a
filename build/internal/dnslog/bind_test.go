package dnslog

import (
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

var berlin = time.FixedZone("", 3600)

var bindCorpora = []corpus{
	{
		format: "bind", version: "9.4", rows: []row{
			{"no name in brackets, no address of the server", `25-Nov-2026 21:51:05.364 client 192.0.2.25#33785: query: example.ml IN MX +`, "2026-11-25T21:51:05.364Z 192.0.2.25 example.ml MX"},
			{"a view", `25-Nov-2026 21:51:05.364 client 192.0.2.25#33785: view inside: query: example.ml IN A -`, "2026-11-25T21:51:05.364Z 192.0.2.25 example.ml A"},
			{"IPv6", `25-Nov-2026 21:51:05.365 client 2001:db8::25#53: query: Example.ML IN AAAA +E`, "2026-11-25T21:51:05.365Z 2001:db8::25 Example.ML AAAA"},
		},
	},
	{
		format: "bind", version: "9.9", options: event.Options{Location: berlin}, rows: []row{
			{"the name in brackets, a zone that is given", `25-Nov-2026 21:51:05.364 queries: info: client 192.0.2.25#33785 (example.ml): query: example.ml IN MX +ED (192.0.2.53)`, "2026-11-25T20:51:05.364Z 192.0.2.25 example.ml MX"},
			{"signed by a key", `25-Nov-2026 21:51:05.364 queries: info: client 192.0.2.25#33785/key transfer.example.net (example.ml): query: example.ml IN SOA -SE (192.0.2.53)`, "2026-11-25T20:51:05.364Z 192.0.2.25 example.ml SOA"},
			{"a link-local client", `25-Nov-2026 21:51:05.364 client fe80::1%eth0#33785 (example.ml): query: example.ml IN A + (fe80::2%eth0)`, "2026-11-25T20:51:05.364Z fe80::1%eth0 example.ml A"},
		},
	},
	{
		format: "bind", version: "9.11 in syslog", program: "named", wrapped: time.Date(2026, 11, 25, 21, 51, 5, 0, time.UTC), rows: []row{
			{"the time of the wrapper", `client @0x7fbeaaa6a098 192.0.2.25#33785 (example.ml): query: example.ml IN MX +E(0)TDCK (192.0.2.53)`, "2026-11-25T21:51:05Z 192.0.2.25 example.ml MX"},
			{"with category and severity", `queries: info: client @0x7fbeaaa6a098 192.0.2.25#33785 (example.ml): query: example.ml IN TYPE65 + (192.0.2.53)`, "2026-11-25T21:51:05Z 192.0.2.25 example.ml HTTPS"},
			{"another line of named", `zone example.net/IN: loaded serial 7`, passed},
		},
	},
	{
		format: "bind", version: "9.18", rows: []row{
			{"a view with spaces", `25-Nov-2026 21:51:05.364 queries: info: client @0x7fbeaaa6a098 192.0.2.25#33785 (example.ml): view mail servers: query: example.ml IN MX +E(0)TDCK (192.0.2.53) [ECS 192.0.2.0/24/0]`, "2026-11-25T21:51:05.364Z 192.0.2.25 example.ml MX"},
			{"a view that looks like a query", `25-Nov-2026 21:51:05.364 queries: info: client @0x7fbeaaa6a098 192.0.2.25#33785 (example.ml): view a: query: good.example IN A + (192.0.2.1): query: example.ml IN MX +E(0)K (192.0.2.53)`, "2026-11-25T21:51:05.364Z 192.0.2.25 example.ml MX"},
			{"escapes", `25-Nov-2026 21:51:05.364 queries: info: client @0x7fbeaaa6a098 ::1#33785 (a\032b\(c\".example.ml): query: a\032b\(c\".example.ml IN TXT + (::1)`, `2026-11-25T21:51:05.364Z ::1 a\032b\(c\".example.ml TXT`},
			{"an IPv4 client in IPv6", `25-Nov-2026 21:51:05.364 queries: info: client @0x7fbe ::ffff:192.0.2.25#33785 (example.ml): query: example.ml IN MX + (::1)`, "2026-11-25T21:51:05.364Z 192.0.2.25 example.ml MX"},
			{"the root", `25-Nov-2026 21:51:05.364 queries: info: client @0x7fbe 192.0.2.25#33785 (.): query: . IN NS + (192.0.2.53)`, "2026-11-25T21:51:05.364Z 192.0.2.25 . NS"},
			{"another class", `25-Nov-2026 21:51:05.364 queries: info: client @0x7fbe 192.0.2.25#33785 (version.bind): query: version.bind CH TXT + (192.0.2.53)`, passed},
			{"a response policy zone", `25-Nov-2026 21:51:05.364 rpz: info: client @0x7fbe 192.0.2.25#33785 (example.ml): rpz QNAME NXDOMAIN rewrite example.ml/MX/IN via example.ml.rpz.example`, passed},
			{"a query that failed", `25-Nov-2026 21:51:05.364 query-errors: info: client @0x7fbe 192.0.2.25#33785 (example.ml): query failed (SERVFAIL) for example.ml/IN/MX at query.c:7836`, passed},
			{"a query that is denied", `25-Nov-2026 21:51:05.364 security: info: client @0x7fbe 192.0.2.25#33785 (example.ml): query (cache) 'example.ml/MX/IN' denied (allow-query-cache did not match)`, passed},
			{"a label of 64 letters", `25-Nov-2026 21:51:05.364 queries: info: client @0x7fbe 192.0.2.25#33785 (x): query: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.ml IN A + (192.0.2.53)`, unknown},
			{"a client that is none", `25-Nov-2026 21:51:05.364 queries: info: client @0x7fbe mail#33785 (example.ml): query: example.ml IN A + (192.0.2.53)`, unknown},
			{"cut by a crash", `25-Nov-2026 21:51:05.364 queries: info: client @0x7fbe 192.0.2.25#33785 (example.ml): query: example.ml`, unknown},
		},
	},
	{
		format: "bind", version: "9.21", wrapped: time.Date(2026, 11, 25, 21, 51, 5, 364e6, time.UTC), rows: []row{
			{"iso8601, which the wrapper has; the port of the server", `queries: info: client @0x7fbeaaa6a098 192.0.2.25#33785 (example.ml): query: example.ml IN MX +E(0)K (192.0.2.53#53)`, "2026-11-25T21:51:05.364Z 192.0.2.25 example.ml MX"},
			{"the response, in a category of its own", `responses: info: client @0x7fbeaaa6a098 192.0.2.25#33785 (example.ml): response: example.ml IN MX NXDOMAIN 0 1 0 +E(0)K (192.0.2.53#53)`, passed},
			{"a line of another category, whose view looks like a query", `zoneload: managed-keys-zone/mail: query: servers: loaded serial 0`, passed},
			{"another program", `a line that BIND does not write`, unknown},
		},
	},
}
