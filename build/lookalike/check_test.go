package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lookalike-dns/lookalike/build/internal/render"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/lookalike-dns/lookalike/test/proof"
)

// runTool runs a command within the test's process.
func runTool(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(&env{strings.NewReader(stdin), &out, &errs}, args)
	return status, out.String(), errs.String()
}

// silent is an outside world that nothing is read from and nobody listens in.
var silent = &env{strings.NewReader(""), io.Discard, io.Discard}

// corefile writes a Corefile and returns its path.
func corefile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const twoBlocks = `
.:1053 {
    lookalike {
        protect army.mil us.af.mil
        allow   club.army.ml
        action  high sinkhole 192.0.2.25
        action  separator off
    }
    lookalike cm {
        protect example.com
        action  monitor
    }
}
ml.:1054 {
    lookalike {
        protect us.af.mil navy.mil
        allow   navy.ml
        action  refused
    }
}
`

func TestCheckJSON(t *testing.T) {
	conf := corefile(t, twoBlocks)
	cyrillic := corefile(t, ". {\n lookalike рф {\n  protect army.mil\n }\n}\n")
	tests := []struct {
		conf, name                string
		class, confidence, action string
		protected, meant          string
	}{
		{"", "army.ml", "tld-swap", "high", "nxdomain", "army.mil", "army.mil"},
		{"", "ARMY.ML.", "tld-swap", "high", "nxdomain", "army.mil", "army.mil"},
		{"", "mx1.us.army.ml", "tld-swap", "high", "nxdomain", "us.army.mil", "mx1.us.army.mil"},
		{"", "mail.army.mil.ml", "tld-kept", "high", "nxdomain", "army.mil", "mail.army.mil"},
		{"", "us-af.ml", "separator", "high", "nxdomain", "us.af.mil", "us.af.mil"},
		{"", "example.ml", "", "", "", "", ""},
		{"", "army.mil", "", "", "", "", ""},
		{"", "army.cm", "", "", "", "", ""},
		{conf, "army.ml", "tld-swap", "high", "sinkhole", "army.mil", "army.mil"},
		{conf, "www.club.army.ml", "tld-swap", "high", "allow", "army.mil", "www.club.army.mil"},
		{conf, "usaf.ml", "separator", "high", "refused", "us.af.mil", "us.af.mil"},
		{conf, "navy.ml", "tld-swap", "high", "allow", "navy.mil", "navy.mil"},
		{conf, "example.cm", "tld-swap", "high", "monitor", "example.com", "example.com"},
		{conf, "uscg.ml", "", "", "", "", ""},
		{"", "ａｒｍｙ．ｍｌ", "tld-swap", "high", "nxdomain", "army.mil", "army.mil"},
		{"", "army.ⓜⓛ", "tld-swap", "high", "nxdomain", "army.mil", "army.mil"},
		{cyrillic, "army.рф", "tld-swap", "high", "nxdomain", "army.mil", "army.mil"},
		{cyrillic, "army.xn--p1ai", "tld-swap", "high", "nxdomain", "army.mil", "army.mil"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			args := []string{"check", "-format", "json", tc.name}
			if tc.conf != "" {
				args = append(args, "-conf", tc.conf)
			}
			_, stdout, stderr := runTool("", args...)
			var got render.Result
			if err := json.Unmarshal([]byte(stdout), &got); err != nil || stderr != "" {
				t.Fatalf("Output %q, %q: %v", stdout, stderr, err)
			}
			if got.Name != tc.name || got.Class != tc.class || got.Confidence != tc.confidence || got.Action != tc.action {
				t.Errorf("Got %+v, want %+v", got, tc)
			}
			if tc.class == "" {
				if len(got.Protected) != 0 || len(got.DidYouMean) != 0 || got.Reason != "" {
					t.Errorf("Got %+v for a name that resembles nothing", got)
				}
				return
			}
			if got.Protected[0] != tc.protected || got.DidYouMean[0] != tc.meant || got.Reason == "" {
				t.Errorf("Got %+v, want %s for %s first, and a reason", got, tc.meant, tc.protected)
			}
		})
	}
}

// TestDefaultsAreThePlugins: without a Corefile the tool says what the plugin
// does with a bare directive.
func TestDefaultsAreThePlugins(t *testing.T) {
	bare, err := silent.judge(corefile(t, ".:1053 {\n lookalike\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	own, err := silent.judge("")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names.Default(), "arny.mil", "example.mil", "arm.mil") {
		name = strings.TrimSuffix(name, "mil") + "ml"
		want, got := bare.Decide(name, netip.Addr{}), own.Decide(name, netip.Addr{})
		if (want == nil) != (got == nil) || want != nil && (want.ActionName() != got.ActionName() || want.Verdict.Class != got.Verdict.Class) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

// TestCheckZones: the server block that answers for a name decides.
func TestCheckZones(t *testing.T) {
	conf := corefile(t, `
.:53 {
    lookalike {
        protect army.mil navy.mil
        action monitor
    }
}
ml.:53 {
    lookalike {
        protect army.mil
    }
}
navy.ml.:53 {
    whoami
}
`)
	apart := corefile(t, "example.org. {\n lookalike {\n protect army.mil\n }\n}\n")
	tests := []struct {
		conf, name    string
		class, action string
		text          string // a part of the text
	}{
		{conf, "army.ml", "tld-swap", "nxdomain", "server block ml.:53"},
		{conf, "mx.navy.ml", "tld-swap", "", "none (no server block that answers for the name has a lookalike directive)"},
		{conf, "nawy.ml", "", "", "resembles no protected name"}, // not protected by the block of ml
		{apart, "army.ml", "tld-swap", "", "none (no server block that answers for the name has a lookalike directive)"},
		{apart, "example.ml", "", "", "no server block that answers for the name has a lookalike directive"},
	}
	for _, tc := range tests {
		t.Run(filepath.Base(filepath.Dir(tc.conf))+"/"+tc.name, func(t *testing.T) {
			_, stdout, stderr := runTool("", "check", "-conf", tc.conf, "-format", "json", tc.name)
			var got render.Result
			if err := json.Unmarshal([]byte(stdout), &got); err != nil || stderr != "" {
				t.Fatalf("Output %q, %q: %v", stdout, stderr, err)
			}
			if got.Class != tc.class || got.Action != tc.action {
				t.Errorf("Got %+v, want %+v", got, tc)
			}
			if _, stdout, _ = runTool("", "check", "-conf", tc.conf, tc.name); !strings.Contains(stdout, tc.text) {
				t.Errorf("Got %s, want %q in it", stdout, tc.text)
			}
		})
	}
}

// TestCheckNote: what the tool cannot know is said once, in text, where a name
// passes.
func TestCheckNote(t *testing.T) {
	with := func(properties string) string {
		return corefile(t, ".:53 {\n lookalike {\n protect army.mil\n }\n lookalike cm {\n protect army.mil\n"+properties+" }\n}\n")
	}
	tests := []struct {
		properties, format, names string
		want                      string // in the note; empty: no note
	}{
		{"", "text", "example.ml", ""},
		{"verify\n", "text", "example.ml example.cm", " has verify: the server"},
		{"inspect\n", "text", "army.ml example.ml", " has inspect: the server"},
		{"verify 2s\n inspect\n", "text", "example.org", " has verify and inspect: the server"},
		{"verify\n", "text", "army.ml", ""},
		{"verify\n", "json", "example.ml", ""},
	}
	for _, tc := range tests {
		args := append([]string{"check", "-conf", with(tc.properties), "-format", tc.format}, strings.Fields(tc.names)...)
		_, stdout, stderr := runTool("", args...)
		notes := strings.Count(stdout, "note: ")
		if tc.want == "" && notes > 0 || tc.want != "" && (notes != 1 || !strings.Contains(stdout, tc.want)) || stderr != "" {
			t.Errorf("%+v: %s%s", tc, stdout, stderr)
		}
	}
}

// TestCheckNamesWhoDecides: the directive and the list line that decide, those
// that a reader may have in mind instead, and the client's part in it.
func TestCheckNamesWhoDecides(t *testing.T) {
	dir := t.TempDir()
	list := filepath.Join(dir, "list.txt")
	if err := os.WriteFile(list, []byte("# ours\narmy.mil\nnavy.mil\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := corefile(t, ".:1053 {\n lookalike {\n  protect "+list+"\n  allow club.army.ml navy.ml\n  clients 192.0.2.0/24\n }\n"+
		" lookalike ml {\n  protect navy.mil\n  action monitor\n }\n}\n")
	lost := corefile(t, ".:1053 {\n lookalike {\n  alert "+dir+"/none/alerts.json\n }\n}\n")
	tests := []struct {
		name   string
		args   []string
		status int
		want   []string // CONF is the Corefile
		errors string
	}{
		{"who decides", []string{"-conf", conf, "army.ml"}, exitFound,
			[]string{"according to  the directive at CONF:2, server block .:1053", "listed at     " + list + ":2"}, ""},
		{"who allows", []string{"-conf", conf, "x.club.army.ml"}, exitNothing, []string{"allow (an allow line", "listed at     CONF:4"}, ""},
		{"who allows and does not decide", []string{"-conf", conf, "navy.ml"}, exitFound,
			[]string{"action        monitor", "the directive at CONF:7", "listed at     CONF:8", "but           the directive at CONF:2 allows the name, but only for itself"}, ""},
		{"client in scope", []string{"-conf", conf, "-client", "::ffff:192.0.2.1", "army.ml"}, exitFound, []string{"action        nxdomain"}, ""},
		{"client out of scope", []string{"army.ml", "-conf", conf, "-client", "198.51.100.1"}, exitFound,
			[]string{"action        none (198.51.100.1 is not among the clients of CONF:2)"}, ""},
		{"client of the second directive", []string{"navy.ml", "-conf", conf, "-client", "198.51.100.1"}, exitFound,
			[]string{"action        monitor", "but           the directive at CONF:2 is not for this client"}, ""},
		{"client that is none", []string{"army.ml", "-client", "mx1"}, exitError, nil, `invalid value "mx1" for flag -client: want an IP address`},
		{"protected itself", []string{"-conf", conf, "MX.army.mil."}, exitNothing, []string{"MX.army.mil. is itself protected\n  listed at     " + list + ":2"}, ""},
		{"protected itself, built in", []string{"army.mil"}, exitNothing, []string{"army.mil is itself protected\n  listed at     the built-in list"}, ""},
		{"JSON", []string{"-conf", conf, "-format", "json", "army.ml"}, exitFound, []string{`"directive":"CONF:2"`}, ""},
		{"missing directory of alerts", []string{"-conf", lost, "army.ml"}, exitFound, []string{"nxdomain"},
			"lookalike: the server would not start: " + lost + ":3: alert " + dir + "/none/alerts.json: there is no directory"},
	}
	for _, tc := range tests {
		status, stdout, stderr := runTool("", append([]string{"check"}, tc.args...)...)
		for _, want := range tc.want {
			if want = strings.ReplaceAll(want, "CONF", conf); !strings.Contains(stdout, want) {
				t.Errorf("%s: %s\nwant %s", tc.name, stdout, want)
			}
		}
		if status != tc.status || !strings.Contains(stderr, tc.errors) || tc.errors == "" && stderr != "" {
			t.Errorf("%s: status %d, %s", tc.name, status, stderr)
		}
	}
}

func TestCheckStatus(t *testing.T) {
	conf := corefile(t, twoBlocks)
	off := corefile(t, ".:1053 {\n lookalike {\n  protect army.mil\n  action off\n }\n}\n")
	broken := corefile(t, ".:1053 {\n lookalike {\n  protcet army.mil\n }\n}\n")
	unknown := corefile(t, ".:1053 {\n lookalike {\n  protect army.mil\n }\n smtpreject\n kubernetes\n nosuchplugin\n}\n")
	other := corefile(t, ".:1053 {\n whoami\n}\n")
	tests := []struct {
		name   string
		stdin  string
		args   []string
		status int
		stderr string // a part of it; empty: nothing at all
	}{
		{"nothing found", "", []string{"example.ml", "example.org"}, exitNothing, ""},
		{"something found", "", []string{"example.ml", "army.ml"}, exitFound, ""},
		{"only allowed names", "", []string{"-conf", conf, "club.army.ml"}, exitNothing, ""},
		{"action off", "", []string{"-conf", off, "army.ml"}, exitFound, ""},
		{"empty input", "", nil, exitNothing, ""},
		{"nothing found in input", "example.ml\n\n# army.ml\n", nil, exitNothing, ""},
		{"something found in input", "example.ml\narmy.ml", nil, exitFound, ""},
		{"input by its name", "army.ml\n", []string{"-"}, exitFound, ""},
		{"no name among names", "", []string{"army.ml", "a..b"}, exitError, `lookalike: "a..b": not a domain name`},
		{"no name in input", "army.ml\n\na..b\nexample.ml\n", nil, exitError, `lookalike: line 3: "a..b": not a domain name`},
		{"columns", "army.ml,high\nexample.ml\n", nil, exitError, `lookalike: line 1: "army.ml,high": the last label is "ml,high"`},
		{"separated by NULs", "army.ml\x00example.ml\x00", nil, exitError, "lookalike: line 1: "},
		{"UTF-16", "\xff\xfea\x00.\x00m\x00l\x00\n\x00", nil, exitError, "lookalike: check: UTF-16: save it as UTF-8"},
		{"mail address", "", []string{"someone@army.ml"}, exitFound, ""},
		{"mail address without a domain", "", []string{"someone@"}, exitError, "nothing follows the @"},
		{"page", "", []string{"http://army.ml/"}, exitError, "the domain name alone"},
		{"two words", "army.ml MX\n", nil, exitError, "more than one word"},
		{"empty name", "", []string{""}, exitError, `"": not a domain name: the text is empty`},
		{"flag behind a name", "", []string{"army.ml", "-format", "json"}, exitFound, ""},
		{"name that looks like a flag", "", []string{"--", "-format"}, exitNothing, ""},
		{"unknown flag", "", []string{"-verbose", "army.ml"}, exitError, "unknown flag -verbose: want -client, -conf, -format or -help\n'lookalike help check' explains the command"},
		{"unknown format", "", []string{"-format", "xml"}, exitError, `invalid value "xml" for flag -format: want text or json`},
		{"empty Corefile name", "", []string{"-conf", "", "army.ml"}, exitError, "flag -conf: no value: give one, or leave the flag out"},
		{"missing Corefile", "", []string{"-conf", "none", "army.ml"}, exitError, "none: no such file"},
		{"broken Corefile", "", []string{"-conf", broken, "army.ml"}, exitError, broken + ":3"},
		{"directive that CoreDNS lacks", "", []string{"-conf", unknown, "army.ml"}, exitFound,
			"lookalike: " + unknown + ":7: unknown directive 'nosuchplugin': correct the spelling"},
		{"Corefile without the plugin", "", []string{"-conf", other, "army.ml"}, exitError, other},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			status, _, stderr := runTool(tc.stdin, append([]string{"check"}, tc.args...)...)
			if status != tc.status {
				t.Errorf("Status %d, want %d", status, tc.status)
			}
			if tc.stderr == "" && stderr != "" || !strings.Contains(stderr, tc.stderr) {
				t.Errorf("Standard error %q, want %q", stderr, tc.stderr)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	tests := []struct {
		args   []string
		status int
		want   string // on standard output, or on standard error with exitError
	}{
		{nil, exitError, "Usage: lookalike COMMAND"},
		{[]string{"chekc"}, exitError, `unknown command "chekc": want check, conf, list, variants, rpz, audit, report, console, allow list, allow add, allow remove, alert test, alert tail, version or help`},
		{[]string{"help"}, exitNothing, "Usage: lookalike COMMAND"},
		{[]string{"--help"}, exitNothing, "Usage: lookalike COMMAND"},
		{[]string{"help", "check"}, exitNothing, "Usage: lookalike check"},
		{[]string{"check", "--help"}, exitNothing, "Usage: lookalike check"},
		{[]string{"check", "-h"}, exitNothing, "Exit status:"},
		{[]string{"help", "alert", "test"}, exitNothing, "Usage: lookalike alert test"},
		{[]string{"help", "alert"}, exitNothing, "Usage: lookalike alert COMMAND"},
		{[]string{"version"}, exitNothing, "lookalike " + lookalike.Version + "\n"},
		{[]string{"--version"}, exitNothing, runtime.Version()},
		{[]string{"version", "x"}, exitError, "no argument"},
		{[]string{"help", "chekc"}, exitError, `unknown command "chekc"`},
	}
	for _, tc := range tests {
		status, stdout, stderr := runTool("", tc.args...)
		got, other := stdout, stderr
		if tc.status == exitError {
			got, other = stderr, stdout
		}
		if status != tc.status || !strings.Contains(got, tc.want) || other != "" {
			t.Errorf("%q: status %d, %q, %q, want %d and %q", tc.args, status, stdout, stderr, tc.status, tc.want)
		}
	}
}

// TestHelp holds that each command's help explains its flags and exit statuses, and
// fits a terminal.
func TestHelp(t *testing.T) {
	for _, c := range commands {
		status, help, stderr := runTool("", append([]string{"help"}, strings.Fields(c.name)...)...)
		if status != exitNothing || stderr != "" || !strings.Contains(help, "\nUsage: lookalike "+c.name) {
			t.Errorf("help %s: status %d, %q, %q", c.name, status, help, stderr)
		}
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		c.flags(fs)
		fs.VisitAll(func(f *flag.Flag) {
			if !strings.Contains(help, "\n  -"+f.Name+" ") {
				t.Errorf("The help of %s does not explain -%s", c.name, f.Name)
			}
		})
		for line := range strings.Lines(help) {
			if len(line) > 80+len("\n") {
				t.Errorf("The help of %s has a line longer than 80 characters: %q", c.name, line)
			}
		}
		if !strings.Contains(usage(), "  "+c.name+" ") {
			t.Errorf("The usage does not name %s", c.name)
		}
	}
	for _, want := range []string{"  0  ", "  1  ", "  2  ", "  130  ", "lookalike check army.ml"} {
		if !strings.Contains(helpText("check"), want) {
			t.Errorf("The help of check does not name %q", want)
		}
	}
}

// TestStreamOrder: JSON comes in the order of the input, one object for each
// name, none for what is no name; any octet survives.
func TestStreamOrder(t *testing.T) {
	stdin := "\ufeffarmy.ml\r\n  example.ml\t# note\n#army.ml\na#b.ml\n\nbroken..ml\n" + strings.Repeat("x", 10000) +
		"\n\xff\xe9.ml\nармия.ml\nnavy。ml\nnavy.ml"
	status, stdout, stderr := runTool(stdin, "check", "-format", "json")
	var got []string
	for dec := json.NewDecoder(strings.NewReader(stdout)); ; {
		var r render.Result
		if err := dec.Decode(&r); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.Name+" "+r.Class)
	}
	want := []string{
		"army.ml tld-swap", "example.ml ", "a#b.ml ", `\255\233.ml `, "армия.ml ", "navy。ml tld-swap", "navy.ml tld-swap",
	}
	if !slices.Equal(got, want) {
		t.Errorf("Got %q, want %q", got, want)
	}
	if status != exitError {
		t.Errorf("Status %d, want %d", status, exitError)
	}
	for _, want := range []string{"line 6: \"broken..ml\": not a domain name", "line 7: \"xxx", "longer than 4096 bytes"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("Standard error %q, want %q in it", stderr, want)
		}
	}
}

func TestStreamManyBrokenLines(t *testing.T) {
	status, stdout, stderr := runTool(strings.Repeat("a..b\n", 5000)+"army.ml\n", "check", "-format", "json")
	if lines := strings.Count(stderr, "\n"); lines != maxReported+1 || !strings.Contains(stderr, "5000 lines are not domain names") {
		t.Errorf("%d lines on standard error, want %d and the sum", lines, maxReported+1)
	}
	if status != exitError || !strings.Contains(stdout, `"army.ml"`) {
		t.Errorf("Status %d, output %q", status, stdout)
	}
}

// TestOutputFails: an output that cannot be written is an error, one whose
// reader went away is not worth a word.
func TestOutputFails(t *testing.T) {
	for _, tc := range []struct {
		err    error
		status int
		stderr string
	}{
		{syscall.ENOSPC, exitError, "lookalike: check: no space left on device\n"},
		{syscall.EPIPE, exitFound, ""},
	} {
		for _, args := range [][]string{{"check", "army.ml"}, {"check"}} {
			var stderr bytes.Buffer
			stdin := strings.NewReader(strings.Repeat("army.ml\n", 10000))
			status := run(&env{stdin, failing{tc.err}, &stderr}, args)
			if status != tc.status || stderr.String() != tc.stderr {
				t.Errorf("%v, %q: status %d, %q, want %d, %q", tc.err, args, status, &stderr, tc.status, tc.stderr)
			}
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
func (f failing) Read([]byte) (int, error)  { return 0, f.err }

func TestInputFails(t *testing.T) {
	var stdout, stderr bytes.Buffer
	stdin := io.MultiReader(strings.NewReader("army.ml\n"), failing{syscall.EIO})
	if status := run(&env{stdin, &stdout, &stderr}, []string{"check"}); status != exitError {
		t.Errorf("Status %d, want %d", status, exitError)
	}
	if !strings.Contains(stderr.String(), "input/output error") || !strings.Contains(stdout.String(), "army.ml") {
		t.Errorf("Output %q, %q, want what was read and the error", &stdout, &stderr)
	}
}

// generator is an input of n lines that measures the memory in use when a
// tenth of them was read and again at the end.
type generator struct {
	n, at       int
	pauses      bool
	early, late uint64
}

func (g *generator) Read(p []byte) (int, error) {
	if in := g.measured(); in != nil && *in == 0 {
		// A stream is read ahead by one buffer. When it asks for more after an
		// empty read, all names so far are checked, and nobody makes garbage.
		if g.pauses = !g.pauses; g.pauses {
			return 0, nil
		}
		*in = inUse()
	}
	if g.at == g.n {
		return 0, io.EOF
	}
	filled := p[:0]
	for g.at < g.n && cap(filled)-len(filled) > 100 {
		g.at++
		filled = fmt.Appendf(filled, "host%d.department-of-things.example-%d.ml\n", g.at, g.at%1000)
		if g.at%100 == 0 {
			filled = append(filled, "army.ml\n"...)
		}
		if g.measured() != nil {
			break
		}
	}
	return len(filled), nil
}

// measured is where the memory in use belongs that is measured here, nil
// elsewhere.
func (g *generator) measured() *uint64 {
	switch g.at {
	case g.n / 10:
		return &g.early
	case g.n:
		return &g.late
	}
	return nil
}

// inUse is the heap without what pools keep for one collection more.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestStreamMemory(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		g := &generator{n: proof.N(30_000, 150_000)}
		if status := run(&env{g, io.Discard, io.Discard}, []string{"check", "-format", format}); status != exitFound {
			t.Fatalf("%s: status %d, want %d", format, status, exitFound)
		}
		if grown := int64(g.late) - int64(g.early); grown > int64(28*g.n) { // the names themselves take 48 bytes each
			t.Errorf("%s: %d bytes more in use after %d names than after %d", format, grown, g.n, g.n/10)
		}
	}
}

// TestDefaultCorefile holds that check takes the Corefile of its directory, as
// the server does and as the other commands do.
func TestDefaultCorefile(t *testing.T) {
	t.Chdir(t.TempDir())
	status, stdout, _ := runTool("", "check", "army.ml")
	if status != exitFound || !strings.Contains(stdout, "the default actions") {
		t.Errorf("Without a Corefile: status %d, %s", status, stdout)
	}
	if err := os.WriteFile(defaultConf, []byte(". {\n lookalike {\n protect navy.mil\n action servfail\n }\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	status, stdout, _ = runTool("", "check", "army.ml", "navy.ml")
	if status != exitFound || !strings.Contains(stdout, "army.ml resembles no protected name") || !strings.Contains(stdout, "servfail") {
		t.Errorf("With a Corefile: status %d, %s", status, stdout)
	}
}

// TestParse holds that flags may stand behind arguments.
func TestParse(t *testing.T) {
	tests := []struct {
		args, conf, format string
		names              []string
		err                string
	}{
		{"", "", "", nil, ""},
		{"a b", "", "", []string{"a", "b"}, ""},
		{"-format=json a", "", "json", []string{"a"}, ""},
		{"a --format json b -conf C", "C", "json", []string{"a", "b"}, ""},
		{"a -- -conf b", "", "", []string{"a", "-conf", "b"}, ""},
		{"-", "", "", []string{"-"}, ""},
		{"-xml a", "", "", nil, "unknown flag -xml: want -conf, -format or -help"},
		{"a -conf", "", "", nil, "flag needs an argument: -conf"},
		{"-help", "", "", nil, flag.ErrHelp.Error()},
	}
	for _, tc := range tests {
		fs := flag.NewFlagSet("", flag.ContinueOnError)
		fs.SetOutput(io.Discard)
		conf, format := "", fs.String("format", "", "")
		confFlag(fs, &conf)
		names, err := parse(fs, strings.Fields(tc.args))
		switch {
		case tc.err != "" && (err == nil || err.Error() != tc.err):
			t.Errorf("%q: error %v, want %q", tc.args, err, tc.err)
		case tc.err == "" && (err != nil || conf != tc.conf || *format != tc.format || !slices.Equal(names, tc.names)):
			t.Errorf("%q: conf %q, format %q, names %q, error %v", tc.args, conf, *format, names, err)
		}
	}
}

// BenchmarkCheck measures names a second, nine of ten resembling nothing.
func BenchmarkCheck(b *testing.B) {
	for _, format := range []string{"text", "json"} {
		b.Run(format, func(b *testing.B) {
			const n = 100_000
			var input bytes.Buffer
			for i := range n {
				if i%10 == 0 {
					fmt.Fprintf(&input, "mx%d.us.army.ml\n", i)
				} else {
					fmt.Fprintf(&input, "host%d.example-%d.ml\n", i, i%1000)
				}
			}
			for b.Loop() {
				run(&env{bytes.NewReader(input.Bytes()), io.Discard, io.Discard}, []string{"check", "-format", format})
			}
			b.ReportMetric(float64(b.N)*n/b.Elapsed().Seconds(), "names/s")
		})
	}
}
