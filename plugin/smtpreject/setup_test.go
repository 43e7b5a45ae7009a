package smtpreject

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/harness"

	"github.com/coredns/caddy"
	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"

	"github.com/lookalike-dns/lookalike/plugin/internal/directive"
	"github.com/miekg/dns"
)

func TestParse(t *testing.T) {
	cert, key := writePair(t)
	tests := []struct {
		input     string
		addresses string
		hostname  string
		limit     int
		timeout   time.Duration
		err       string
	}{
		{input: "smtpreject", addresses: ":25"},
		{input: "smtpreject 192.0.2.25", addresses: "192.0.2.25:25"},
		{input: "smtpreject 192.0.2.25:2525 2001:db8::25 [2001:db8::26] [2001:db8::27]:2525 :26",
			addresses: "192.0.2.25:2525 [2001:db8::25]:25 [2001:db8::26]:25 [2001:db8::27]:2525 :26"},
		{input: "smtpreject {\n hostname reject.example.org.\n connections 10\n timeout 5s\n reply \"no mail for {domain}\"\n}",
			addresses: ":25", hostname: "reject.example.org", limit: 10, timeout: 5 * time.Second},
		{input: "smtpreject {\n timeout 5\n}", addresses: ":25", timeout: 5 * time.Second},
		{input: "smtpreject {\n tls " + cert + " " + key + "\n}", addresses: ":25"},

		{input: "smtpreject\nsmtpreject", err: "Testfile:2 - Error during parsing: smtpreject can stand once in a server block: remove one"},
		{input: "smtpreject { timeout 5s }", err: "Testfile:1 - Error during parsing: '}' follows timeout: write each property on a line of its own"},
		{input: "smtpreject {\n timeout {\n 5s\n }\n}", err: "Testfile:2 - Error during parsing: timeout takes no block"},
		{input: "smtpreject {\n limits {\n timeout 5s\n }\n}", err: "Testfile:2 - Error during parsing: unknown property 'limits': want tls, hostname, reply, connections or timeout"},
		{input: "smtpreject\n{\n timeout 5s\n}", err: "Testfile:2 - Error during parsing: '{' begins a line"},
		{input: "smtpreject {\n timeout 5s\n} :26", err: "Testfile:3 - Error during parsing: ':26' follows the '}'"},
		{input: "smtpreject {}", err: `address "{}": want an IP address`},
		{input: "smtpreject mx.example.org", err: `address "mx.example.org": want an IP address`},
		{input: "smtpreject mx.example.org:25", err: `"mx.example.org" is not an IP address`},
		{input: "smtpreject 192.0.2.25:smtp", err: `port "smtp" is not a number`},
		{input: "smtpreject 192.0.2.25:65536", err: `port "65536" is not a number`},
		{input: "smtpreject 192.0.2.25 192.0.2.25:25", err: "given twice"},
		{input: "smtpreject {\n relay on\n}", err: "unknown property 'relay'"},
		{input: "smtpreject {\n timeout 5s\n timeout 6s\n}", err: "Testfile:3 - Error during parsing: timeout is given twice, first at Testfile:2: remove one"},
		{input: "smtpreject {\n timeout\n}", err: "timeout needs one duration, such as 'timeout 1m', got 0"},
		{input: "smtpreject {\n timeout 5s 6s\n}", err: "timeout needs one duration, such as 'timeout 1m', got 2"},
		{input: "smtpreject {\n timeout soon\n}", err: `timeout: "soon" is not a duration`},
		{input: "smtpreject {\n timeout 1ms\n}", err: "timeout 1ms: want whole seconds from 1s to 10m"},
		{input: "smtpreject {\n connections\n}", err: "connections needs one argument, got 0"},
		{input: "smtpreject {\n connections 1 2\n}", err: "connections needs one argument, got 2"},
		{input: "smtpreject {\n hostname \"a b\"\n}", err: `hostname: "a b" is one word with a blank in it`},
		{input: "smtpreject {\n connections 0\n}", err: `connections "0": want a number`},
		{input: "smtpreject {\n connections many\n}", err: `connections "many": want a number`},
		{input: "smtpreject {\n hostname not_a_host\n}", err: `hostname "not_a_host" is not a host name`},
		{input: "smtpreject {\n hostname " + strings.Repeat("a", 64) + ".example\n}", err: "is not a host name"},
		{input: "smtpreject {\n reply\n}", err: "reply needs a text"},
		{input: "smtpreject {\n reply see {url}\n}", err: "unknown placeholder {url}"},
		{input: "smtpreject {\n tls cert.pem\n}", err: "tls needs a certificate and a key"},
		{input: "smtpreject {\n tls missing.pem missing.key\n}", err: "missing.pem"},
		{input: "smtpreject {\n tls " + key + " " + cert + "\n}", err: "tls: "},
	}
	for _, tc := range tests {
		t.Run(tc.input, func(t *testing.T) {
			p, err := parse(&caddy.NewTestController("dns", tc.input).Dispenser, "")
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("Got error %v, want %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if tc.hostname == "" {
				tc.hostname = defaultHostname()
			}
			if tc.limit == 0 {
				tc.limit = defaultConnections
			}
			if tc.timeout == 0 {
				tc.timeout = defaultTimeout
			}
			if !slices.Equal(p.addresses, strings.Fields(tc.addresses)) || p.hostname != tc.hostname ||
				p.connections != tc.limit || p.timeout != tc.timeout || p.tls == nil || p.reply == nil {
				t.Errorf("Got %+v", p)
			}
		})
	}
}

// writePair writes a certificate and its key into files.
func writePair(t *testing.T) (cert, key string) {
	t.Helper()
	config, err := selfSigned("reject.example.org", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pair := config.Certificates[0]
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("cert.pem", "CERTIFICATE", pair.Certificate[0]), write("key.pem", "PRIVATE KEY", der)
}

func TestSelfSigned(t *testing.T) {
	name := strings.Repeat("a.", 100) + "example.org"
	config, err := selfSigned(name, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(config.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := cert.VerifyHostname(name); err != nil {
		t.Error(err)
	}
	if now := time.Now(); now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		t.Errorf("Valid from %s to %s", cert.NotBefore, cert.NotAfter)
	}
}

// lookalikeStandIn stands in the chain for the lookalike plugin.
type lookalikeStandIn struct {
	plugin.Handler
	*fakeDetector
}

func (lookalikeStandIn) Name() string { return "lookalike" }

func (l lookalikeStandIn) ServeDNS(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
	return dns.RcodeRefused, nil
}

// start runs a server with this Corefile, in which "lookalike" is a stand-in.
func start(t *testing.T, corefile string) (*caddy.Instance, error) {
	t.Helper()
	caddy.Quiet, dnsserver.Quiet = true, true
	return caddy.Start(input(corefile))
}

func input(corefile string) caddy.Input {
	return caddy.CaddyfileInput{Contents: []byte(corefile), Filepath: "Corefile", ServerTypeName: "dns"}
}

func init() {
	if err := dnsserver.SetDirectives([]string{"lookalike", pluginName}); err != nil {
		panic(err)
	}
	plugin.Register("lookalike", func(c *caddy.Controller) error {
		if c.Next() && c.NextArg() && c.Val() == "sour" {
			c.OnShutdown(func() error { return errors.New("not now") })
		}
		dnsserver.GetConfig(c).AddPlugin(func(next plugin.Handler) plugin.Handler {
			return lookalikeStandIn{next, newDetector()}
		})
		return nil
	})
}

// freeAddress returns an address that nobody listens on now.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func TestLifecycle(t *testing.T) {
	address, other := freeAddress(t), freeAddress(t)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	const block = "example.org:0 example.net:0 {\n lookalike\n smtpreject %s {\n hostname reject.example.org\n }\n}\n"
	good := fmt.Sprintf(block, address)
	bad := []string{
		fmt.Sprintf(block, address+" "+busy.Addr().String()),
		fmt.Sprintf(block, address) + "example.com:0 {\n smtpreject " + other + "\n}\n",
		fmt.Sprintf(block, address) + "example.com:0 {\n lookalike\n smtpreject " + address + "\n}\n",
		fmt.Sprintf(block, "nonsense"),
	}

	instance, err := start(t, good)
	if err != nil {
		t.Fatal(err)
	}
	harness.Serving(t, instance)
	refuses(t, address)
	for range 3 {
		for _, corefile := range bad {
			if _, err := instance.Restart(input(corefile)); err == nil {
				t.Fatal("A bad Corefile was accepted")
			}
			refuses(t, address)
		}
		if instance, err = instance.Restart(input(good)); err != nil {
			t.Fatal(err)
		}
		harness.Serving(t, instance)
		refuses(t, address)
	}
	if instance, err = instance.Restart(input(fmt.Sprintf(block, other))); err != nil {
		t.Fatal(err)
	}
	harness.Serving(t, instance)
	refuses(t, other)
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		t.Errorf("%s is still open after it was taken out of the Corefile", address)
	}
	if err := harness.End(t, instance); err != nil {
		t.Error(err)
	}
	if n := open(); n != 0 {
		t.Errorf("%d addresses are still open after the shutdown", n)
	}
}

// TestCheck holds that the tool is told what the server would refuse.
func TestCheck(t *testing.T) {
	tests := []struct{ name, corefile, want string }{
		{"none", ". {\n}\n", ""},
		{"all well", ". {\n lookalike\n smtpreject\n}\n:54 {\n lookalike\n smtpreject :26\n}\n", ""},
		{"bad property", ". {\n lookalike\n smtpreject {\n relay on\n }\n}\n", "Corefile:4 - Error during parsing: unknown property 'relay'"},
		{"'}' that is missing", ". {\n smtpreject {\n lookalike {\n }\n}\n", "Corefile:3 - Error during parsing: 'lookalike' is in the block of smtpreject: its '}' is missing above"},
		{"no lookalike", ". {\n smtpreject\n}\n", "Corefile:2: no lookalike directive in this server block"},
		{"one address twice", ". {\n lookalike\n smtpreject\n}\n:54 {\n lookalike\n smtpreject :25\n}\n", "Corefile:7: the directive at Corefile:3 also listens on :25 for mail"},
	}
	for _, tc := range tests {
		blocks, err := caddyfile.Parse("Corefile", strings.NewReader(tc.corefile), nil)
		if err != nil {
			t.Fatal(err)
		}
		errs := Check("Corefile", blocks)
		if tc.want == "" && len(errs) > 0 || tc.want != "" && (len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", tc.name, errs, tc.want)
		}
	}
}

// TestReloadThatIsCalledFailed has another plugin fail when the new instance
// serves already: the new policy stays in force, and the old one goes.
func TestReloadThatIsCalledFailed(t *testing.T) {
	address := freeAddress(t)
	const block = "example.org:0 {\n lookalike %s\n smtpreject %s {\n hostname %s\n }\n}\n"
	instance, err := start(t, fmt.Sprintf(block, "sour", address, "old.example.org"))
	if err != nil {
		t.Fatal(err)
	}
	harness.Serving(t, instance)
	if _, err := instance.Restart(input(fmt.Sprintf(block, "", address, "reject.example.org"))); err == nil {
		t.Fatal("The reload was not called failed")
	}
	instance = caddy.Instances()[0]
	harness.Serving(t, instance)
	refuses(t, address)
	if err := harness.End(t, instance); err != nil {
		t.Error(err)
	}
	if n := open(); n != 0 {
		t.Errorf("%d addresses are still open after the shutdown", n)
	}
}

// TestStartFails shows what an administrator reads when the server does not start,
// or does not take a new Corefile. What it listened on by then, it closes.
func TestStartFails(t *testing.T) {
	instance, err := start(t, "example.net:0 {\n lookalike\n smtpreject "+freeAddress(t)+"\n}\n")
	if err != nil {
		t.Fatal(err)
	}
	harness.Serving(t, instance)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	free := freeAddress(t)
	tests := []struct {
		name, corefile, want string
	}{
		{"no lookalike", "example.org:0 {\n smtpreject " + free + "\n}\n",
			"plugin/smtpreject: Corefile:2: no lookalike directive in this server block: add one"},
		{"address in use", "example.org:0 {\n lookalike\n smtpreject " + busy.Addr().String() + "\n}\n",
			"plugin/smtpreject: Corefile:3: cannot listen for mail: listen tcp " + busy.Addr().String() + ": bind: address already in use: stop the mail server"},
		{"address of another host", "example.org:0 {\n lookalike\n smtpreject 192.0.2.25:2525\n}\n",
			"plugin/smtpreject: Corefile:3: cannot listen for mail: listen tcp 192.0.2.25:2525: bind: cannot assign requested address: name an address of this host"},
		{"address twice", "example.org:0 {\n lookalike\n smtpreject " + free + "\n}\nexample.com:0 {\n lookalike\n smtpreject " + free + "\n}\n",
			"plugin/smtpreject: Corefile:7: another server block listens on " + free + " for mail: give each an address of its own"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			_, err := instance.Restart(input(tc.corefile))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Got error %v, want %q", err, tc.want)
			}
			if n := open(); n != 1 {
				t.Errorf("%d addresses are open, want that of the server that goes on", n)
			}
		})
	}
	if err := harness.End(t, instance); err != nil {
		t.Error(err)
	}
}

func TestReady(t *testing.T) {
	p, _ := newPolicy(t)
	r := &Responder{policy: p}
	if r.Ready() {
		t.Error("Ready before it listens")
	}
	serve(t, p)
	if !r.Ready() {
		t.Error("Not ready although it listens")
	}
}

func TestServeDNS(t *testing.T) {
	next := plugin.HandlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) { return dns.RcodeNotZone, nil })
	if rcode, err := (&Responder{Next: next}).ServeDNS(context.Background(), nil, nil); rcode != dns.RcodeNotZone || err != nil {
		t.Errorf("Got %d, %v; want what the next plugin returns", rcode, err)
	}
}

// TestConfiguredCertificate shows that the certificate of the Corefile is used.
func TestConfiguredCertificate(t *testing.T) {
	cert, key := writePair(t)
	p, _ := newPolicy(t)
	if err := p.setTLS(directive.Line{Name: "tls", Args: []string{cert, key}}); err != nil {
		t.Fatal(err)
	}
	c := dial(t, serve(t, p)[0])
	c.play(greeting + "C: STARTTLS\nS: 220 2.0.0 Go ahead\nTLS")
	want, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.conn.(*tls.Conn).ConnectionState().PeerCertificates[0]; !slices.Equal(got.Raw, want.Certificate[0]) {
		t.Errorf("Got the certificate of %s", got.Subject)
	}
	c.play(goodbye)
}
