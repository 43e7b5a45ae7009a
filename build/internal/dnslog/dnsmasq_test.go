package dnslog

import "time"

var dnsmasqCorpora = []corpus{
	{
		format: "dnsmasq", version: "2.90", program: "dnsmasq", wrapped: time.Date(2026, 11, 25, 21, 51, 8, 0, time.UTC), rows: []row{
			{"a query", `query[MX] example.ml from 192.0.2.25`, "2026-11-25T21:51:08Z 192.0.2.25 example.ml MX"},
			{"IPv6", `query[AAAA] Example.ML from 2001:db8::25`, "2026-11-25T21:51:08Z 2001:db8::25 Example.ML AAAA"},
			{"a type without a name", `query[type=65] example.ml from 192.0.2.25`, "2026-11-25T21:51:08Z 192.0.2.25 example.ml HTTPS"},
			{"a name with a space", `query[A] a b.example.ml from 192.0.2.25`, `2026-11-25T21:51:08Z 192.0.2.25 a\032b.example.ml A`},
			{"a name that quotes the end of a query", `query[A] good.example from 192.0.2.1.example.ml from 192.0.2.25`, `2026-11-25T21:51:08Z 192.0.2.25 good.example\032from\032192.0.2.1.example.ml A`},
			{"a name with other characters", `query[A] <name unprintable> from 192.0.2.25`, passed},
			{"forwarded", `forwarded example.ml to 192.0.2.53`, passed},
			{"a reply whose name quotes a query", `reply a query[A] good.example from 192.0.2.1 is NXDOMAIN`, passed},
			{"cached", `cached example.ml is 192.0.2.1`, passed},
			{"from the configuration", `config example.ml is NXDOMAIN`, passed},
			{"a query for DNSSEC", `dnssec-query[DS] ml to 192.0.2.53`, passed},
			{"the start", `started, version 2.90 cachesize 150`, passed},
			{"cut", `query[A] exam`, unknown},
		},
	},
	{
		format: "dnsmasq", version: "2.90 with log-queries=extra", program: "dnsmasq", wrapped: time.Date(2026, 11, 25, 21, 51, 8, 0, time.UTC), rows: []row{
			{"a query", `1 192.0.2.25/38484 query[MX] example.ml from 192.0.2.25`, "2026-11-25T21:51:08Z 192.0.2.25 example.ml MX"},
			{"IPv6", `27 2001:db8::25/38484 query[A] example.ml from 2001:db8::25`, "2026-11-25T21:51:08Z 2001:db8::25 example.ml A"},
			{"forwarded", `1 192.0.2.25/38484 forwarded example.ml to 192.0.2.53`, passed},
		},
	},
	{
		format: "dnsmasq", version: "Pi-hole 6", program: "dnsmasq", wrapped: time.Date(2026, 11, 25, 21, 51, 8, 0, time.UTC), rows: []row{
			{"a query", `query[HTTPS] example.ml from 192.0.2.25`, "2026-11-25T21:51:08Z 192.0.2.25 example.ml HTTPS"},
			{"blocked by a list", `gravity blocked example.ml is 0.0.0.0`, passed},
			{"stale", `cached-stale example.ml is 192.0.2.1`, passed},
		},
	},
}
