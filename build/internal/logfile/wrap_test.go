package logfile

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// modified is when the files of the tests were written.
var modified = time.Date(2026, time.November, 26, 6, 25, 0, 0, time.UTC)

var berlin = time.FixedZone("CET", 3600)

// unwrapped returns the lines of a file, each as one text.
func unwrapped(file string, o event.Options) (all []string) {
	u := newUnwrapper(NewLines(strings.NewReader(file)), "mail.log", o, modified)
	for l, ok := u.next(); ok; l, ok = u.next() {
		stamp := "-"
		if !l.Time.IsZero() {
			stamp = l.Time.UTC().Format(time.RFC3339Nano)
		}
		if !l.YearKnown && !l.Time.IsZero() {
			stamp += " year?"
		}
		if !l.ZoneKnown && !l.Time.IsZero() {
			stamp += " zone?"
		}
		repeated := ""
		if l.Repeated != 1 {
			repeated = fmt.Sprintf(" ×%d", l.Repeated)
		}
		all = append(all, fmt.Sprintf("%s|%s|%s|%s%s", stamp, l.Host, l.Program, l.Text, repeated))
	}
	return all
}

const removed = "4jZYPS24SMz11N: removed"

// wrapperRows are lines in each wrapper, and what is in them.
var wrapperRows = []struct{ name, line, want string }{
	{"RFC 3164", "Nov 25 21:54:52 mx postfix/qmgr[139]: " + removed, "2026-11-25T21:54:52Z year? zone?|mx|postfix/qmgr|" + removed},
	{"a day of one digit", "Nov  5 01:02:03 mx postfix/qmgr[1]: " + removed, "2026-11-05T01:02:03Z year? zone?|mx|postfix/qmgr|" + removed},
	{"with a fraction, as journalctl -o short-precise", "Nov 25 21:54:52.103412 mx postfix/qmgr[139]: " + removed, "2026-11-25T21:54:52.103412Z year? zone?|mx|postfix/qmgr|" + removed},
	{"with a priority", "<22>Nov 25 21:54:52 mx postfix/qmgr[139]: " + removed, "2026-11-25T21:54:52Z year? zone?|mx|postfix/qmgr|" + removed},
	{"without a process", "Nov 25 21:54:52 mx exim: text", "2026-11-25T21:54:52Z year? zone?|mx|exim|text"},
	{"without a host", "Nov 25 21:51:08 dnsmasq[28011]: query[MX] example.ml from 192.0.2.25", "2026-11-25T21:51:08Z year? zone?||dnsmasq|query[MX] example.ml from 192.0.2.25"},
	{"busybox", "Nov 25 21:54:52 mx mail.info postfix/qmgr[139]: " + removed, "2026-11-25T21:54:52Z year? zone?|mx|postfix/qmgr|" + removed},
	{"Unbound with ASCII times", "Nov 25 21:51:05 unbound[26678:0] query: 192.0.2.25 example.ml. MX IN", "2026-11-25T21:51:05Z year? zone?|||unbound[26678:0] query: 192.0.2.25 example.ml. MX IN"},
	{"PowerDNS Recursor on standard error", `Nov 25 21:51:05 msg="Question" subsystem="syncres"`, `2026-11-25T21:51:05Z year? zone?|||msg="Question" subsystem="syncres"`},
	{"the same in the old style", "Nov 25 21:51:05 2 [1/1] question for 'example.ml|MX' from 192.0.2.25:34918", "2026-11-25T21:51:05Z year? zone?|||2 [1/1] question for 'example.ml|MX' from 192.0.2.25:34918"},
	{"an address as host", "Nov 25 21:54:52 2001:db8::25 postfix/qmgr[139]: " + removed, "2026-11-25T21:54:52Z year? zone?|2001:db8::25|postfix/qmgr|" + removed},
	{"a leap second", "Nov 25 23:59:60 mx a: b", "2026-11-26T00:00:00Z year? zone?|mx|a|b"},
	{"no stamp", "Nov 25 at noon", "-|||Nov 25 at noon"},
	{"no hour", "Nov 25 29:54:52 mx a: b", "-|||Nov 25 29:54:52 mx a: b"},
	{"rsyslog with a zone", "2026-11-25T21:54:52.103412+01:00 mx postfix/qmgr[139]: " + removed, "2026-11-25T20:54:52.103412Z|mx|postfix/qmgr|" + removed},
	{"journalctl -o short-iso", "2026-11-25T21:54:52-0530 mx postfix/qmgr[139]: " + removed, "2026-11-26T03:24:52Z|mx|postfix/qmgr|" + removed},
	{"ISO without a zone", "2026-11-25T21:54:52 mx a: b", "2026-11-25T21:54:52Z zone?|mx|a|b"},
	{"RFC 5424", "<22>1 2026-11-25T21:54:52Z mx postfix/qmgr 139 - - " + removed, "2026-11-25T21:54:52Z|mx|postfix/qmgr|" + removed},
	{"RFC 5424 with structured data", `<22>1 2026-11-25T21:54:52.5Z mx postfix 139 ID1 [a@1 b="\"]"][c] ` + removed, "2026-11-25T21:54:52.5Z|mx|postfix|" + removed},
	{"RFC 5424 with a BOM", "<22>1 2026-11-25T21:54:52Z mx postfix - - - \ufeff" + removed, "2026-11-25T21:54:52Z|mx|postfix|" + removed},
	{"RFC 5424 without anything", "<22>1 - - - - - - " + removed, "-|||" + removed},
	{"RFC 5424, cut off", "<22>1 2026-11-25T21:54:52Z mx", "-|||1 2026-11-25T21:54:52Z mx"},
	{"no priority", "<pid> text", "-|||<pid> text"},
	{"CRI", "2026-11-25T21:54:52.103412345Z stdout F [INFO] text", "2026-11-25T21:54:52.103412345Z|||[INFO] text"},
	{"CRI round syslog", "2026-11-25T21:54:52.1Z stderr F Nov 25 22:54:52 mx postfix/qmgr[1]: " + removed, "2026-11-25T21:54:52.1Z|mx|postfix/qmgr|" + removed},
	{"a stamp alone, as docker logs -t", "2026-11-25T21:54:52Z [INFO] 192.0.2.25:60997 - 63605", "2026-11-25T21:54:52Z|||[INFO] 192.0.2.25:60997 - 63605"},
	{"Docker", `{"log":"a \u003cb\u003e\n","stream":"stdout","time":"2026-11-25T21:54:52.1Z"}`, "2026-11-25T21:54:52.1Z|||a <b>"},
	{"journald JSON", `{"__REALTIME_TIMESTAMP":"1795643692103412","SYSLOG_IDENTIFIER":"postfix/smtp","_HOSTNAME":"mx","MESSAGE":"a \"b\""}`, `2026-11-25T21:54:52.103412Z|mx|postfix/smtp|a "b"`},
	{"journald JSON with bytes", `{"__REALTIME_TIMESTAMP":"1795643692103412","_COMM":"smtpd","MESSAGE":[97,255,98]}`, "2026-11-25T21:54:52.103412Z||smtpd|a\xffb"},
	{"journald JSON with a repeated field", `{"__REALTIME_TIMESTAMP":"1795643692103412","MESSAGE":["a","b"]}`, "2026-11-25T21:54:52.103412Z|||a"},
	{"journald JSON without the text, which was too long", `{"__REALTIME_TIMESTAMP":"1795643692103412","MESSAGE":null}`, "2026-11-25T21:54:52.103412Z|||"},
	{"JSON that is no wrapper", `{"ts":1795640000.1,"query":"example.ml"}`, `-|||{"ts":1795640000.1,"query":"example.ml"}`},
	{"repeated, rsyslog", "Nov 25 21:54:52 mx a[1]: message repeated 3 times: [ text [x]]", "2026-11-25T21:54:52Z year? zone?|mx|a|text [x] ×3"},
	{"repeated, older syslogs", "Nov 25 21:54:52 mx last message repeated 3 times", "2026-11-25T21:54:52Z year? zone?|||"},
	{"a program's own stamp", "2026-11-25 21:55:06 1xWKxG-00000Z-0e Completed", "-|||2026-11-25 21:55:06 1xWKxG-00000Z-0e Completed"},
	{"Exchange", "2026-11-25T21:54:52.103Z,192.0.2.5,ex1", "-|||2026-11-25T21:54:52.103Z,192.0.2.5,ex1"},
	{"BIND with ISO times", "2026-11-25T21:51:05.364Z queries: info: client @0x7f 192.0.2.25#1 (example.ml): query: example.ml IN MX", "2026-11-25T21:51:05.364Z|||queries: info: client @0x7f 192.0.2.25#1 (example.ml): query: example.ml IN MX"},
	{"Unbound with ISO times", "2026-11-25T21:51:05.364+00:00 unbound[26678:0] query: 192.0.2.25 example.ml. MX IN", "2026-11-25T21:51:05.364Z|||unbound[26678:0] query: 192.0.2.25 example.ml. MX IN"},
	{"CRLF", "Nov 25 21:54:52 mx a: b\r", "2026-11-25T21:54:52Z year? zone?|mx|a|b"},
	{"NUL bytes of a crashed disk", "\x00\x00\x00Nov 25 21:54:52 mx a: b", "2026-11-25T21:54:52Z year? zone?|mx|a|b"},
	{"a BOM", "\ufeffNov 25 21:54:52 mx a: b", "2026-11-25T21:54:52Z year? zone?|mx|a|b"},
}

func TestWrappers(t *testing.T) {
	for _, row := range wrapperRows {
		t.Run(row.name, func(t *testing.T) {
			got := unwrapped(row.line+"\n", event.Options{})
			if len(got) != 1 || got[0] != row.want {
				t.Errorf("got  %q\nwant %q", got, row.want)
			}
		})
	}
}

func TestMain(m *testing.M) {
	time.Local = time.UTC
	goleak.VerifyTestMain(m)
}

func TestZoneAndYearOfTheUser(t *testing.T) {
	got := unwrapped("Dec 31 23:00:00 mx a: b\nJan  1 01:00:00 mx a: b\n", event.Options{Location: berlin, Year: 2025})
	want := "[2025-12-31T22:00:00Z|mx|a|b 2025-01-01T00:00:00Z|mx|a|b]"
	// Both are in 2025: nothing can be after it, so the files were joined in
	// another order.
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestPieces(t *testing.T) {
	for _, row := range []struct{ name, file, want string }{
		{"CRI", "2026-11-25T21:54:52Z stdout P ab\n2026-11-25T21:54:53Z stdout P c\n2026-11-25T21:54:54Z stdout F d\n2026-11-25T21:54:55Z stdout F e\n",
			"2026-11-25T21:54:54Z|||abcd, 2026-11-25T21:54:55Z|||e"},
		{"Docker", `{"log":"ab","stream":"stdout","time":"2026-11-25T21:54:52Z"}` + "\n" + `{"log":"c\n","stream":"stdout","time":"2026-11-25T21:54:53Z"}` + "\n",
			"2026-11-25T21:54:53Z|||abc"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := strings.Join(unwrapped(row.file, event.Options{}), ", "); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

func TestJournalExport(t *testing.T) {
	message := "two\nlines"
	size := binary.LittleEndian.AppendUint64(nil, uint64(len(message)))
	file := "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795643692103412\nSYSLOG_IDENTIFIER=postfix/smtp\n_HOSTNAME=mx\nMESSAGE=first = one\n\n" +
		"__CURSOR=s=2\n__REALTIME_TIMESTAMP=1795643693000000\nMESSAGE\n" + string(size) + message + "\n_COMM=smtpd\n\n" +
		"__CURSOR=s=3\nMESSAGE=cut off"
	want := []string{
		"2026-11-25T21:54:52.103412Z|mx|postfix/smtp|first = one",
		"2026-11-25T21:54:53Z||smtpd|two\nlines",
		"-|||cut off",
	}
	if got := unwrapped(file, event.Options{}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
