package format

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
)

// flatten turns an object into dotted keys.
func flatten(prefix string, v any, into map[string]any) {
	if m, ok := v.(map[string]any); ok {
		for k, v := range m {
			flatten(strings.TrimPrefix(prefix+"."+k, "."), v, into)
		}
		return
	}
	into[prefix] = v
}

func decode(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	flat := make(map[string]any)
	flatten("", v, flat)
	return flat
}

// TestECS lists every field of a record.
func TestECS(t *testing.T) {
	want := map[string]string{
		"@timestamp":                         "2026-11-23T08:45:00.000Z",
		"message":                            "192.0.2.25 asked for mail.xn--rmy-5cd.ml (mail.аrmy.ml) by way of partner.example and other.example, which resembles army.mil, arm.mil (idn-homoglyph, high confidence); answered with the sinkhole; 42 queries since 08:41:00Z, 57 in all; mail from alice@example.org to bob@army.ml was refused",
		"ecs.version":                        "9.4.0",
		"tags":                               "[idn-homoglyph]",
		"event.kind":                         "alert",
		"event.category":                     "[intrusion_detection network]",
		"event.type":                         "[denied]",
		"event.action":                       "sinkhole",
		"event.outcome":                      "success",
		"event.module":                       "lookalike",
		"event.dataset":                      "lookalike.alert",
		"event.provider":                     "coredns",
		"event.id":                           "019ab0d2-8c33-7e1f-9a54-6b1f0c2d7e88",
		"event.sequence":                     "918273",
		"event.severity":                     "73",
		"event.risk_score":                   "90",
		"event.code":                         "idn-homoglyph",
		"event.reason":                       "army.ml is army.mil under ml",
		"event.created":                      "2026-11-23T08:45:00.000Z",
		"event.start":                        "2026-11-23T08:41:00.000Z",
		"event.end":                          "2026-11-23T08:45:00.000Z",
		"event.duration":                     "2.4e+11",
		"rule.id":                            "idn-homoglyph",
		"rule.name":                          "Internationalised name that looks like a protected one",
		"rule.category":                      "lookalike-domain",
		"rule.ruleset":                       "lookalike",
		"rule.version":                       "1.0.0",
		"threat.framework":                   "MITRE ATT&CK",
		"threat.tactic.id":                   "[TA0042]",
		"threat.tactic.name":                 "[Resource Development]",
		"threat.technique.id":                "[T1583]",
		"threat.technique.name":              "[Acquire Infrastructure]",
		"threat.technique.subtechnique.id":   "[T1583.001]",
		"threat.technique.subtechnique.name": "[Domains]",
		"threat.indicator.type":              "domain-name",
		"threat.indicator.name":              "xn--rmy-5cd.ml",
		"threat.indicator.confidence":        "High",
		"source.ip":                          "192.0.2.25",
		"source.port":                        "41532",
		"destination.ip":                     "192.0.2.53",
		"destination.port":                   "53",
		"network.transport":                  "udp",
		"network.type":                       "ipv4",
		"network.protocol":                   "dns",
		"dns.type":                           "answer",
		"dns.id":                             "51234",
		"dns.op_code":                        "QUERY",
		"dns.question.name":                  "mail.xn--rmy-5cd.ml",
		"dns.question.type":                  "MX",
		"dns.question.class":                 "IN",
		"dns.question.registered_domain":     "xn--rmy-5cd.ml",
		"dns.question.subdomain":             "mail",
		"dns.question.top_level_domain":      "ml",
		"dns.response_code":                  "NXDOMAIN",
		"dns.resolved_ip":                    "[192.0.2.99]",
		"observer.type":                      "dns",
		"observer.vendor":                    "lookalike",
		"observer.product":                   "coredns-lookalike",
		"observer.version":                   "1.0.0",
		"observer.hostname":                  "ns1.example.org",
		"observer.ip":                        "[192.0.2.53]",
		"host.hostname":                      "ns1.example.org",
		"service.type":                       "coredns",
		"agent.type":                         "lookalike",
		"agent.version":                      "1.0.0",
		"agent.ephemeral_id":                 "019ab0b1-0000-7aaa-8bbb-000000000001",
		"related.ip":                         "[192.0.2.25 192.0.2.53]",
		"related.hosts":                      "[mail.xn--rmy-5cd.ml mx1.xn--rmy-5cd.ml army.mil arm.mil]",
		"lookalike.schema":                   "1",
		"lookalike.class":                    "idn-homoglyph",
		"lookalike.confidence":               "high",
		"lookalike.protected":                "[army.mil arm.mil]",
		"lookalike.did_you_mean":             "[mail.army.mil mail.arm.mil]",
		"lookalike.unicode":                  "mail.аrmy.ml",
		"lookalike.action":                   "sinkhole",
		"lookalike.phase":                    "update",
		"lookalike.count":                    "42",
		"lookalike.total":                    "57",
		"lookalike.first_seen":               "2026-11-23T08:40:00.000Z",
		"lookalike.qtypes":                   "[MX A AAAA other]",
		"lookalike.samples":                  "[mail.xn--rmy-5cd.ml mx1.xn--rmy-5cd.ml]",
		"lookalike.distinct_names":           "2",
		"lookalike.context":                  "tlsa",
		"lookalike.vias":                     "[partner.example other.example]",
		"lookalike.smtp":                     "[map[from:alice@example.org helo:mx.example.org to:bob@army.ml]]",
		"lookalike.group":                    "",
		"lookalike.sensor":                   "ns1.example.org",
		"lookalike.protocol":                 "dns",
		"lookalike.server_block":             "dns://.:53",
		"lookalike.view":                     "mail",
		"lookalike.test":                     "false",
	}
	got := decode(t, ecs.Append(nil, recordtest.Sample()))
	for k, v := range got {
		w, ok := want[k]
		if k == "lookalike.group" {
			w = recordtest.Sample().Group
		}
		if s := fmt.Sprint(v); !ok || s != w {
			t.Errorf("Got %s = %s, want %q", k, s, w)
		}
		delete(want, k)
	}
	for k := range want {
		t.Errorf("Got no %s", k)
	}
}

// ecsArrays are the fields that ECS 9.4 normalises as arrays, and ecsKinds
// the values that it allows.
var (
	ecsArrays = []string{
		"tags", "event.category", "event.type", "threat.tactic.id", "threat.tactic.name", "threat.technique.id",
		"threat.technique.name", "threat.technique.subtechnique.id", "threat.technique.subtechnique.name",
		"dns.resolved_ip", "observer.ip", "related.ip", "related.hosts",
	}
	ecsAllowed = map[string][]string{
		"event.kind":                  {"alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal"},
		"event.outcome":               {"failure", "success", "unknown"},
		"dns.type":                    {"answer", "query"},
		"threat.indicator.confidence": {"Not Specified", "None", "Low", "Medium", "High"},
		"threat.indicator.type":       {"domain-name"},
	}
)

// ecsFields are the fields of ECS 9.4 that records may have, by field set. What
// is not among them belongs below lookalike.
var ecsFields = map[string]string{
	"":             "@timestamp message tags",
	"ecs":          "version",
	"event":        "kind category type action outcome module dataset provider id sequence severity risk_score code reason created start end duration",
	"rule":         "id name category ruleset version",
	"threat":       "framework tactic.id tactic.name technique.id technique.name technique.subtechnique.id technique.subtechnique.name indicator.type indicator.name indicator.confidence",
	"source":       "ip port",
	"destination":  "ip port",
	"network":      "transport type protocol",
	"dns":          "type id op_code response_code resolved_ip",
	"dns.question": "name type class registered_domain subdomain top_level_domain",
	"observer":     "type vendor product version hostname ip",
	"host":         "hostname",
	"service":      "type",
	"agent":        "type version ephemeral_id",
	"related":      "ip hosts",
}

// isECS reports whether ecsFields has a key.
func isECS(key string) bool {
	for set, names := range ecsFields {
		name, ok := strings.CutPrefix("."+key, strings.TrimSuffix("."+set, ".")+".")
		if ok && slices.Contains(strings.Fields(names), name) {
			return true
		}
	}
	return false
}

func TestECSConforms(t *testing.T) {
	for name, r := range recordtest.EveryPhase() {
		t.Run(name, func(t *testing.T) {
			body := ecs.Append(nil, r)
			got := decode(t, body)
			for k, v := range got {
				_, array := v.([]any)
				if !strings.HasPrefix(k, "lookalike.") && array != slices.Contains(ecsArrays, k) {
					t.Errorf("Got %s = %v, an array: %v", k, v, array)
				}
				if !strings.HasPrefix(k, "lookalike.") && !isECS(k) {
					t.Errorf("Got %s, which is no field of ECS", k)
				}
				if allowed, ok := ecsAllowed[k]; ok && !slices.Contains(allowed, fmt.Sprint(v)) {
					t.Errorf("Got %s = %v, want one of %q", k, v, allowed)
				}
			}
			for _, required := range []string{"@timestamp", "message", "ecs.version", "event.kind", "event.id", "lookalike.phase"} {
				if got[required] == nil {
					t.Errorf("Got no %s", required)
				}
			}
			if strings.Contains(fmt.Sprint(got["message"]), "meant") || strings.ContainsAny(string(body), "\n\r") {
				t.Errorf("Got body %s", body)
			}
		})
	}
}

// TestMailMessages holds that records about refused messages say whose they
// were, in every format.
func TestMailMessages(t *testing.T) {
	two := []record.SMTP{{From: "alice@example.org", To: "bob@army.ml", HELO: "mx1.example.org"}, {To: "carol@army.ml", HELO: "mx2.example.org"}}
	tests := []struct {
		name  string
		phase record.Phase
		total uint64
		smtp  []record.SMTP
		more  uint64
		kind  string
		want  string
	}{
		{"a message without a query", record.First, 0, two[:1], 0, "alert",
			"192.0.2.25: mail from alice@example.org to bob@army.ml was refused; mail.xn--rmy-5cd.ml resembles army.mil, arm.mil (idn-homoglyph, high confidence)"},
		{"more than one, after a query", record.Update, 1, two, 3, "alert",
			"192.0.2.25: mail from alice@example.org to bob@army.ml was refused (and 4 more); mail.xn--rmy-5cd.ml resembles army.mil, arm.mil (idn-homoglyph, high confidence)"},
		{"a bounce", record.Final, 1, two[1:], 0, "alert",
			"192.0.2.25: mail from <> to carol@army.ml was refused; mail.xn--rmy-5cd.ml resembles army.mil, arm.mil (idn-homoglyph, high confidence); no more is expected, 1 query in all since 08:40:00Z"},
		{"a roll-up", record.Storm, 0, two, 0, "alert",
			"192.0.2.25: mail from alice@example.org to bob@army.ml was refused (and 1 more); the names resemble protected ones (idn-homoglyph)"},
		{"the end of messages without a query", record.Final, 0, nil, 0, "event",
			"192.0.2.25 had mail refused to mail.xn--rmy-5cd.ml (mail.аrmy.ml) by way of partner.example and other.example, which resembles army.mil, arm.mil (idn-homoglyph, high confidence); no more is expected"},
		{"an envelope that plays with the screen", record.First, 0, []record.SMTP{{From: "a\u202e\nb@example.org", To: "\x00c@army.ml"}}, 0, "alert",
			"192.0.2.25: mail from ab@example.org to c@army.ml was refused; mail.xn--rmy-5cd.ml resembles army.mil, arm.mil (idn-homoglyph, high confidence)"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			r := recordtest.Sample()
			r.Phase, r.Count, r.Total, r.SMTP, r.SMTPMore = tc.phase, 0, tc.total, tc.smtp, tc.more
			if got := r.Message(); got != tc.want {
				t.Errorf("Got message\n%q, want\n%q", got, tc.want)
			}
			if got := decode(t, ecs.Append(nil, r))["event.kind"]; got != tc.kind {
				t.Errorf("Got event.kind %v, want %s", got, tc.kind)
			}
			if got := decode(t, ocsf.Append(nil, r))["is_alert"]; got != (tc.kind == "alert") {
				t.Errorf("Got is_alert %v, want %v", got, tc.kind == "alert")
			}
		})
	}
	r := recordtest.Sample()
	r.SMTP = two
	_, extension := decodeCEF(t, string(cef.Append(nil, r)))
	_, attributes := decodeLEEF(t, string(leef.Append(nil, r)))
	params := decodeStructured(t, string(structured.Append(nil, r)))
	for what, got := range map[string][3]string{
		"cef": {extension["suser"], extension["duser"], extension["shost"]}, "leef": {attributes["smtpFrom"], attributes["smtpTo"], attributes["smtpHelo"]},
		"rfc5424-sd": {params["from"], params["to"], params["helo"]},
	} {
		if want := [3]string{"alice@example.org,", "bob@army.ml,carol@army.ml", "mx1.example.org,mx2.example.org"}; got != want {
			t.Errorf("Got envelopes %q in %s, want %q", got, what, want)
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"army.ml", "a\"b\\c", "\x00\x1f\x7f\u0085\u2028", "\xff\xfe", "\U0001f600"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := AppendString(nil, s)
		var got string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%v in %q", err, b)
		}
		want := strings.ToValidUTF8(s, "\ufffd")
		if !utf8.ValidString(s) { // one replacement a byte, as range has it
			want = string([]rune(s))
		}
		if got != want {
			t.Errorf("Got %q, want %q", got, want)
		}
		for _, c := range string(b) {
			if c < ' ' || 0x7f <= c && c < 0xa0 {
				t.Errorf("Got a control character in %q", b)
			}
		}
	})
}
