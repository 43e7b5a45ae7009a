package dnslog

import (
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

var recursorCorpora = []corpus{
	{
		format: "recursor", version: "4.8", rows: []row{
			{"a question", `msg="Question" subsystem="syncres" level="0" prio="Info" tid="2" ts="1795643477.158" ecs="" mtasker="1" proto="udp" qname="example.ml" qtype="MX" remote="192.0.2.25:34918"`, "2026-11-25T21:51:17.158Z 192.0.2.25 example.ml MX"},
			{"with the time of a terminal", `Nov 25 21:51:17 msg="Question" subsystem="syncres" ts="1795643477.158" qname="example.ml" qtype="A" remote="[2001:db8::25]:34918"`, "2026-11-25T21:51:17.158Z 2001:db8::25 example.ml A"},
			{"from the packet cache", `msg="Question answered from packet cache" subsystem="in" ts="1795643478.5" qname="Example.ML" qtype="MX" remote="192.0.2.25:34919" tag="0"`, "2026-11-25T21:51:18.5Z 192.0.2.25 Example.ML MX"},
			{"from the packet cache, over TCP", `msg="TCP question answered from packet cache" subsystem="in" ts="1795643478.5" proto="tcp" qname="example.ml" qtype="MX" remote="192.0.2.25:34919" tag="0"`, "2026-11-25T21:51:18.5Z 192.0.2.25 example.ml MX"},
			{"the start", `PowerDNS Recursor 4.8.8 (C) 2001-2022 PowerDNS.COM BV`, passed},
			{"the answer", `msg="Answer" subsystem="syncres" ts="1795643477.2" qname="example.ml" qtype="MX" rcode="3" remote="192.0.2.25:34918"`, passed},
			{"escapes, doubled", `msg="Question" ts="1795643477.158" qname="a\\032b\\\\c\"d.example.ml" qtype="TXT" remote="192.0.2.25:34918"`, `2026-11-25T21:51:17.158Z 192.0.2.25 a\032b\\c"d.example.ml TXT`},
			{"a name that quotes a key", `msg="Question" ts="1795643477.158" qname="a\" remote=\"192.0.2.1.example.ml" qtype="A" remote="192.0.2.25:34918"`, unknown},
			{"a type without a name", `msg="Question" ts="1795643477.158" qname="example.ml" qtype="TYPE64" remote="192.0.2.25:34918"`, "2026-11-25T21:51:17.158Z 192.0.2.25 example.ml SVCB"},
			{"no name", `msg="Question" ts="1795643477.158" qtype="A" remote="192.0.2.25:34918"`, unknown},
			{"cut", `msg="Question" ts="1795643477.158" qname="exam`, unknown},
		},
	},
	{
		format: "recursor", version: "5.0 in JSON", rows: []row{
			{"a question", `{"ecs":"","level":"0","msg":"Question","mtasker":"1","proto":"udp","qname":"a\\032b.example.ml","qtype":"MX","remote":"192.0.2.25:34918","subsystem":"syncres","tid":"2","ts":"1795643477.158"}`, `2026-11-25T21:51:17.158Z 192.0.2.25 a\032b.example.ml MX`},
			{"the answer", `{"level":"0","msg":"Answer","subsystem":"syncres","qname":"example.ml","qtype":"MX","remote":"192.0.2.25:34918","ts":"1795643477.158"}`, passed},
			{"another program", `{"message":"Question"}`, unknown},
		},
	},
	{
		format: "recursor", version: "4.5", program: "pdns_recursor", wrapped: time.Date(2026, 11, 25, 21, 51, 17, 0, time.UTC), rows: []row{
			{"a question", `2 [1/1] question for 'example.ml|MX' from 192.0.2.25:34918`, "2026-11-25T21:51:17Z 192.0.2.25 example.ml MX"},
			{"IPv6", `3 [7/1] question for 'example.ml|A' from [2001:db8::25]:34918`, "2026-11-25T21:51:17Z 2001:db8::25 example.ml A"},
			{"a name that quotes the end", `3 [7/1] question for 'a|A'\032from\032192.0.2.1.example.ml|MX' from 192.0.2.25:34918`, `2026-11-25T21:51:17Z 192.0.2.25 a|A'\032from\032192.0.2.1.example.ml MX`},
			{"from the packet cache, without a name", `2 question answered from packet cache tag=0 from 192.0.2.25:34918`, passed},
			{"the same over TCP", `2 TCP question answered from packet cache tag=0 from 192.0.2.25:34918`, passed},
			{"the answer", `2 [1/1] answer to question 'example.ml|MX': 0 answers, 1 additional, took 3 packets`, passed},
			{"cut", `2 [1/1] question for 'exam`, unknown},
		},
	},
}

// TestNameless has the parser tell of queries that name no domain.
func TestNameless(t *testing.T) {
	p := formatNamed(t, "recursor").New(event.Options{})
	for _, text := range []string{
		`2 question answered from packet cache tag=0 from 192.0.2.25:34918`,
		`2 TCP question answered from packet cache tag=0 from [2001:db8::25]:34918`,
		"Question",
	} {
		if taken := p.Line(&event.Line{Text: []byte(text), Program: "pdns-recursor"}, nil); taken != event.Passed {
			t.Errorf("%s: taken as %d, want passed", text, taken)
		}
	}
	w, _ := p.(event.Warner)
	if got := w.Warnings(); len(got) != 1 || !strings.HasPrefix(got[0], "3 queries name no domain") {
		t.Errorf("warnings %q, want that 3 queries name no domain", got)
	}
	if got := w.Warnings(); got != nil {
		t.Errorf("warnings of the next file %q, want none", got)
	}
}
