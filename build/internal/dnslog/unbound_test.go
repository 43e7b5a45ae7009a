package dnslog

import "time"

var unboundCorpora = []corpus{
	{
		format: "unbound", version: "1.17 with log-tag-queryreply", rows: []row{
			{"a query", `[1795643424] unbound[26678:0] query: 192.0.2.25 example.ml. MX IN`, "2026-11-25T21:50:24Z 192.0.2.25 example.ml. MX"},
			{"its reply", `[1795643424] unbound[26678:0] reply: 192.0.2.25 example.ml. MX IN NXDOMAIN 0.000000 1 36`, passed},
			{"IPv6", `[1795643425] unbound[26678:1] query: 2001:db8::25 Example.ML. AAAA IN`, "2026-11-25T21:50:25Z 2001:db8::25 Example.ML. AAAA"},
			{"a type without a name", `[1795643425] unbound[26678:1] query: 192.0.2.25 example.ml. TYPE65 IN`, "2026-11-25T21:50:25Z 192.0.2.25 example.ml. HTTPS"},
			{"odd octets, which are lost", `[1795643425] unbound[26678:1] query: 192.0.2.25 a?b.example.ml. A IN`, "2026-11-25T21:50:25Z 192.0.2.25 a?b.example.ml. A"},
			{"another class", `[1795643425] unbound[26678:1] query: 192.0.2.25 version.bind. TXT CH`, passed},
			{"a query that is none", `[1795643425] unbound[26678:1] query: something else`, unknown},
			{"a line of the program", `[1795643424] unbound[26678:0] notice: init module 0: iterator`, passed},
			{"a local zone's action", `[1795643424] unbound[26678:0] info: example.ml. always_nxdomain 127.0.0.1@58423 example.ml. MX IN`, passed},
		},
	},
	{
		format: "unbound", version: "1.17 without tags", rows: []row{
			{"a query", `[1795643424] unbound[26678:0] info: 192.0.2.25 example.ml. MX IN`, "2026-11-25T21:50:24Z 192.0.2.25 example.ml. MX"},
			{"its reply, with four words more", `[1795643424] unbound[26678:0] info: 192.0.2.25 example.ml. MX IN NXDOMAIN 0.000000 1 36`, passed},
			{"the start", `[1795643424] unbound[26678:0] info: start of service (unbound 1.17.1).`, passed},
			{"the work of the iterator", `[1795643424] unbound[26678:0] info: resolving example.ml. MX IN`, passed},
		},
	},
	{
		format: "unbound", version: "1.22 with log-destaddr", rows: []row{
			{"a query", `[1795643424] unbound[26678:0] query: 192.0.2.25 example.ml. MX IN on udp 192.0.2.53 53`, "2026-11-25T21:50:24Z 192.0.2.25 example.ml. MX"},
			{"without tags", `[1795643424] unbound[26678:0] info: 192.0.2.25 example.ml. A IN on udp 192.0.2.53 53`, "2026-11-25T21:50:24Z 192.0.2.25 example.ml. A"},
			{"a reply without tags", `[1795643424] unbound[26678:0] info: 192.0.2.25 example.ml. A IN NXDOMAIN 0.000000 1 36 on udp 192.0.2.53 53`, passed},
		},
	},
	{
		format: "unbound", version: "1.17 in syslog", program: "unbound", wrapped: time.Date(2026, 11, 25, 21, 54, 52, 0, time.UTC), rows: []row{
			{"the program is the wrapper's", `[26678:0] info: 192.0.2.25 example.ml. MX IN`, "2026-11-25T21:54:52Z 192.0.2.25 example.ml. MX"},
			{"log-time-iso and log-time-ascii, whose wrapper has no host", `query: 192.0.2.25 example.ml. A IN`, "2026-11-25T21:54:52Z 192.0.2.25 example.ml. A"},
			{"the program stays", `unbound[26678:0] query: 192.0.2.25 example.ml. A IN`, "2026-11-25T21:54:52Z 192.0.2.25 example.ml. A"},
		},
	},
	{
		format: "unbound", version: "1.17 with log-replies alone", rows: []row{
			{"a reply waits", `[1795643424] unbound[26678:0] reply: 192.0.2.25 example.ml. MX IN NXDOMAIN 0.000000 1 36`, used},
			{"and another", `[1795643425] unbound[26678:0] reply: 192.0.2.25 example.ml. A IN NOERROR 0.010000 0 52`, used},
		},
		flushed: "2026-11-25T21:50:24Z 192.0.2.25 example.ml. MX; 2026-11-25T21:50:25Z 192.0.2.25 example.ml. A",
	},
	{
		format: "unbound", version: "1.17 from between a query and its reply", rows: []row{
			{"the reply to a query in the file before", `[1795643424] unbound[26678:0] reply: 192.0.2.25 gone.example.ml. MX IN NXDOMAIN 0.000000 1 36`, used},
			{"a query", `[1795643425] unbound[26678:0] query: 192.0.2.25 example.ml. A IN`, "2026-11-25T21:50:25Z 192.0.2.25 example.ml. A"},
			{"its reply", `[1795643425] unbound[26678:0] reply: 192.0.2.25 example.ml. A IN NOERROR 0.010000 0 52`, passed},
		},
	},
}
