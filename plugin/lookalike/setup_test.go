package lookalike

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// parsed parses and loads the directives of one server block.
func parsed(tb testing.TB, corefile string) ([]*Policy, error) {
	tb.Helper()
	d := caddyfile.NewDispenser("Corefile", strings.NewReader(corefile))
	policies, err := parse(&d, "")
	if err != nil {
		return nil, err
	}
	for _, p := range policies {
		if err := p.load(); err != nil {
			return nil, err
		}
	}
	return policies, nil
}

func TestParse(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "list.txt")
	write(t, list, "army.mil\nnavy.mil # the second\n")
	broken := filepath.Join(dir, "broken.txt")
	write(t, broken, "army.mil\n\nnavy..mil\n")
	empty := filepath.Join(dir, "empty.txt")
	write(t, empty, "# nothing\n")

	tests := []struct {
		name string
		in   string
		want string // part of the error, or empty
	}{
		{"no block", `lookalike`, ""},
		{"TLDs", `lookalike cm co om { 
			protect example.com
		}`, ""},
		{"TLDs that are internationalised", "lookalike мон xn--p1ai 1a {\n protect @mil\n}", ""},
		{"every TLD", "lookalike * {\n protect army.mil\n}", ""},
		{"every TLD and others", "lookalike * ml {\n protect army.mil\n}", "lookalike TLD * stands for every TLD: remove the others"},
		{"every property", `lookalike ml {
			protect army.mil ` + list + `
			allow army.ml
			clients 192.0.2.0/24 2001:db8::/32 198.51.100.1
			action high nxdomain
			action medium sinkhole 198.51.100.66 2001:db8::66
			action typo off
			action monitor
			ttl 5m
			alert stdout ecs
			verify 2s
			inspect
			alert ./alerts.cef cef
			spool ./spool 64MiB
			reload 10s
		}`, ""},
		{"twice in a block", "lookalike ml\nlookalike cm {\n protect example.com\n}", ""},
		{"reload off", "lookalike {\n reload 0\n}", ""},

		{"unknown property", "lookalike {\n blocklist army.ml\n}", "Corefile:2 - Error during parsing: unknown property 'blocklist': want protect"},
		{"rules for exceptions", "lookalike {\n allow " + empty + " {\n  require owner reason until\n  max 365d\n }\n ttl 5s\n}", ""},
		{"rules for exceptions on one line", "lookalike {\n allow " + empty + " { require owner; max 365d }\n ttl 5s\n}", ""},
		{"rules for names in the Corefile", "lookalike {\n allow army.ml {\n  require owner\n }\n}", `Corefile:2: "army.ml": a name in the Corefile cannot have the words that the block requires: write it into a file, or remove the block`},
		{"rules that are unknown", "lookalike {\n allow " + empty + " {\n  requires owner\n }\n}", "Corefile:3: allow: requires: unknown: want require WORD... or max DAYSd"},
		{"rules without their end", "lookalike {\n allow " + empty + " {\n  require owner\n ttl 5s\n }\n}", "Corefile:4: allow: ttl: unknown: want require"},
		{"exceptions that break the rules", "lookalike {\n allow " + list + " { require owner }\n}", list + `:1: "army.mil": lacks words that Corefile:2 requires: write, for example, owner=mail-team@example.net after the name`},
		{"property with a block", "lookalike {\n protect army.mil {\n }\n ttl 5s\n}", "Corefile:2 - Error during parsing: protect takes no block"},
		{"unknown property with a block", "lookalike {\n lists {\n protect army.mil\n }\n}", "Corefile:2 - Error during parsing: unknown property 'lists': want protect"},
		{"missing brace before a plugin with a block", "lookalike {\n inspect\n cache {\n success 100\n }\n}", "Corefile:3 - Error during parsing: 'cache' is in the block of lookalike: its '}' is missing above"},
		{"two words in one, of an alert", "lookalike {\n alert \"./a.json cef\"\n}", `Corefile:2 - Error during parsing: alert: "./a.json cef" is one word with a blank in it: a {$VARIABLE} or quotes`},
		{"a URL with a blank", "lookalike {\n alert \"https://soc.example.org/a b\"\n}", `alert: "https://soc.example.org/a b" is one word with a blank in it`},
		{"an alert to an empty word", "lookalike {\n alert \"\"\n}", `alert: "" is an empty word`},
		{"two words in one, of a spool", "lookalike {\n spool \"./spool 1GiB\"\n}", `spool: "./spool 1GiB" is one word with a blank in it`},
		{"a spool in an empty word", "lookalike {\n spool \"\"\n}", `spool: "" is an empty word`},
		{"two words in one", "lookalike {\n protect \"army.mil navy.mil\"\n}", `Corefile:2 - Error during parsing: protect: "army.mil navy.mil" is one word with a blank in it`},
		{"an empty word", "lookalike {\n alert \"\"\n}", `Corefile:2 - Error during parsing: alert: "" is an empty word`},
		{"TLD with a dot", `lookalike .ml`, `lookalike TLD ".ml": write one label without a dot`},
		{"suffix as a TLD", `lookalike com.ml`, `lookalike TLD "com.ml": write one label without a dot`},
		{"TLD with an ideographic dot", `lookalike com。ml`, `lookalike TLD "com。ml": write one label without a dot`},
		{"TLD of odd characters", `lookalike m/l`, `lookalike TLD "m/l": not a domain label: write up to 63 letters, digits and hyphens`},
		{"TLDs with a comma", `lookalike ml, cm`, `lookalike TLD "ml,": not a domain label: write up to 63 letters, digits and hyphens, with no hyphen first or last, such as 'ml', with blanks between several`},
		{"TLD with a hyphen first", `lookalike -ml`, `lookalike TLD "-ml": not a domain label`},
		{"TLD that is empty", `lookalike ""`, `lookalike: "" is an empty word: set the {$VARIABLE} that it comes from`},
		{"TLD of 64 letters", `lookalike ` + strings.Repeat("m", 64), `: not a domain label: write up to 63 letters`},
		{"TLD of digits", `lookalike 123`, `Corefile:1 - Error during parsing: lookalike TLD "123": a TLD cannot be a number: write one with letters, such as 'ml'`},
		{"TLD of full-width digits", `lookalike １２`, `lookalike TLD "１２": a TLD cannot be a number`},
		{"TLD with braces", `lookalike {}`, `lookalike TLD "{}": write the '{' after a blank at the end of the line, and the '}' on a line of its own`},
		{"block on one line", `lookalike { protect army.mil }`, "Corefile:1 - Error during parsing: '}' follows protect: write each property on a line of its own, and the '}' below the last"},
		{"brace behind the last property", "lookalike {\n inspect }", "Corefile:2 - Error during parsing: '}' follows inspect"},
		{"brace on the next line", "lookalike ml\n{\n protect army.mil\n}", "Corefile:2 - Error during parsing: '{' begins a line: write it at the end of the line above, behind lookalike"},
		{"word behind the block", "lookalike ml {\n} cm", "Corefile:2 - Error during parsing: 'cm' follows the '}' of lookalike: begin a new line for it"},
		{"TLD twice", `lookalike ml ML`, `lookalike TLD "ML" is given twice`},
		{"protect without a name", "lookalike {\n protect\n}", "Corefile:2 - Error during parsing: protect needs at least one name or file"},
		{"whole TLD as a lookalike TLD", "lookalike mil {\n protect *.mil\n}", `Corefile:2: "mil": every name under it is protected: it cannot be a lookalike TLD: remove it, or its TLD after lookalike at Corefile:1`},
		{"the built-in list under another TLD", "lookalike cm co om {\n inspect\n}", "Corefile:1: lookalike cm co om has no protect line, and the built-in list of .mil names is for lookalikes under ml alone: name your own with 'protect NAME...', or write 'protect @mil' for that list"},
		{"the built-in list under ml and another TLD", "lookalike ml cm", "lookalike ml cm has no protect line"},
		{"the built-in list under another TLD, by name", "lookalike cm {\n protect @mil example.com\n}", ""},
		{"missing list", "lookalike {\n protect " + dir + "/none.txt\n}", "Corefile:2: stat " + dir + "/none.txt: no such file or directory: create the file, or correct the path"},
		{"missing list with a relative path", "lookalike {\n protect ./none.txt\n}", "or correct the path, which starts from the server's directory /"},
		{"empty list", "lookalike {\n protect " + empty + "\n}", empty},
		{"broken list", "lookalike {\n protect " + broken + "\n}", broken + ":3"},
		{"bad CIDR", "lookalike {\n clients 192.0.2.0/33\n}", `Corefile:2 - Error during parsing: clients: "192.0.2.0/33" is not a CIDR or an IP address: write, for example, 192.0.2.0/24 or 2001:db8::25, with blanks between several`},
		{"CIDRs with a comma", "lookalike {\n clients 192.0.2.0/24,198.51.100.1\n}", `"192.0.2.0/24,198.51.100.1" is not a CIDR or an IP address: write, for example, 192.0.2.0/24 or 2001:db8::25, with blanks between several`},
		{"CIDR with a zone", "lookalike {\n clients fe80::%eth0/64\n}", `clients: "fe80::%eth0/64" is not a CIDR`},
		{"IPv4-mapped CIDR wider than IPv4", "lookalike {\n clients ::ffff:192.0.2.0/90\n}", `clients: "::ffff:192.0.2.0/90" is not a CIDR`},
		{"clients without any", "lookalike {\n clients\n}", "clients needs at least one"},
		{"sinkhole on loopback", "lookalike {\n action high sinkhole 127.0.0.1\n}", "sinkhole 127.0.0.1: with a loopback, unspecified, link-local"},
		{"sinkhole on IPv6 loopback", "lookalike {\n action high sinkhole ::1\n}", "sinkhole ::1: with a loopback"},
		{"sinkhole on mapped loopback", "lookalike {\n action high sinkhole ::ffff:127.0.0.1\n}", "with a loopback"},
		{"sinkhole unspecified", "lookalike {\n action high sinkhole 0.0.0.0\n}", "sinkhole 0.0.0.0: with a loopback, unspecified"},
		{"sinkhole unspecified IPv6", "lookalike {\n action high sinkhole ::\n}", "sinkhole ::: with a loopback"},
		{"sinkhole link-local", "lookalike {\n action high sinkhole fe80::1\n}", "sinkhole fe80::1: with a loopback"},
		{"sinkhole with a zone", "lookalike {\n action high sinkhole fe80::1%eth0\n}", "cannot have a zone"},
		{"sinkhole by name", "lookalike {\n action high sinkhole sink.example.org\n}", `sinkhole "sink.example.org" is not an IP address: write IPv4 and IPv6 addresses without a port`},
		{"sinkhole with a port", "lookalike {\n action sinkhole 192.0.2.25:25\n}", `sinkhole "192.0.2.25:25" is not an IP address: write IPv4 and IPv6 addresses without a port`},
		{"unchecked before the addresses", "lookalike {\n action sinkhole unchecked 192.0.2.25\n}", `sinkhole "unchecked" is not an IP address: write IPv4 and IPv6 addresses without a port, with blanks between them, and 'unchecked' last`},
		{"sinkhole twice", "lookalike {\n action high sinkhole 198.51.100.66 ::ffff:198.51.100.66\n}", "sinkhole ::ffff:198.51.100.66 is given twice"},
		{"sinkhole without address", "lookalike {\n action high sinkhole\n}", "action sinkhole needs the address"},
		{"unknown action", "lookalike {\n action high block\n}", `unknown action "block": want one of off, monitor, nxdomain`},
		{"unknown selector", "lookalike {\n action severe nxdomain\n}", `unknown confidence or class "severe": want high, medium, low or one of tld-swap`},
		{"selector in capitals", "lookalike {\n action HIGH NXDOMAIN\n}", `unknown confidence or class "HIGH": want high, medium, low or one of tld-swap`},
		{"two selectors", "lookalike {\n action high typo nxdomain\n}", "Corefile:2 - Error during parsing: action high typo: a line takes one confidence or one class: write a line for each"},
		{"selector alone", "lookalike {\n action high\n}", "action high: no action given"},
		{"action alone", "lookalike {\n action\n}", "action needs an argument"},
		{"action with an argument", "lookalike {\n action nxdomain 192.0.2.1\n}", `action nxdomain takes no argument, got "192.0.2.1"`},
		{"action twice", "lookalike {\n action typo off\n action typo nxdomain\n}", "action typo is given twice: remove one"},
		{"default action twice", "lookalike {\n action off\n action nxdomain\n}", "given twice"},
		{"ttl of 0", "lookalike {\n ttl 0\n}", "ttl 0: want whole seconds from 1s to 1h"},
		{"ttl of a week", "lookalike {\n ttl 168h\n}", "ttl 168h: want whole seconds from 1s to 1h"},
		{"ttl with a unit that there is not", "lookalike {\n ttl 1w\n}", `ttl: "1w" is not a duration such as 60s, 5m or 1h`},
		{"ttl of a fraction", "lookalike {\n ttl 1500ms\n}", "want whole seconds"},
		{"ttl is no duration", "lookalike {\n ttl long\n}", `ttl: "long" is not a duration such as 60s`},
		{"ttl twice", "lookalike {\n ttl 60\n ttl 60\n}", "ttl is given twice"},
		{"reload too fast", "lookalike {\n reload 10ms\n}", "reload 10ms: want whole seconds from 1s"},
		{"ttl without a duration", "lookalike {\n ttl\n}", "Corefile:2 - Error during parsing: ttl needs one duration, such as 'ttl 1m', got 0"},
		{"ttl of two durations", "lookalike {\n ttl 1m 2m\n}", "ttl needs one duration"},
		{"ttl below zero", "lookalike {\n ttl -1\n}", "ttl -1: want whole seconds from 1s to 1h"},
		{"reload without a duration", "lookalike {\n reload\n}", "Corefile:2 - Error during parsing: reload needs one duration"},
		{"reload too slow", "lookalike {\n reload 25h\n}", "reload 25h: want whole seconds from 1s to 24h"},
		{"reload twice", "lookalike {\n reload 0\n reload 5s\n}", "Corefile:3 - Error during parsing: reload is given twice"},
		{"allow without a name", "lookalike {\n allow\n}", "Corefile:2 - Error during parsing: allow needs at least one name or file"},
		{"allowed name that is none", "lookalike {\n allow *.army.ml\n}", `Corefile:2: "*.army.ml": wildcard: write the name without *`},
		{"protected name that no IDNA rule can read", "lookalike {\n protect xn--zz.mil\n}", `Corefile:2: "xn--zz.mil": no IDNA rule can read it`},
		{"a file that is written like a name", "lookalike {\n protect names.txt\n}", `Corefile:2: "names.txt": looks like a file, and .txt is not a TLD: write ./names.txt`},
		{"verify is no duration", "lookalike {\n verify soon\n}", `Corefile:2 - Error during parsing: verify: "soon" is not a duration such as 60s`},
		{"verify too long", "lookalike {\n verify 5s\n}", "verify 5s: want a duration from 10ms to 4s"},
		{"verify of two durations", "lookalike {\n verify 1s 2s\n}", "verify takes one duration at most, got 2"},
		{"verify twice", "lookalike {\n verify\n verify 1s\n}", "Corefile:3 - Error during parsing: verify is given twice"},
		{"inspect with an argument", "lookalike {\n inspect mx\n}", `Corefile:2 - Error during parsing: inspect takes no argument, got "mx"`},
		{"inspect twice", "lookalike {\n inspect\n inspect\n}", "Corefile:3 - Error during parsing: inspect is given twice"},
		{"spool without a directory", "lookalike {\n spool\n}", "Corefile:2 - Error during parsing: spool: want DIRECTORY [SIZE]"},
		{"spool too small", "lookalike {\n spool ./spool 1\n}", `spool: "1" is not a size from 1MiB`},
		{"spool twice", "lookalike {\n spool ./spool\n spool ./spool\n}", "Corefile:3 - Error during parsing: spool is given twice"},
		{"alert without a destination", "lookalike {\n alert\n}", "Corefile:2 - Error during parsing: alert: a destination is needed: stdout, a file path"},
		{"alert file without a slash", "lookalike {\n alert alerts.json\n}", `write "./alerts.json" for a file here`},
		{"unknown alert format", "lookalike {\n alert stdout xml\n}", `Corefile:2 - Error during parsing: alert: unknown format "xml" (known: ecs, ocsf, cef, leef`},
		{"unknown alert destination", "lookalike {\n alert carrier-pigeon://coop\n}", "carrier-pigeon"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			_, err := parsed(t, tc.in)
			switch {
			case tc.want == "" && err != nil:
				t.Fatalf("Unexpected error: %v", err)
			case tc.want != "" && err == nil:
				t.Fatalf("Expected an error with %q", tc.want)
			case tc.want != "" && !strings.Contains(err.Error(), tc.want):
				t.Errorf("Expected an error with %q, got: %v", tc.want, err)
			}
		})
	}
}

// TestDefaults has what holds when the Corefile does not say.
func TestDefaults(t *testing.T) {
	policies, err := parsed(t, "lookalike")
	if err != nil {
		t.Fatal(err)
	}
	p := policies[0]
	if p.reload != 30*time.Second {
		t.Errorf("Got reload %v, want 30s", p.reload)
	}
	if p.ttl != 60 {
		t.Errorf("Got ttl %v, want 60 seconds", p.ttl)
	}
	if got := p.Index().Len(); got < 150 {
		t.Errorf("Got %d protected names, want the built-in 150 and more", got)
	}
}

func TestSetupReportsTheDirective(t *testing.T) {
	c := caddy.NewTestController("dns", "lookalike {\n nonsense\n}")
	err := setup(c)
	if err == nil || !strings.HasPrefix(err.Error(), "plugin/lookalike: ") {
		t.Errorf("Expected an error of plugin/lookalike, got: %v", err)
	}
}

// TestReadme looks for every word that a Corefile may have, and for every
// metadata label.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, err = parsed(t, "lookalike {\n nonsense\n}")
	if err == nil {
		t.Fatal("Expected an error that lists the properties")
	}
	_, list, _ := strings.Cut(err.Error(), "want ")
	properties := strings.Split(strings.ReplaceAll(list, " or ", ", "), ", ")
	if len(properties) != 10 {
		t.Errorf("Expected ten properties, got %q", properties)
	}
	wants := make([]string, 0, 50)
	for _, property := range properties {
		wants = append(wants, "\n* `"+property+"` ")
	}
	for _, label := range metadataLabels {
		wants = append(wants, "\n* `"+label.name+"`: ")
	}
	for _, action := range record.Actions() {
		wants = append(wants, "`"+action.String()+"`")
	}
	for _, class := range detect.Classes() {
		wants = append(wants, "\n| `"+class.String()+"` |")
	}
	for _, want := range wants {
		if !strings.Contains(string(text), want) {
			t.Errorf("The README has no %q", want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	corefile := filepath.Join(dir, "Corefile")
	write(t, corefile, `
example.org:53 {
	whoami
}
.:53 {
	lookalike cm {
		protect example.com
		allow shop.example.cm
		action monitor
	}
	lookalike ml
	forward . 192.0.2.1
}
`)
	c, err := Load(corefile)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Unknown) > 0 {
		t.Errorf("Expected CoreDNS to have %q", c.Unknown)
	}
	if len(c.Policies) != 2 || c.Policies[0].Block() != ".:53" {
		t.Fatalf("Expected two policies of .:53, got %d", len(c.Policies))
	}

	tests := []struct {
		name string
		want string // of deciding
	}{
		{"example.cm", "monitor"},
		{"www.shop.example.cm", "allowed monitor"},
		{"army.ml", "nxdomain"},
		{"example.ml", ""},
		{"army.mil", ""},
	}
	for _, tc := range tests {
		if got := deciding(Explain(c.Policies, tc.name, netip.Addr{})); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}

	const spools = `.:53 {
	lookalike {
		alert http://127.0.0.1:8080/a
		spool spool
	}
	lookalike cm {
		protect example.com
		alert http://127.0.0.1:8080/b
		spool spool
	}
}
`
	for name, contents := range map[string]string{
		"no directive":                      ".:53 {\n whoami\n}",
		"bad block":                         ".:53 {\n lookalike {\n",
		"bad zone":                          "a..b:53 {\n lookalike\n}",
		"one spool, different destinations": spools,
	} {
		write(t, corefile, contents)
		if _, err := Load(corefile); err == nil {
			t.Errorf("%s: Expected an error", name)
		}
	}
	if _, err := Load(filepath.Join(dir, "none")); err == nil {
		t.Error("Expected an error for a Corefile that does not exist")
	}
}

// deciding says what is done, or would be done if the name were not allowed.
func deciding(opinions []Opinion) string {
	for _, o := range opinions {
		switch o.Outcome {
		case Acts:
			return o.Action.String()
		case Allowed:
			return "allowed " + o.Action.String()
		}
	}
	return ""
}

func write(t *testing.T, file, contents string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(contents), 0o600); err != nil {
		t.Fatal(err)
	}
}
