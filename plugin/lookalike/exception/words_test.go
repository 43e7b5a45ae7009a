package exception

import (
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, words string
		want        string // the entry as String has it
	}{
		{"nothing", "", "partner.ml"},
		{"a comment", "  # until=2027-03-31", "partner.ml"},
		{"all words", `until=2027-03-31 owner=mail@example.net reason="pension payments" ticket=SEC-1 added=2026-11-26 clients=192.0.2.25 class=typo`,
			`partner.ml until=2027-03-31 owner=mail@example.net reason="pension payments" ticket=SEC-1 added=2026-11-26 clients=192.0.2.25 class=typo`},
		{"another order", "\tticket=1\tuntil=2027-03-31 # why", "partner.ml until=2027-03-31 ticket=1"},
		{"a time", "until=2027-03-31T14:00:00+02:00", "partner.ml until=2027-03-31T12:00:00Z"},
		{"a time at midnight is no day", "until=2027-03-31T00:00:00Z", "partner.ml until=2027-03-31T00:00:00Z"},
		{"a leap day", "until=2028-02-29", "partner.ml until=2028-02-29"},
		{"a comment without a blank", "owner=a#b", "partner.ml owner=a"},
		{"quotes around what needs none", `owner="a"`, "partner.ml owner=a"},
		{"a # in quotes", `ticket="#42" # note`, `partner.ml ticket="#42"`},
		{"quotes in quotes", `reason="they say \"soon\" \\ later"`, `partner.ml reason="they say \"soon\" \\ later"`},
		{"a backslash that is one", `reason="C:\dir"`, `partner.ml reason=C:\dir`},
		{"an equals sign", "ticket=a=b", "partner.ml ticket=a=b"},
		{"other scripts", "owner=почта@example.net", "partner.ml owner=почта@example.net"},
		{"200 characters", "reason=" + strings.Repeat("я", 200), "partner.ml reason=" + strings.Repeat("я", 200)},
		{"several clients", `clients=192.0.2.0/24,2001:DB8::25,::ffff:198.51.100.1`, "partner.ml clients=192.0.2.0/24,2001:db8::25,198.51.100.1"},
		{"several clients, with blanks", `clients="192.0.2.25, 192.0.2.26"`, "partner.ml clients=192.0.2.25,192.0.2.26"},
		{"several classes", "class=typo,edit", "partner.ml class=typo,edit"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			e, err := Parse("partner.ml", tc.words)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.String(); got != tc.want {
				t.Errorf("Got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	const calendar = "not a calendar day: write YYYY-MM-DD"
	tests := []struct {
		name, words, want string
	}{
		{"an unknown word", "onwer=a", `unknown word "onwer": want until, owner, reason, ticket, added, clients or class`},
		{"upper case", "Until=2027-03-31", `unknown word "Until"`},
		{"a word twice", "owner=a ticket=1 owner=b", "owner is given twice: remove one"},
		{"a note", "owner=a see below", `"see" is not KEY=VALUE: write words such as until=2027-03-31, and notes after a #`},
		{"no key", "owner=a =b", "not KEY=VALUE"},
		{"quotes alone", `owner=a "b"`, "not KEY=VALUE"},
		{"blanks around the =", "owner = a", "blanks before the = of owner: write owner=a"},
		{"a blank before the =", "ticket=1 until\t=2027-03-31", "blanks before the = of until: write until=2027-03-31"},
		{"blanks around the = and no value", "owner =", "blanks before the = of owner: write owner=mail-team@example.net"},
		{"blanks around the = and a control character", "owner = \x1b[31m", "write owner=mail-team@example.net"},
		{"blanks before the = of an unknown word", "onwer = a", `"onwer" is not KEY=VALUE`},
		{"no value", "owner=", "owner has no value: write, for example, owner=mail-team@example.net, with quotes around a # or blanks"},
		{"a blank before the value", "owner= a", "owner has no value"},
		{"a value of blanks", `owner="  "`, "owner has no value"},
		{"a # instead of a value", "ticket=#42", "ticket has no value"},
		{"quotes that do not end", `reason="pension payments`, `the quotes of reason are not closed: write reason="..." on one line`},
		{"quotes that end with a backslash", `reason="pension\"`, "the quotes of reason are not closed"},
		{"quotes within a value", `reason=pen"sion"`, `reason has quotes within its value: put them around all of it, reason="..."`},
		{"a value behind quotes", `reason="pension"payments`, "reason continues after its quotes"},
		{"an impossible day", "until=2027-02-30", calendar},
		{"no leap day", "until=2027-02-29", calendar},
		{"the day first", "until=31.03.2027", calendar},
		{"a time without a zone", "until=2027-03-31T12:00:00", "or a time with its zone, such as 2027-03-31T12:00:00Z"},
		{"an hour too many", "until=2027-03-31T24:00:00Z", calendar},
		{"a duration", "until=30d", calendar},
		{"years ago", "until=0000-12-31", `"0000-12-31" is out of range`},
		{"never", "until=9999-12-31", "is out of range: write a year such as 2027"},
		{"an impossible day of adding", "added=2026-13-01", calendar},
		{"ended before it was added", "until=2026-11-25 added=2026-11-26", "added=2026-11-26 is not before until=2026-11-25: correct one of them"},
		{"a bad address", "clients=192.0.2.256", `"192.0.2.256" is not a CIDR or an IP address: write, for example, 192.0.2.0/24`},
		{"a bad CIDR", "clients=192.0.2.0/33", "is not a CIDR"},
		{"commas alone", "clients=,", "names no client"},
		{"an unknown class", "class=typos", `"typos" is not a class: want tld-swap, `},
		{"a confidence", "class=high", `"high" is not a class`},
		{"201 characters", "reason=" + strings.Repeat("я", 201), "201 characters: write at most 200"},
		{"what turns text around", "owner=a\u202eb", "has an invisible character: remove it"},
		{"no UTF-8", "owner=a\xff", "not UTF-8"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := Parse("partner.ml", tc.words); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Got error %v, want it to contain %q", err, tc.want)
			}
		})
	}
}

// TestEnded holds that an entry acts to the last moment of its day in UTC,
// wherever the clock is, and from the next on no more.
func TestEnded(t *testing.T) {
	tests := []struct {
		until, at string
		want      bool
	}{
		{"2027-03-31", "2027-03-30T23:59:59Z", false},
		{"2027-03-31", "2027-03-31T00:00:00Z", false},
		{"2027-03-31", "2027-03-31T23:59:59.999999999Z", false},
		{"2027-03-31", "2027-04-01T00:00:00Z", true},
		{"2027-03-31", "2027-04-01T01:59:59+02:00", false},
		{"2027-03-31", "2027-04-01T02:00:00+02:00", true},
		{"2027-03-31", "2027-03-31T16:59:59-07:00", false},
		{"2027-03-31", "2027-03-31T17:00:00-07:00", true},
		{"2028-02-29", "2028-02-29T23:59:59Z", false},
		{"2028-02-29", "2028-03-01T00:00:00Z", true},
		{"2026-12-31", "2026-12-31T23:59:59Z", false},
		{"2026-12-31", "2027-01-01T00:00:00Z", true},
		{"2027-03-31T12:00:00Z", "2027-03-31T11:59:59.9Z", false},
		{"2027-03-31T12:00:00Z", "2027-03-31T12:00:00Z", true},
		{"2027-03-31T12:00:00-01:00", "2027-03-31T12:59:59Z", false},
		{"2027-03-31T12:00:00-01:00", "2027-03-31T13:00:00Z", true},
	}
	for _, tc := range tests {
		e, err := Parse("partner.ml", "until="+tc.until)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, tc.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Ended(at); got != tc.want {
			t.Errorf("until=%s has ended at %s: %v", tc.until, tc.at, got)
		}
	}
	if never := new(Entry); never.Ended(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error("An entry without an end has ended")
	}
}

func TestAdmits(t *testing.T) {
	tests := []struct {
		words, client string
		class         detect.Class
		want          bool
	}{
		{"", "192.0.2.25", detect.Typo, true},
		{"", "", detect.None, true},
		{"clients=192.0.2.25", "192.0.2.25", detect.Typo, true},
		{"clients=192.0.2.25", "192.0.2.26", detect.Typo, false},
		{"clients=192.0.2.25", "", detect.Typo, false},
		{"clients=198.51.100.1,2001:db8::/32", "2001:db8::25", detect.Typo, true},
		{"clients=0.0.0.0/0", "2001:db8::25", detect.Typo, false},
		{"class=typo", "192.0.2.25", detect.Typo, true},
		{"class=typo", "192.0.2.25", detect.TLDSwap, false},
		{"class=typo", "192.0.2.25", detect.None, false},
		{"class=tld-swap,typo", "192.0.2.25", detect.TLDSwap, true},
		{"clients=192.0.2.25 class=typo", "192.0.2.25", detect.Typo, true},
		{"clients=192.0.2.25 class=typo", "192.0.2.25", detect.Edit, false},
		{"clients=192.0.2.25 class=typo", "192.0.2.26", detect.Typo, false},
	}
	for _, tc := range tests {
		e, err := Parse("partner.ml", tc.words)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Admits(addr(tc.client), tc.class); got != tc.want {
			t.Errorf("%s admits %s, %v: %v", tc.words, tc.client, tc.class, got)
		}
	}
}

func TestRules(t *testing.T) {
	at := time.Date(2026, 11, 26, 15, 0, 0, 0, time.UTC)
	tests := []struct {
		name, rules, words string
		want               string // part of the error; empty: none
	}{
		{"nothing asked", "", "", ""},
		{"all there", "require owner reason until", "owner=a reason=b until=2027-03-31", ""},
		{"one missing", "require owner reason until", "owner=a until=2027-03-31", `lacks words that Corefile:5 requires: write, for example, reason="pension payments" after the name`},
		{"all missing", "require owner until", "", "write, for example, owner=mail-team@example.net until=2027-03-31 after the name"},
		{"for ever", "max 365d", "owner=a", "write, for example, until=2027-03-31 after the name"},
		{"for ever, and to be given", "require until; max 365d", "", "write, for example, until=2027-03-31 after the name"},
		{"the last day", "max 365d", "until=2027-11-26", ""},
		{"a day too long", "max 365d", "until=2027-11-27", "until=2027-11-27 exceeds the 365 days that Corefile:5 allows: write until=2027-11-26"},
		{"the last day from when it was added", "max 30d", "added=2026-11-01 until=2026-12-01", ""},
		{"a day too long from when it was added", "max 30d", "added=2026-11-01 until=2026-12-02", "write until=2026-12-01"},
		{"added in the future", "max 30d", "added=2027-11-01 until=2027-11-02", "write until=2026-12-26"},
		{"a time too long", "max 1d", "until=2026-11-27T15:00:01Z", "exceeds the 1 days"},
		{"a time", "max 1d", "until=2026-11-27T15:00:00Z", ""},
		{"ended long ago", "max 1d", "until=2026-01-01", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var rules *Rules
			if tc.rules != "" {
				var err error
				if rules, err = ParseRules("Corefile:5", lines(tc.rules)); err != nil {
					t.Fatal(err)
				}
			}
			e, err := Parse("partner.ml", tc.words)
			if err != nil {
				t.Fatal(err)
			}
			err = rules.Check(e, at)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("Got error %v, want %q", err, tc.want)
			}
		})
	}
}

func TestRulesErrors(t *testing.T) {
	tests := []struct{ rules, want string }{
		{"", "Corefile:5: allow has an empty block: write 'require owner reason until'"},
		{"require", "Corefile:6: allow: require: names no word: write, for example, 'require owner reason until'"},
		{"require owners", `"owners" is not a word of an exception: want until, owner,`},
		{"require owner until owner", "allow: require: owner is named twice: remove one"},
		{"require owner; require until", "allow: require: given twice: remove one"},
		{"max", "allow: max: want one number of days from 1d to 3650d, such as 365d"},
		{"max 365", "want one number of days"},
		{"max 0d", "want one number of days"},
		{"max 8760h", "want one number of days"},
		{"max 3651d", "want one number of days"},
		{"max 30d 60d", "want one number of days"},
		{"min 30d", "allow: min: unknown: want require WORD... or max DAYSd"},
	}
	for _, tc := range tests {
		if _, err := ParseRules("Corefile:5", lines(tc.rules)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: error %v, want it to contain %q", tc.rules, err, tc.want)
		}
	}
}

// FuzzParse holds that what is read is written in a way that reads the same, and
// that nothing in it can break a line.
func FuzzParse(f *testing.F) {
	for _, words := range []string{
		`until=2027-03-31 owner=mail@example.net reason="pension payments" ticket=SEC-1 added=2026-11-26 clients=192.0.2.25 class=typo`,
		`reason="they say \"soon\" \\ later" # note`, "until=2027-03-31T14:00:00.5+02:00", `clients="192.0.2.0/24, 2001:db8::25"`, "class=edit,typo",
		"owner==", `owner="#"`, "until=2000-01-01", "added=2026-11-26T00:00:00Z",
	} {
		f.Add(words)
	}
	f.Fuzz(func(t *testing.T, words string) {
		e, err := Parse("partner.ml", words)
		if err != nil {
			return
		}
		line := e.String()
		after, ok := strings.CutPrefix(line, "partner.ml")
		if !ok || strings.ContainsAny(line, "\r\n") {
			t.Fatalf("Got the line %q", line)
		}
		again, err := Parse("partner.ml", after)
		if err != nil {
			t.Fatalf("%q was read, and written as %q: %v", words, line, err)
		}
		if again.String() != line || again.Owner != e.Owner || again.Reason != e.Reason || again.Ticket != e.Ticket || again.Classes != e.Classes ||
			again.Bare() != e.Bare() || !again.Until.Truncate(time.Second).Equal(e.Until.Truncate(time.Second)) {
			t.Errorf("%q is %q and then %q", words, line, again.String())
		}
		if !e.Bare() && !Begins(after) {
			t.Errorf("%q does not begin with a word", after)
		}
	})
}
