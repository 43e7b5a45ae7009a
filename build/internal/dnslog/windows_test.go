package dnslog

import (
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// seattle is where a server may log without saying so.
var seattle = time.FixedZone("", -8*3600)

var windowsCorpora = []corpus{
	{
		format: "windows", version: "2019, United States", options: event.Options{Location: seattle}, rows: []row{
			{"the beginning", `DNS Server log file creation at 11/25/2026 9:50:00 PM`, passed},
			{"the key", `Message logging key (for packets - other items use a subset of these fields):`, passed},
			{"a line of the key", "\tField #  Information         Values", passed},
			{"received", `11/25/2026 9:54:52 PM 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] MX     (7)example(2)ml(0)`, "2026-11-26T05:54:52Z 192.0.2.25 example.ml. MX"},
			{"the forwarder's copy", `11/25/2026 9:54:52 PM 0E70 PACKET  00000000033397A0 UDP Snd 192.0.2.53      5b47   Q [0001   D   NOERROR] MX     (7)example(2)ml(0)`, passed},
			{"the response of the forwarder", `11/25/2026 9:54:52 PM 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.53      5b47 R Q [8381   DR NXDOMAIN] MX     (7)example(2)ml(0)`, passed},
			{"the response", `11/25/2026 9:54:52 PM 0E70 PACKET  00000000033397A0 UDP Snd 192.0.2.25      5b47 R Q [8381   DR NXDOMAIN] MX     (7)example(2)ml(0)`, passed},
			{"midnight", `11/26/2026 12:04:52 AM 0E70 PACKET  00000000033397A0 TCP Rcv 2001:db8::25    5b47   Q [0001   D   NOERROR] AAAA   (7)Example(2)ML(0)`, "2026-11-26T08:04:52Z 2001:db8::25 Example.ML. AAAA"},
			{"noon", `11/26/2026 12:04:52 PM 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] A      (7)example(2)ml(0)`, "2026-11-26T20:04:52Z 192.0.2.25 example.ml. A"},
			{"a day that could be a month, known from before", `12/1/2026 9:54:52 PM 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] 65     (7)example(2)ml(0)`, "2026-12-02T05:54:52Z 192.0.2.25 example.ml. HTTPS"},
			{"brackets, a dot and a space in a label", `11/25/2026 9:54:52 PM 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] A      (8)a(2)b c.(2)ml(0)`, `2026-11-26T05:54:52Z 192.0.2.25 a\(2\)b\032c\..ml. A`},
			{"the root", `11/25/2026 9:54:52 PM 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] NS     (0)`, "2026-11-26T05:54:52Z 192.0.2.25 . NS"},
			{"an update", `11/25/2026 9:54:52 PM 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   U [0028       NOERROR] SOA    (7)example(2)ml(0)`, passed},
			{"details", `UDP question info at 00000000033397A0`, passed},
			{"more of them", `    Offset = 0x000c, RR count = 0`, passed},
			{"an event", `11/25/2026 9:54:53 PM 0E70 EVENT   The DNS server has started.`, passed},
			{"a length that is wrong", `11/25/2026 9:54:52 PM 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] A      (9)example(2)ml(0)`, unknown},
			{"cut", `11/25/2026 9:54:52 PM 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D`, unknown},
		},
	},
	{
		format: "windows", version: "2016, Germany", rows: []row{
			{"a day that could be a month", `01.12.2026 21:54:52 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] MX     (7)example(2)ml(0)`, "~2026-12-01T21:54:52Z 192.0.2.25 example.ml. MX"},
			{"one that could not", `25.11.2026 21:54:52 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] MX     (7)example(2)ml(0)`, "2026-11-25T21:54:52Z 192.0.2.25 example.ml. MX"},
			{"so this is known", `01.12.2026 21:54:52 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] MX     (7)example(2)ml(0)`, "2026-12-01T21:54:52Z 192.0.2.25 example.ml. MX"},
		},
	},
	{
		format: "windows", version: "2016, Sweden", rows: []row{
			{"the year first", `2026-11-05 21:54:52 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] MX     (7)example(2)ml(0)`, "2026-11-05T21:54:52Z 192.0.2.25 example.ml. MX"},
		},
	},
	{
		format: "windows", version: "2003", rows: []row{
			{"no separators and no context", `20261125 21:54:52 0E70 PACKET  UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] MX     (7)example(2)ml(0)`, "2026-11-25T21:54:52Z 192.0.2.25 example.ml. MX"},
		},
	},
	{
		format: "windows", version: "2022, Australia", rows: []row{
			{"day first with a clock of twelve hours, not known yet", `5/11/2026 9:54:52 pm 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] MX     (7)example(2)ml(0)`, "~2026-05-11T21:54:52Z 192.0.2.25 example.ml. MX"},
			{"known", `25/11/2026 9:54:52 pm 0E70 PACKET  00000000033397A0 UDP Rcv 192.0.2.25      5b47   Q [0001   D   NOERROR] MX     (7)example(2)ml(0)`, "2026-11-25T21:54:52Z 192.0.2.25 example.ml. MX"},
		},
	},
}
