package format

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/leodido/go-syslog/v4/rfc5424"
	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

func TestParseFormat(t *testing.T) {
	for _, name := range []string{"ecs", "ocsf", "cef", "leef", "rfc5424-sd"} {
		f, err := Parse(name)
		if err != nil || f.String() != name {
			t.Errorf("Got format %v and error %v, want %q", f, err, name)
		}
	}
	if _, err := Parse("ECS"); err == nil || !strings.Contains(err.Error(), "known: ecs, ocsf, cef, leef, rfc5424-sd") {
		t.Errorf("Got error %v, want one with the formats that are known", err)
	}
}

// ocsfRequired are the attributes that OCSF 1.8.0 requires in class 4003, and
// in the objects that we use.
var ocsfRequired = []string{
	"activity_id", "category_uid", "class_uid", "metadata.product.vendor_name", "metadata.version", "severity_id",
	"time", "type_uid", "dst_endpoint.hostname", "connection_info.direction_id",
}

// ocsfNumbers are the attributes whose type is a number.
var ocsfNumbers = []string{
	"activity_id", "category_uid", "class_uid", "severity_id", "time", "type_uid", "start_time", "end_time", "duration",
	"count", "status_id", "action_id", "disposition_id", "confidence_id", "confidence_score", "risk_level_id", "risk_score",
	"src_endpoint.port", "dst_endpoint.port", "connection_info.direction_id", "connection_info.protocol_num",
	"connection_info.protocol_ver_id", "query.opcode_id", "query.packet_uid", "rcode_id", "query_time",
	"metadata.sequence", "metadata.logged_time", "timezone_offset", "unmapped.total", "unmapped.first_seen",
}

func TestOCSFConforms(t *testing.T) {
	for name, r := range recordtest.EveryPhase() {
		t.Run(name, func(t *testing.T) {
			got := decode(t, ocsf.Append(nil, r))
			for _, k := range ocsfRequired {
				if got[k] == nil {
					t.Errorf("Got no %s", k)
				}
			}
			for k, v := range got {
				_, isNumber := v.(float64)
				if wantNumber := slices.Contains(ocsfNumbers, k); wantNumber && !isNumber {
					t.Errorf("Got %s = %v, want a number", k, v)
				}
			}
			if got["class_uid"].(float64)*100+got["activity_id"].(float64) != got["type_uid"] {
				t.Errorf("Got type %v of class %v and activity %v", got["type_uid"], got["class_uid"], got["activity_id"])
			}
			if named := r.Phase != record.Lost && r.Phase != record.Test; named && got["query.hostname"] == nil {
				t.Error("Got no query.hostname")
			}
		})
	}
}

func TestOCSF(t *testing.T) {
	want := map[string]string{
		"class_uid": "4003", "type_uid": "400306", "time": "1.79542326e+12", "duration": "240000", "severity_id": "4",
		"is_alert": "true", "action_id": "4", "action": "Modified", "disposition_id": "2", "confidence_id": "3",
		"confidence_score": "90", "count": "42", "src_endpoint.ip": "192.0.2.25", "query.hostname": "mail.xn--rmy-5cd.ml",
		"rcode_id": "3", "rcode": "NXDomain", "answers": "[map[class:IN rdata:192.0.2.99 type:A]]",
		"metadata.uid":      "019ab0d2-8c33-7e1f-9a54-6b1f0c2d7e88",
		"metadata.profiles": "[security_control]", "unmapped.protected": "[army.mil arm.mil]", "unmapped.qtypes": "[MX A AAAA other]",
		"unmapped.smtp": "[map[from:alice@example.org helo:mx.example.org to:bob@army.ml]]",
		"observables":   "[map[name:src_endpoint.ip type:IP Address type_id:2 value:192.0.2.25] map[name:query.hostname type:Hostname type_id:1 value:mail.xn--rmy-5cd.ml]]",
		"attacks":       "[map[sub_technique:map[name:Domains uid:T1583.001] tactic:map[name:Resource Development uid:TA0042] technique:map[name:Acquire Infrastructure uid:T1583]]]",
	}
	got := decode(t, ocsf.Append(nil, recordtest.Sample()))
	for k, w := range want {
		if s := fmt.Sprint(got[k]); s != w {
			t.Errorf("Got %s = %s, want %s", k, s, w)
		}
	}
}

func TestLines(t *testing.T) {
	r := recordtest.Sample()
	group := r.Group
	const id = "019ab0d2-8c33-7e1f-9a54-6b1f0c2d7e88"
	tests := []struct {
		format *Format
		want   string
	}{
		{cef, `CEF:0|lookalike|coredns-lookalike|1.0.0|idn-homoglyph|Internationalised name that looks like a protected one|8|` +
			`end=1795423500000 msg=` + r.Message() + ` act=sinkhole outcome=success externalId=` + id +
			` cn3Label=sequence cn3=918273 cn1Label=confidence cn1=90 reason=army.ml is army.mil under ml rt=1795423500000` +
			` start=1795423260000 cat=lookalike-domain flexString1Label=mitre flexString1=T1583.001 spt=41532 dpt=53` +
			` cs1Label=qname cs1=mail.xn--rmy-5cd.ml cs5Label=qtype cs5=MX destinationDnsDomain=xn--rmy-5cd.ml` +
			` dvchost=ns1.example.org deviceExternalId=019ab0b1-0000-7aaa-8bbb-000000000001` +
			` cs3Label=protectedName cs3=army.mil,arm.mil cs4Label=didYouMean cs4=mail.army.mil,mail.arm.mil` +
			` cs2Label=qnameUnicode cs2=mail.аrmy.ml cs6Label=phase cs6=update cnt=42 cn2Label=totalCount cn2=57` +
			` deviceCustomDate1Label=firstSeen deviceCustomDate1=1795423200000 requestContext=tlsa` +
			` flexString2Label=groupId flexString2=` + group + ` src=192.0.2.25 dst=192.0.2.53 proto=UDP app=DNS` +
			` deviceProcessName=coredns suser=alice@example.org duser=bob@army.ml shost=mx.example.org`},
		{leef, `LEEF:2.0|lookalike|coredns-lookalike|1.0.0|idn-homoglyph|^|windowEnd=2026-11-23T08:45:00.000Z^action=sinkhole^eventId=` + id +
			`^sequence=918273^confidence=90^reason=army.ml is army.mil under ml^windowStart=2026-11-23T08:41:00.000Z^cat=lookalike-domain` +
			`^mitre=T1583.001^src=192.0.2.25^srcPort=41532^dst=192.0.2.53^dstPort=53^qname=mail.xn--rmy-5cd.ml^qtype=MX` +
			`^registrable=xn--rmy-5cd.ml^rcode=NXDOMAIN^identHostName=ns1.example.org^ephemeralId=019ab0b1-0000-7aaa-8bbb-000000000001` +
			`^confidenceLevel=high^protectedName=army.mil,arm.mil^didYouMean=mail.army.mil,mail.arm.mil^qnameUnicode=mail.аrmy.ml` +
			`^phase=update^count=42^totalCount=57^firstSeen=2026-11-23T08:40:00.000Z^qtypes=MX,A,AAAA,other` +
			`^samples=mail.xn--rmy-5cd.ml,mx1.xn--rmy-5cd.ml^distinctNames=2^context=tlsa^vias=partner.example,other.example^groupId=` + group +
			`^serverBlock=dns://.:53^view=mail^proto=UDP^smtpFrom=alice@example.org^smtpTo=bob@army.ml^smtpHelo=mx.example.org` +
			`^devTime=2026-11-23T08:45:00.000Z^devTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX^sev=8^policy=lookalike`},
		{structured, `[lookalike@32473 end="2026-11-23T08:45:00.000Z" act="sinkhole" id="` + id + `" seq="918273" conf="90"` +
			` reason="army.ml is army.mil under ml" start="2026-11-23T08:41:00.000Z" rule="idn-homoglyph" mitre="T1583.001"` +
			` src="192.0.2.25" spt="41532" dst="192.0.2.53" dpt="53" proto="udp" qname="mail.xn--rmy-5cd.ml" qtype="MX"` +
			` reg="xn--rmy-5cd.ml" rcode="NXDOMAIN" eph="019ab0b1-0000-7aaa-8bbb-000000000001" prot="army.mil,arm.mil"` +
			` dym="mail.army.mil,mail.arm.mil" qu="mail.аrmy.ml" phase="update" cnt="42" total="57" first="2026-11-23T08:40:00.000Z"` +
			` samples="mail.xn--rmy-5cd.ml,mx1.xn--rmy-5cd.ml" names="2" ctx="tlsa" vias="partner.example,other.example" grp="` + group + `"` +
			` block="dns://.:53" view="mail" from="alice@example.org" to="bob@army.ml" helo="mx.example.org" sev="73"]` +
			`[origin software="coredns-lookalike" swVersion="1.0.0" ip="192.0.2.53"] ` + strings.ReplaceAll(r.Message(), "а", "?")},
	}
	for _, tc := range tests {
		if got := string(tc.format.Append(nil, r)); got != tc.want {
			t.Errorf("Got %s\n%s\nwant\n%s", tc.format, got, tc.want)
		}
	}
}

// TestEnded holds where each format has the exception that has ended.
func TestEnded(t *testing.T) {
	const owner = "its owner is mail-team@example.net"
	tests := []struct {
		format *Format
		want   []string
	}{
		{ecs, []string{owner, `"exception":{"name":"xn--rmy-5cd.ml","until":"2026-11-22","owner":"mail-team@example.net","reason":"pensions, \"old\"","ticket":"SEC\\1234"}`}},
		{ocsf, []string{owner, `"exception":{"name":"xn--rmy-5cd.ml","until":"2026-11-22","owner":"mail-team@example.net","reason":"pensions, \"old\"","ticket":"SEC\\1234"}`}},
		{cef, []string{owner}},
		{leef, []string{`^exceptionName=xn--rmy-5cd.ml^exceptionUntil=2026-11-22^exceptionOwner=mail-team@example.net^exceptionReason=pensions, "old"^exceptionTicket=SEC\0921234^`}},
		{structured, []string{owner, ` excName="xn--rmy-5cd.ml" excUntil="2026-11-22" excOwner="mail-team@example.net" excReason="pensions, \"old\"" excTicket="SEC\\0921234" `}},
	}
	for _, tc := range tests {
		with, without := string(tc.format.Append(nil, recordtest.Ended())), string(tc.format.Append(nil, recordtest.Sample()))
		for _, want := range tc.want {
			if !strings.Contains(with, want) || strings.Contains(without, want) {
				t.Errorf("Got %s\n%s\nwant it to contain %s, and one without an exception not to", tc.format, with, want)
			}
		}
	}
}

// TestKeysOnce holds that no format has a key twice: readers keep one of the
// two, each another one.
func TestKeysOnce(t *testing.T) {
	columns := map[string]func(*field) string{
		"ecs": func(f *field) string { return f.ecs }, "ocsf": func(f *field) string { return f.ocsf },
		"cef": func(f *field) string { k, _, _ := strings.Cut(f.cef, ":"); return k }, "leef": func(f *field) string { return f.leef },
		"sd": func(f *field) string { return f.sd },
	}
	for name, column := range columns {
		seen := map[string]bool{"": true}
		for i := range fields {
			if k := column(&fields[i]); k != "" && seen[k] {
				t.Errorf("Got %s key %q twice", name, k)
			} else {
				seen[k] = true
			}
		}
	}
}

// The decoders are written from the formats' rules, not from the encoders.

// decodeCEF returns the header's fields and the extension.
func decodeCEF(t *testing.T, line string) ([]string, map[string]string) {
	t.Helper()
	var header []string
	var part strings.Builder
	i := 0
	for ; i < len(line) && len(header) < 7; i++ {
		switch c := line[i]; {
		case c == '\\' && i+1 < len(line) && (line[i+1] == '|' || line[i+1] == '\\'):
			i++
			part.WriteByte(line[i])
		case c == '|':
			header = append(header, part.String())
			part.Reset()
		default:
			part.WriteByte(c)
		}
	}
	// An extension's value ends where " KEY=" begins.
	extension := make(map[string]string)
	key, value, rest := "", "", line[i:]
	for rest != "" {
		next := strings.IndexFunc(rest, func(c rune) bool { return c == '=' || c == '\\' })
		switch {
		case next < 0:
			value, rest = value+rest, ""
		case rest[next] == '\\':
			if next+1 == len(rest) || !strings.ContainsRune(`\=nr`, rune(rest[next+1])) {
				t.Fatalf("Got a stray backslash in %q", line)
			}
			value, rest = value+rest[:next]+rest[next+1:next+2], rest[next+2:]
		default:
			before := value + rest[:next]
			space := strings.LastIndexByte(before, ' ')
			if key != "" {
				extension[key] = before[:max(space, 0)]
			}
			key, value, rest = before[space+1:], "", rest[next+1:]
		}
	}
	extension[key] = value
	return header, extension
}

func decodeLEEF(t *testing.T, line string) ([]string, map[string]string) {
	t.Helper()
	parts := strings.SplitN(line, "|", 7)
	if len(parts) != 7 {
		t.Fatalf("Got %d parts of %q, want 7", len(parts), line)
	}
	attributes := make(map[string]string)
	for a := range strings.SplitSeq(parts[6], parts[5]) {
		k, v, _ := strings.Cut(a, "=")
		attributes[k] = v
	}
	return parts[:6], attributes
}

func decodeStructured(t *testing.T, line string) map[string]string {
	t.Helper()
	m, err := rfc5424.NewParser().Parse([]byte("<163>1 2026-11-23T08:46:07.101Z ns1.example.org lookalike 4711 tld-swap " + line))
	if err != nil {
		t.Fatalf("%v in %q", err, line)
	}
	return (*m.(*rfc5424.SyslogMessage).StructuredData)[structuredID]
}

func noControls(t *testing.T, line []byte) {
	t.Helper()
	if !utf8.Valid(line) || strings.ContainsFunc(string(line), text.Unsafe) {
		t.Errorf("Got a control character or bad UTF-8 in %q", line)
	}
}

// unescape undoes \DDD, as any reader of names in presentation form does.
func unescape(t *testing.T, s string) string {
	t.Helper()
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		if i+3 >= len(s) {
			t.Fatalf("Got a stray backslash in %q", s)
		}
		n, err := strconv.ParseUint(s[i+1:i+4], 10, 8)
		if err != nil {
			t.Fatalf("Got a stray backslash in %q", s)
		}
		b = append(b, byte(n))
		i += 3
	}
	return string(b)
}

// FuzzFormats holds that what goes in comes out, whatever bytes a name, a
// host or an envelope has.
func FuzzFormats(f *testing.F) {
	for _, s := range []string{
		"army.ml", `a\027b|c=d^e"f]g`, "a b=c d=e", "\x00\n\r\x1b[0m\x7f", "\xff\xfe\x80", "mail.аrmy.ml", "a\u202eb\u200bc\u2028",
		`\`, `\\`, "|", "^", "]", `"`, "=", " ", `\092`, "%5E", "a,b", `\,`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := recordtest.Sample()
		r.Name, r.Vias, r.Version, r.Views = "x"+s+"x", nil, "v"+s+"v", []string{"w" + s + "w"}
		r.SMTP = []record.SMTP{{From: "f" + s + "f", To: "t" + s + "t"}, {From: "g" + s + "g", To: "t", HELO: "h" + s + "h"}}
		// same compares what a format has of the texts that are no names with
		// what they were; of names, TestLabelBytes does.
		same := func(what, got, want string) {
			t.Helper()
			if got := unescape(t, got); got != want {
				t.Errorf("Got %s %q, want %q", what, got, want)
			}
		}
		sameList := func(what, got string, want ...string) {
			t.Helper()
			items := strings.Split(got, ",")
			if len(items) != len(want) {
				t.Fatalf("Got %s %q, want %q", what, items, want)
			}
			for i := range items {
				same(what, items[i], want[i])
			}
		}

		line := cef.Append(nil, r)
		noControls(t, line)
		header, extension := decodeCEF(t, string(line))
		same("CEF version", header[3], r.Version)
		sameList("CEF sender", extension["suser"], r.SMTP[0].From, r.SMTP[1].From)
		sameList("CEF HELO", extension["shost"], "", r.SMTP[1].HELO)
		if extension["cs1"] != visible(r.Name, "") || extension["cnt"] != "42" {
			t.Errorf("Got CEF name %q and count %q", extension["cs1"], extension["cnt"])
		}

		line = leef.Append(nil, r)
		noControls(t, line)
		header, attributes := decodeLEEF(t, string(line))
		same("LEEF version", header[3], r.Version)
		same("LEEF view", attributes["view"], r.Views[0])
		sameList("LEEF sender", attributes["smtpFrom"], r.SMTP[0].From, r.SMTP[1].From)
		if attributes["qname"] != visible(r.Name, "^") || attributes["count"] != "42" {
			t.Errorf("Got LEEF name %q and count %q", attributes["qname"], attributes["count"])
		}

		line = structured.Append(nil, r)
		noControls(t, line)
		params := decodeStructured(t, string(line))
		same("structured view", params["view"], r.Views[0])
		sameList("structured sender", params["from"], r.SMTP[0].From, r.SMTP[1].From)
		if params["qname"] != visible(r.Name, "") || params["cnt"] != "42" {
			t.Errorf("Got structured name %q and count %q", params["qname"], params["cnt"])
		}

		r.Vias, r.ServerBlocks = []string{"y" + s + "y"}, []string{"z" + s + "z"}
		for _, format := range []*Format{ecs, ocsf} {
			sameJSON(t, format, r)
		}
	})
}

// sameJSON compares what an object has of the texts that come from outside with
// what they were. Bytes that are no UTF-8 become U+FFFD, one each.
func sameJSON(t *testing.T, format *Format, r *record.Record) {
	t.Helper()
	line := format.Append(nil, r)
	if strings.ContainsFunc(string(line), text.Unsafe) { // also what hides or reorders text
		t.Errorf("Got a control character in %q", line)
	}
	got := decode(t, line)
	for _, same := range []struct{ ecs, ocsf, want string }{
		{"dns.question.name", "query.hostname", r.Name},
		{"observer.version", "metadata.product.version", r.Version},
		{"lookalike.view", "unmapped.view", r.Views[0]},
		{"lookalike.server_block", "unmapped.server_block", r.ServerBlocks[0]},
	} {
		key := map[*Format]string{ecs: same.ecs, ocsf: same.ocsf}[format]
		if want := string([]rune(same.want)); got[key] != want {
			t.Errorf("Got %s %s %q, want %q", format, key, got[key], want)
		}
	}
	want := make([]any, 0, len(r.SMTP))
	for _, m := range r.SMTP {
		want = append(want, map[string]any{
			"from": string([]rune(m.From)), "to": string([]rune(m.To)), "helo": string([]rune(m.HELO)),
		})
	}
	key := map[*Format]string{ecs: "lookalike.smtp", ocsf: "unmapped.smtp"}[format]
	if !reflect.DeepEqual(got[key], want) {
		t.Errorf("Got %s %s %q, want %q", format, key, got[key], want)
	}
}

// TestLabelBytes holds that every byte a label can have survives: a name
// comes in presentation form, and its bytes come out of each format.
func TestLabelBytes(t *testing.T) {
	for b := range 256 {
		msg := new(dns.Msg).SetQuestion(".", dns.TypeMX)
		wire, err := msg.Pack()
		if err != nil {
			t.Fatal(err)
		}
		wire = append(append(append([]byte(nil), wire[:12]...), 3, 'a', byte(b), 'z', 0), wire[13:]...)
		if err := msg.Unpack(wire); err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(msg.Question[0].Name, ".")
		r := recordtest.Sample()
		r.Name, r.Vias = name, nil
		_, extension := decodeCEF(t, string(cef.Append(nil, r)))
		_, attributes := decodeLEEF(t, string(leef.Append(nil, r)))
		for format, got := range map[string]string{
			"cef": extension["cs1"], "leef": attributes["qname"], "rfc5424-sd": decodeStructured(t, string(structured.Append(nil, r)))["qname"],
			"ecs":  fmt.Sprint(decode(t, ecs.Append(nil, r))["dns.question.name"]),
			"ocsf": fmt.Sprint(decode(t, ocsf.Append(nil, r))["query.hostname"]),
		} {
			out := make([]byte, 300)
			n, err := dns.PackDomainName(got+".", out, 0, nil, false)
			if err != nil || string(out[:n]) != string([]byte{3, 'a', byte(b), 'z', 0}) {
				t.Errorf("Got %q in %s of a label with byte %d", got, format, b)
			}
		}
	}
}

// TestListItems holds that a list comes apart again where it was joined.
func TestListItems(t *testing.T) {
	r := recordtest.Sample()
	r.Samples = []string{"a,b.army.ml", `c\\,d.army.ml`, ",.army.ml"}
	const want = `a\044b.army.ml,c\\\044d.army.ml,\044.army.ml`
	_, attributes := decodeLEEF(t, string(leef.Append(nil, r)))
	params := decodeStructured(t, string(structured.Append(nil, r)))
	if attributes["samples"] != want || params["samples"] != want {
		t.Errorf("Got %q and %q, want %q", attributes["samples"], params["samples"], want)
	}
	r.Protected = r.Samples
	_, extension := decodeCEF(t, string(cef.Append(nil, r)))
	if extension["cs3"] != want {
		t.Errorf("Got %q, want %q", extension["cs3"], want)
	}
}

func TestVisible(t *testing.T) {
	tests := []struct{ in, also, want string }{
		{"army.ml", "", "army.ml"},
		{"", "", ""},
		{"a^b|c", "^", `a\094b|c`},
		{"\x00a\n", "", `\000a\010`},
		{"\xff", "", `\255`},
		{"а\u202e", "", `а\226\128\174`},
		{"\ufffd", "", "\ufffd"},
	}
	for _, tc := range tests {
		if got := visible(tc.in, tc.also); got != tc.want {
			t.Errorf("Got %q for %q, want %q", got, tc.in, tc.want)
		}
	}
}

// TestReasonOnce holds that the escapes of a name in a reason are those of the
// DNS, and of the format, once each.
func TestReasonOnce(t *testing.T) {
	const reason = `a\255b is army with another letter`
	r := recordtest.Sample()
	r.Reason = reason
	_, extension := decodeCEF(t, string(cef.Append(nil, r)))
	_, attributes := decodeLEEF(t, string(leef.Append(nil, r)))
	for format, got := range map[string]string{
		"cef": extension["reason"], "leef": attributes["reason"], "rfc5424-sd": decodeStructured(t, string(structured.Append(nil, r)))["reason"],
		"ecs": fmt.Sprint(decode(t, ecs.Append(nil, r))["event.reason"]), "ocsf": fmt.Sprint(decode(t, ocsf.Append(nil, r))["status_detail"]),
	} {
		if got != reason {
			t.Errorf("Got %s %q, want %q", format, got, reason)
		}
	}
}

// TestNoFieldNames holds that nobody outside chooses the name of a field, of
// which a database can have only so many.
func TestNoFieldNames(t *testing.T) {
	const evil = "chosen-outside"
	r := recordtest.Sample()
	r.Name, r.Qtypes, r.Samples, r.Vias, r.Contexts, r.Views, r.Reason, r.Unicode = evil, []string{evil}, []string{evil}, []string{evil}, []string{evil}, []string{evil}, evil, evil
	r.SMTP = []record.SMTP{{From: evil, To: evil, HELO: evil}}
	for _, f := range []*Format{ecs, ocsf} {
		for key := range decode(t, f.Append(nil, r)) {
			if strings.Contains(key, evil) {
				t.Errorf("Got a field %s in %s", key, f)
			}
		}
	}
}

// TestUnsafeJSON holds that no character of a name, or of what a mail server says,
// reorders or hides a part of the line that shows it.
func TestUnsafeJSON(t *testing.T) {
	for in, want := range map[string]string{
		"a\u202eb": `"a\u202eb"`, "\u200b": `"\u200b"`, "\u2028\u2029": `"\u2028\u2029"`, "\u009b31m\x7f": `"\u009b31m\u007f"`,
		"\U000e0041": `"\udb40\udc41"`, "а😀": `"а😀"`, "\xff": `"\ufffd"`, "\x1b\r\n\t": `"\u001b\r\n\t"`,
	} {
		got := string(AppendString(nil, in))
		if want = strings.ReplaceAll(want, `"\ufffd"`, "\"\ufffd\""); got != want {
			t.Errorf("Got %s for %q, want %s", got, in, want)
		}
	}
}
