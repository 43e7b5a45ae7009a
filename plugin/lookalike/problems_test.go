package lookalike

import (
	"bytes"
	"errors"
	"io"
	golog "log"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/lookalike-dns/lookalike/plugin/internal/environment"
	"github.com/lookalike-dns/lookalike/test/harness"
)

// TestExamine has what the server refuses ("refused ...") or warns of, in the
// words of the tool. FILE is the Corefile, DIR its directory.
func TestExamine(t *testing.T) {
	quiet(t)
	dnsserver.Directives = []string{"proxyproto", "bind", "any", "view", pluginName, "cache", "template", "forward", "whoami", "root"}
	t.Setenv("ONE", "army.mil")
	t.Setenv("TWO", "army.mil navy.mil")
	dir := t.TempDir()
	for name, contents := range map[string]string{
		"guard": "lookalike\n", "empty": "# nothing any more\n", "secret": "s", "bad.txt": "army.mil\nnavy..mil\n",
	} {
		write(t, filepath.Join(dir, name), contents)
	}
	shared := filepath.Join(dir, "shared")
	if err := errors.Join(os.Mkdir(shared, 0o700), os.Chmod(shared, 0o777|os.ModeSticky), os.Symlink("../secret", filepath.Join(shared, "link"))); err != nil {
		t.Fatal(err)
	}
	const guarded = ". {\n lookalike {\n  protect army.mil\n }\n}\n"
	tests := []struct {
		name, corefile string
		want           []string // beginnings
	}{
		{"all well", guarded, nil},
		{"all well, imported", ". {\n import guard\n}\n", nil},
		{"another zone", guarded + "example.org {\n whoami\n}\n", nil},
		{"own zone below the TLD", guarded + "partner.ml {\n whoami\n}\n", nil},
		{"every listener guarded", guarded + "tls://. {\n lookalike\n}\n", nil},
		{"one variable", ". {\n lookalike {\n  protect {$ONE}\n }\n}\n", nil},
		{"a variable in a comment", guarded + "# {$NONE}\n", nil},

		{"bad property", ". {\n lookalike {\n  protcet army.mil\n }\n}\n", []string{"refused FILE:3: unknown property 'protcet': want protect, "}},
		{"each block for itself", ". {\n lookalike {\n  protcet army.mil\n }\n}\n.:54 {\n lookalike {\n  ttl 0\n }\n}\n",
			[]string{"refused FILE:3: unknown property", "refused FILE:8: ttl 0: want whole seconds"}},
		{"bad list", ". {\n lookalike {\n  protect DIR/bad.txt\n }\n}\n", []string{"refused FILE:3: DIR/bad.txt:2: "}},
		{"no list", ". {\n lookalike {\n  protect DIR/none.txt\n }\n}\n", []string{"refused FILE:3: "}},
		{"missing directory of alerts", ". {\n lookalike {\n  alert DIR/none/alerts.json\n }\n}\n",
			[]string{"refused FILE:3: alert DIR/none/alerts.json: there is no directory DIR/none: create it, and let the server's user write there"}},
		{"directory for a file of alerts", ". {\n lookalike {\n  alert DIR\n }\n}\n", []string{"refused FILE:3: alert DIR: open DIR: is a directory (name a file in it)"}},
		{"device for a file of alerts", ". {\n lookalike {\n  alert /dev/null\n }\n}\n", []string{"refused FILE:3: alert /dev/null: /dev/null: this is a device: write stdout, or a path"}},
		{"socket that is not there for a file of alerts", ". {\n lookalike {\n  alert /dev/logger\n }\n}\n", []string{"refused FILE:3: alert /dev/logger: /dev/logger: files do not belong in /dev: write syslog:///dev/logger"}},
		{"link where all may write", ". {\n lookalike {\n  alert DIR/shared/link\n }\n}\n", []string{"refused FILE:3: alert DIR/shared/link: open DIR/shared/link: too many levels of symbolic links (a link in DIR/shared"}},
		{"missing secret", ". {\n lookalike {\n  spool DIR/spool\n  alert https://soc.example.org/ secret_file=DIR/none\n }\n}\n", []string{"refused FILE:4: alert https://soc.example.org"}},
		{"network without a spool", ". {\n lookalike {\n  alert https://soc.example.org/\n }\n}\n", []string{"warning FILE:3: no spool for https://soc.example.org/: alerts wait in memory, "}},
		{"one file in two formats", ". {\n lookalike {\n  alert DIR/a ecs\n  alert DIR/a cef\n }\n}\n", []string{"refused FILE:3: alert DIR/a: a file takes one format"}},
		{"spool below a file", ". {\n lookalike {\n  spool DIR/secret/spool\n }\n}\n", []string{"refused FILE:3: spool DIR/secret/spool: DIR/secret/spool: not a directory: name one"}},
		{"spool shared wrongly", ". {\n lookalike {\n  spool DIR/spool\n  alert nats://a/x\n }\n lookalike cm {\n  protect army.mil\n  spool DIR/spool\n  alert nats://b/x\n }\n}\n",
			[]string{"refused FILE:8: spool DIR/spool: two directives with different alert destinations"}},
		{"unknown directive", ". {\n lookalike\n forwrad . 192.0.2.53\n}\n", []string{"refused FILE:3: unknown directive 'forwrad': correct the spelling"}},
		{"no directive at all", ". {\n whoami\n}\n", []string{"warning FILE: no server block has a lookalike directive"}},
		{"proxies named", ". {\n proxyproto {\n  allow 192.0.2.1/32\n  default reject\n }\n lookalike\n}\n", nil},
		{"everybody a proxy", ". {\n proxyproto\n lookalike\n}\n", []string{"warning FILE:2: proxyproto lets everybody name another client"}},
		{"everybody else a proxy, too", ". {\n proxyproto {\n  allow 192.0.2.1/32\n  default use\n }\n lookalike\n}\n", []string{"warning FILE:2: proxyproto lets everybody name another client"}},
		{"any in front", ". {\n any\n lookalike\n}\n", []string{"warning FILE:2: the any plugin answers queries of type ANY"}},
		{"weak names", ". {\n lookalike {\n  protect af.mil army.mil mail.mil garden.mil *.gov\n }\n}\n",
			[]string{"warning FILE:2: 2 protected names may raise false alarms, being short or a usual host label: mail.mil and af.mil: watch them with action monitor first; 'lookalike list -weak -conf "}},
		{"many weak names", ". {\n lookalike {\n  protect a.mil b.mil c.mil d.mil e.mil f.mil\n }\n}\n",
			[]string{"warning FILE:2: 6 protected names may raise false alarms, being short or a usual host label: a.mil, b.mil, c.mil, d.mil and 2 more: "}},
		{"weak names of the built-in list", ". {\n lookalike {\n  protect @mil army.mil\n }\n}\n", nil},
		{"a weak name beside the built-in list", ". {\n lookalike {\n  protect @mil zz.mil\n }\n}\n", []string{"warning FILE:2: 1 protected name may raise false alarms, being short or a usual host label: zz.mil: "}},
		{"private sinkhole", ". {\n lookalike {\n  action sinkhole 10.0.0.1\n }\n}\n", []string{"warning FILE:2: sinkhole 10.0.0.1 is a private address"}},

		{"'}' that is missing before a plugin with a block", ". {\n lookalike {\n  protect army.mil\n cache {\n  success 100\n }\n forward . 192.0.2.53\n}\n",
			[]string{"refused FILE:4: 'cache' is in the block of lookalike: its '}' is missing above"}},
		{"'}' that is missing before a server block", ". {\n lookalike\n whoami\n\nexample.org:54 {\n whoami\n}\n",
			[]string{"refused FILE:5: 'example.org:54' is not a directive of a server block: is the '}' of the block above it missing?"}},

		{"quotes that do not end", ". {\n lookalike {\n  protect \"army.mil\n }\n}\n",
			[]string{"refused FILE:3: Unexpected EOF: close the quotes that begin there or above"}},
		{"variable that is not set", ". {\n lookalike {\n  protect {$NONE}\n }\n}\n",
			[]string{"warning FILE:3: {$NONE} is not set here", "refused FILE:3: protect: \"\" is an empty word"}},
		{"variable of two words", ". {\n lookalike {\n  protect {$TWO}\n }\n}\n",
			[]string{"warning FILE:3: {$TWO} has several words here, but a variable is one word", `refused FILE:3: protect: "army.mil navy.mil" is one word with a blank in it`}},

		{"longer zone", guarded + "ml {\n whoami\n}\n",
			[]string{"warning FILE:7: server block ml answers queries for names below ml at port 53 unguarded: add the lookalike directive of FILE:2 to it, or answer other zones there"}},
		{"lookalike zone", guarded + "army.ml {\n whoami\n}\n", []string{"warning FILE:7: server block army.ml answers queries for names below ml at port 53 unguarded"}},
		{"public suffix", guarded + "com.ml {\n whoami\n}\n", []string{"warning FILE:7: server block com.ml answers queries for names below ml at port 53 unguarded"}},
		{"another port", guarded + ".:54 {\n whoami\n}\n", []string{"warning FILE:7: server block .:54 answers queries for names below ml at port 54 unguarded"}},
		{"another transport", guarded + "tls://. {\n whoami\n}\n", []string{"warning FILE:7: server block tls://. answers queries for names below ml at tls port 853 unguarded"}},
		{"an address of its own", ". {\n bind 192.0.2.1\n lookalike\n}\n. {\n whoami\n}\n",
			[]string{"warning FILE:6: server block . answers queries for names below ml at port 53 unguarded"}},
		{"the guard has no address of its own", ". {\n lookalike\n}\n. {\n bind 192.0.2.1\n whoami\n}\n",
			[]string{"warning FILE:5: server block . answers queries for names below ml at 192.0.2.1:53 unguarded"}},
		{"below a view", ". {\n view a {\n  expr true\n }\n lookalike\n}\n. {\n whoami\n}\n", []string{"warning FILE:8: server block . answers queries for names below ml"}},
		{"in a view", ". {\n view a {\n  expr true\n }\n whoami\n}\n. {\n lookalike\n}\n",
			[]string{"warning FILE:2: server block . answers queries of the clients in its view for names below ml"}},
		{"two TLDs", ". {\n lookalike ml cm {\n  protect army.mil\n }\n}\n.:54 {\n lookalike cm {\n  protect army.mil\n }\n}\n.:55 {\n whoami\n}\n",
			[]string{"warning FILE:12: server block .:55 answers queries for names below cm and ml", "warning FILE:7: server block .:54 answers queries for names below ml at"}},
		{"every TLD", ". {\n lookalike * {\n  protect army.mil\n }\n}\n.:54 {\n whoami\n}\nexample.org:55 {\n whoami\n}\n",
			[]string{"warning FILE:7: server block .:54 answers queries for names below every TLD at port 54 unguarded"}},
		{"emptied import", ". {\n import empty\n whoami\n}\n.:54 {\n lookalike\n}\n",
			[]string{"warning FILE:2: the imported file DIR/empty is empty", "warning FILE:3: server block . answers queries"}},
		{"import of nothing", guarded + "import none-*\n", []string{"warning FILE:6: import none-*: there is no such file"}},
		{"one zone twice", guarded + ". {\n lookalike\n}\n", []string{"refused FILE:7: server block .: zone . at port 53 also belongs to the block at FILE:2"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(dir, "Corefile")
			expand := strings.NewReplacer("DIR", dir, "FILE", file).Replace
			write(t, file, expand(tc.corefile))
			before := listing(t, dir)
			problems, _, err := Examine(file)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]string, 0, len(problems))
			for _, p := range problems {
				kind := "warning "
				if p.Refused {
					kind = "refused "
				}
				got = append(got, kind+p.Text)
			}
			if len(got) != len(tc.want) {
				t.Fatalf("Got %d problems, want %d:\n%s", len(got), len(tc.want), strings.Join(got, "\n"))
			}
			for _, want := range tc.want {
				if !strings.Contains("\n"+strings.Join(got, "\n"), "\n"+expand(want)) {
					t.Errorf("Got:\n%s\nwant:\n%s", strings.Join(got, "\n"), expand(want))
				}
			}
			if after := listing(t, dir); after != before {
				t.Errorf("There were %s, now %s", before, after)
			}
		})
	}
}

// TestStartReports holds that the server's log says what it guards, and who
// answers unguarded, at start and after a reload.
func TestStartReports(t *testing.T) {
	quiet(t)
	if err := dnsserver.SetDirectives([]string{"bind", pluginName, "whoami"}); err != nil {
		t.Fatal(err)
	}
	var buf syncBuffer
	golog.SetOutput(&buf)
	defer golog.SetOutput(io.Discard)
	guarded := ".:0 {\n bind 127.0.0.1\n lookalike {\n  protect army.mil\n  alert " + t.TempDir() + "/alerts.json\n }\n whoami\n}\n"
	const guards = "Corefile:3: guards 1 protected name below ml; high nxdomain, "
	const unguarded = "Corefile:10: server block ml:0 answers queries for names below ml at 127.0.0.1:0 unguarded: add the lookalike directive of Corefile:3 to it"

	instance, err := caddy.Start(corefileInput(guarded))
	if err != nil {
		t.Fatal(err)
	}
	harness.Serving(t, instance)
	if got := buf.String(); !strings.Contains(got, "[INFO] plugin/lookalike: "+guards) || strings.Contains(got, "unguarded") {
		t.Errorf("The log says %s", got)
	}
	buf.Reset()
	next, err := instance.Restart(corefileInput(guarded + "ml:0 {\n bind 127.0.0.1\n whoami\n}\n"))
	if err != nil {
		t.Fatal(err)
	}
	harness.Serving(t, next)
	if got := buf.String(); !strings.Contains(got, guards) || !strings.Contains(got, "[WARNING] plugin/lookalike: "+unguarded) {
		t.Errorf("After the reload the log says %s", got)
	}
	if err := harness.End(t, next); err != nil {
		t.Error(err)
	}
}

// syncBuffer is a buffer that goroutines may share.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *syncBuffer) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.Reset()
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func TestSummary(t *testing.T) {
	tests := []struct{ in, want string }{
		{"lookalike", "Corefile:1: guards 258 protected names below ml; high nxdomain, medium monitor, low monitor; clients: all; alerts to stdout"},
		{"lookalike cm co {\n protect example.com\n allow example.cm\n action servfail\n action typo off\n clients 192.0.2.1 2001:db8::/32\n alert stdout\n alert nats://a/x\n verify\n inspect\n}",
			"Corefile:1: guards 1 protected name below cm and co; high servfail, medium servfail, low servfail, typo off; clients: 192.0.2.1/32 and 2001:db8::/32; alerts to stdout and nats://a/x; 1 allowed name; verify; inspect"},
		{"lookalike {\n protect army.mil\n clients 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.5 192.0.2.6\n}",
			"Corefile:1: guards 1 protected name below ml; high nxdomain, medium monitor, low monitor; clients: 192.0.2.1/32, 192.0.2.2/32, 192.0.2.3/32, 192.0.2.4/32 and 2 more; alerts to stdout"},
	}
	for _, tc := range tests {
		policies, err := parsed(t, tc.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := policies[0].summary(); got != tc.want {
			t.Errorf("Got  %q\nwant %q", got, tc.want)
		}
	}
}

// FuzzExamine gives arbitrary bytes as a Corefile.
func FuzzExamine(f *testing.F) {
	for _, seed := range []string{
		". {\n lookalike ml cm {\n  protect army.mil\n  clients 192.0.2.0/24\n  action high sinkhole 192.0.2.25\n }\n}\n",
		"ml:53 example.org {\n view a {\n expr true\n }\n bind eth0\n}\n. {\n lookalike\n}\n",
		". {\n lookalike {\n  protect army.mil\n cache {\n }\n}\n", "(x) {\n lookalike\n}\n. {\n import x\n import *\n}\n", "{$A} {%B%} #{$C}", "\xef\xbb\xbf. {", "tls://. { lookalike }",
	} {
		f.Add([]byte(seed))
	}
	dir := f.TempDir()
	f.Fuzz(func(_ *testing.T, contents []byte) {
		if strings.Contains(string(contents), "/") || strings.Contains(string(contents), "import") {
			return // other files
		}
		path := filepath.Join(dir, "Corefile")
		environment.Variables(path, contents)
		environment.Imports(path, contents)
		c, _ := survey(path, contents)
		c.twice()
		c.unguarded(nil)
	})
}
