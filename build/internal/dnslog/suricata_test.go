package dnslog

var suricataCorpora = []corpus{
	{
		format: "suricata", version: "7, EVE DNS version 2", rows: []row{
			{"a query", `{"timestamp":"2026-11-25T21:54:52.103412+0100","flow_id":1,"event_type":"dns","src_ip":"192.0.2.25","src_port":33785,"dest_ip":"192.0.2.53","dest_port":53,"proto":"UDP","dns":{"type":"query","id":7,"rrname":"example.ml","rrtype":"MX","tx_id":0}}`, "2026-11-25T20:54:52.103412Z 192.0.2.25 example.ml MX"},
			{"its answer", `{"timestamp":"2026-11-25T21:54:52.103412+0000","event_type":"dns","src_ip":"192.0.2.25","dest_ip":"192.0.2.53","dest_port":53,"dns":{"version":2,"type":"answer","id":7,"rrname":"example.ml","rrtype":"MX","rcode":"NXDOMAIN"}}`, passed},
			{"an alert that repeats it", `{"timestamp":"2026-11-25T21:54:52.103412+0000","event_type":"alert","src_ip":"192.0.2.25","alert":{"signature_id":1},"dns":{"query":[{"type":"query","rrname":"example.ml","rrtype":"MX"}]}}`, passed},
			{"another protocol", `{"timestamp":"2026-11-25T21:54:52.103412+0000","event_type":"tls","src_ip":"192.0.2.25"}`, passed},
			{"mDNS", `{"timestamp":"2026-11-25T21:54:52.103412+0000","event_type":"dns","src_ip":"192.0.2.25","dest_port":5353,"dns":{"type":"query","rrname":"example.local","rrtype":"A"}}`, passed},
			{"a space and a quote in a name", `{"timestamp":"2026-11-25T21:54:52.103412+0000","event_type":"dns","src_ip":"2001:db8::25","dest_port":53,"dns":{"type":"query","rrname":"a b\"c.example.ml","rrtype":"TXT"}}`, `2026-11-25T21:54:52.103412Z 2001:db8::25 a\032b\"c.example.ml TXT`},
			{"cut", `{"timestamp":"2026-11-25T21:54:52.103412+0000","event_type":"dns","src_ip":"192.0.2.25","dns":{"type":"qu`, unknown},
			{"a kind that is new", `{"timestamp":"2026-11-25T21:54:52.103412+0000","event_type":"dns","src_ip":"192.0.2.25","dns":{"type":"notify"}}`, unknown},
		},
	},
	{
		format: "suricata", version: "8, EVE DNS version 3", rows: []row{
			{"two questions", `{"timestamp":"2026-11-25T21:54:52.103412+0000","event_type":"dns","src_ip":"192.0.2.25","dest_port":53,"dns":{"version":3,"type":"request","tx_id":0,"id":7,"flags":"100","rd":true,"opcode":0,"rcode":"NOERROR","queries":[{"rrname":"example.ml","rrtype":"MX"},{"rrname":"mx.example.ml","rrtype":"A"}]}}`, "2026-11-25T21:54:52.103412Z 192.0.2.25 example.ml MX; 2026-11-25T21:54:52.103412Z 192.0.2.25 mx.example.ml A"},
			{"a response, whose source is the server", `{"timestamp":"2026-11-25T21:54:52.103412+0000","event_type":"dns","src_ip":"192.0.2.53","dest_port":33785,"dns":{"version":3,"type":"response","queries":[{"rrname":"example.ml","rrtype":"MX"}]}}`, passed},
			{"one question, after two", `{"timestamp":"2026-11-25T21:54:52.5+0000","event_type":"dns","src_ip":"192.0.2.25","dest_port":53,"dns":{"version":3,"type":"request","queries":[{"rrname":"example.ml","rrtype":"HTTPS"}]}}`, "2026-11-25T21:54:52.5Z 192.0.2.25 example.ml HTTPS"},
		},
	},
}

var adguardCorpora = []corpus{
	{
		format: "adguard", version: "0.107", rows: []row{
			{"a query", `{"T":"2026-11-25T22:54:52.103412345+01:00","QH":"example.ml","QT":"MX","QC":"IN","CP":"","Upstream":"https://dns.example.net/dns-query","Answer":"","IP":"192.0.2.25","Result":{},"Elapsed":1000,"Cached":true}`, "2026-11-25T21:54:52.103412345Z 192.0.2.25 example.ml MX"},
			{"an address that was cut", `{"T":"2026-11-25T21:54:52.1Z","QH":"Example.ML","QT":"HTTPS","QC":"IN","CP":"doh","IP":"192.0.0.0","Result":{"IsFiltered":true}}`, "2026-11-25T21:54:52.1Z 192.0.0.0 Example.ML HTTPS"},
			{"the root", `{"T":"2026-11-25T21:54:52.1Z","QH":"","QT":"NS","QC":"IN","CP":"","IP":"2001:db8::25"}`, "2026-11-25T21:54:52.1Z 2001:db8::25 . NS"},
			{"another class", `{"T":"2026-11-25T21:54:52.1Z","QH":"version.bind","QT":"TXT","QC":"CH","CP":"","IP":"192.0.2.25"}`, passed},
			{"a time that is none", `{"T":"now","QH":"example.ml","QT":"MX","QC":"IN","CP":"","IP":"192.0.2.25"}`, unknown},
			{"cut", `{"T":"2026-11-25T21:54:52.1Z","QH":"exam`, unknown},
		},
	},
}
