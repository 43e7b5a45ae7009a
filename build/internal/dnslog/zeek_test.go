package dnslog

var zeekCorpora = []corpus{
	{
		format: "zeek", version: "6 in columns", rows: []row{
			{"the separator", `#separator \x09`, passed},
			{"of sets", "#set_separator\t,", passed},
			{"empty", "#empty_field\t(empty)", passed},
			{"unset", "#unset_field\t-", passed},
			{"the log", "#path\tdns", passed},
			{"when", "#open\t2026-11-25-21-00-00", passed},
			{"the columns", "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\ttrans_id\trtt\tquery\tqclass\tqclass_name\tqtype\tqtype_name\trcode\trcode_name\tAA\tTC\tRD\tRA\tZ\tanswers\tTTLs\trejected", passed},
			{"their types", "#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tcount\tinterval\tstring\tcount\tstring\tcount\tstring\tcount\tstring\tbool\tbool\tbool\tbool\tcount\tvector[string]\tvector[interval]\tbool", passed},
			{"a transaction", "1795643692.103412\tCx1\t192.0.2.25\t33785\t192.0.2.53\t53\tudp\t7\t0.01\texample.ml\t1\tC_INTERNET\t15\tMX\t3\tNXDOMAIN\tF\tF\tT\tT\t0\t-\t-\tF", "2026-11-25T21:54:52.103412Z 192.0.2.25 example.ml MX"},
			{"a type without a name", "1795643692.103412\tCx1\t192.0.2.25\t33785\t192.0.2.53\t53\tudp\t7\t0.01\texample.ml\t1\tC_INTERNET\t65\t-\t3\tNXDOMAIN\tF\tF\tT\tT\t0\t-\t-\tF", "2026-11-25T21:54:52.103412Z 192.0.2.25 example.ml HTTPS"},
			{"escapes", "1795643692.103412\tCx1\t192.0.2.25\t33785\t192.0.2.53\t53\tudp\t7\t0.01\ta\\x09b\\\\c d.example.ml\t1\tC_INTERNET\t1\tA\t3\tNXDOMAIN\tF\tF\tT\tT\t0\t-\t-\tF", `2026-11-25T21:54:52.103412Z 192.0.2.25 a\009b\\c\032d.example.ml A`},
			{"no question", "1795643692.103412\tCx1\t192.0.2.25\t33785\t192.0.2.53\t53\tudp\t7\t-\t-\t-\t-\t-\t-\t0\tNOERROR\tF\tF\tF\tF\t0\t-\t-\tF", passed},
			{"mDNS", "1795643692.103412\tCx1\t192.0.2.25\t5353\t224.0.0.251\t5353\tudp\t0\t-\texample.local\t1\tC_INTERNET\t1\tA\t-\t-\tF\tF\tF\tF\t0\t-\t-\tF", passed},
			{"NetBIOS", "1795643692.103412\tCx1\t192.0.2.25\t137\t192.0.2.255\t137\tudp\t0\t-\tWORKGROUP\t1\tC_INTERNET\t32\tNB\t-\t-\tF\tF\tF\tF\t0\t-\t-\tF", passed},
			{"another class", "1795643692.103412\tCx1\t192.0.2.25\t33785\t192.0.2.53\t53\tudp\t7\t0.01\tversion.bind\t3\tC_CHAOS\t16\tTXT\t3\tNXDOMAIN\tF\tF\tT\tT\t0\t-\t-\tF", passed},
			{"cut by a crash", "1795643692.103412\tCx1\t192.0.2.25\t33785\t192.0.2.53\t53\tudp\t7\t0.01\texample.ml", unknown},
			{"the end", "#close\t2026-11-25-22-00-00", passed},
			{"the next file, with other columns", `#separator |`, passed},
			{"its log", "#path|dns", passed},
			{"its columns", "#fields|ts|id.orig_h|query|qtype_name|opcode|opcode_name", passed},
			{"its transaction", "1795643692.2|2001:db8::25|Example.ML|A|0|query", "2026-11-25T21:54:52.2Z 2001:db8::25 Example.ML A"},
		},
	},
	{
		format: "zeek", version: "6, another log", rows: []row{
			{"the separator", `#separator \x09`, passed},
			{"the log", "#path\tconn", passed},
			{"the columns", "#fields\tts\tuid\tid.orig_h", passed},
			{"a connection", "1795643692.103412\tCx1\t192.0.2.25", passed},
			{"the next log", "#path\tdns", passed},
			{"its columns", "#fields\tts\tid.orig_h\tquery\tqtype_name", passed},
			{"a transaction", "1795643692.103412\t192.0.2.25\texample.ml\tMX", "2026-11-25T21:54:52.103412Z 192.0.2.25 example.ml MX"},
		},
	},
	{
		format: "zeek", version: "6 in JSON", rows: []row{
			{"a transaction", `{"ts":1795643692.103412,"uid":"Cx1","id.orig_h":"192.0.2.25","id.orig_p":33785,"id.resp_h":"192.0.2.53","id.resp_p":53,"query":"example.ml","qclass":1,"qtype":15,"qtype_name":"MX","rcode_name":"NXDOMAIN"}`, "2026-11-25T21:54:52.103412Z 192.0.2.25 example.ml MX"},
			{"time in ISO 8601", `{"ts":"2026-11-25T21:54:52.103412Z","id.orig_h":"2001:db8::25","id.resp_p":53,"query":"Example.ML","qtype":65}`, "2026-11-25T21:54:52.103412Z 2001:db8::25 Example.ML HTTPS"},
			{"LLMNR", `{"ts":1795643692.1,"id.orig_h":"192.0.2.25","id.resp_p":5355,"query":"printer","qtype_name":"A"}`, passed},
			{"another log", `{"ts":1795643692.1,"uid":"Cx1","id.orig_h":"192.0.2.25","id.resp_p":443,"service":"ssl"}`, passed},
			{"a time that is none", `{"ts":"yesterday","id.orig_h":"192.0.2.25","id.resp_p":53,"query":"example.ml","qtype_name":"MX"}`, unknown},
			{"cut", `{"ts":1795643692.1,"id.orig_h":"192.0`, unknown},
		},
	},
}
