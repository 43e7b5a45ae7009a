package lookalike

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/harness"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/miekg/dns"
)

// bare is a directive that is known by its lookalike TLD, without a block.
var bare = regexp.MustCompile(`lookalike \w\w\b`)

// TestServing: which directives are asked about a name. Each directive is known
// by its lookalike TLD.
func TestServing(t *testing.T) {
	tests := []struct {
		name     string
		corefile string
		qname    string
		want     string // the directives in order
	}{
		{"the only block", ". {\n lookalike aa\n}", "army.ml", "aa"},
		{"several directives", ". {\n lookalike aa\n lookalike bb\n}", "army.ml", "aa bb"},
		{"longer zone later", ". {\n lookalike aa\n}\nml {\n lookalike bb\n}", "army.ml", "bb"},
		{"longer zone first", "ml. {\n lookalike bb\n}\n. {\n lookalike aa\n}", "army.ml.", "bb"},
		{"zone of the name itself", ". {\n lookalike aa\n}\nARMY.ml {\n lookalike bb\n}", "army.ML", "bb"},
		{"outside the longer zone", ". {\n lookalike aa\n}\nml {\n lookalike bb\n}", "army.cm", "aa"},
		{"end of a label is no zone", ". {\n lookalike aa\n}\nmy.ml {\n lookalike bb\n}", "army.ml", "aa"},
		{"the root", ". {\n lookalike aa\n}\nml {\n lookalike bb\n}", ".", "aa"},
		{"no zone", "example.org {\n lookalike aa\n}", "army.ml", ""},
		{"longer zone without directive", ". {\n lookalike aa\n}\nml {\n whoami\n}", "army.ml", ""},
		{"second key", "example.org ml {\n lookalike aa\n}\n. {\n lookalike bb\n}", "army.ml", "aa"},
		{"default port", ". {\n lookalike aa\n}\nml:53 {\n lookalike bb\n}", "army.ml", "bb"},
		{"another port", ". {\n lookalike aa\n}\nml:54 {\n lookalike bb\n}", "army.ml", "aa bb"},
		{"another transport", ". {\n lookalike aa\n}\ntls://ml:53 {\n lookalike bb\n}", "army.ml", "aa bb"},
		{"port of the transport", "tls://. {\n lookalike aa\n}\ntls://ml:853 {\n lookalike bb\n}", "army.ml", "bb"},
		{"another address", ". {\n bind 192.0.2.1\n lookalike aa\n}\nml {\n bind 192.0.2.2\n lookalike bb\n}", "army.ml", "aa bb"},
		{"one address of two", ". {\n bind 192.0.2.1 192.0.2.2\n lookalike aa\n}\nml {\n bind 192.0.2.1\n lookalike bb\n}", "army.ml", "bb aa"},
		{"exception from an address", ". {\n bind eth0 {\n except 192.0.2.1\n }\n lookalike aa\n}\nml {\n bind eth0\n lookalike bb\n}", "army.ml", "bb"},
		{"view", "ml {\n view a {\n expr true\n }\n lookalike aa\n}\nml {\n lookalike bb\n}\n. {\n lookalike cc\n}", "army.ml", "aa bb"},
		{"only views", "ml {\n view a {\n expr true\n }\n lookalike aa\n}\n. {\n lookalike bb\n}", "army.ml", "aa bb"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "Corefile")
			write(t, file, bare.ReplaceAllString(tc.corefile, "$0 {\n protect x.example\n }"))
			c, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range c.Serving(tc.qname) {
				got = append(got, p.tlds[0])
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("Expected %q, got %q", tc.want, got)
			}
		})
	}
}

// TestServingIsTheServers asks a server about names of several zones, and holds
// its answers against what is read from its Corefile. Each action has a code of
// its own.
func TestServingIsTheServers(t *testing.T) {
	quiet(t)
	if err := dnsserver.SetDirectives([]string{"bind", pluginName, "whoami"}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	guard := func(action string) string {
		return fmt.Sprintf("lookalike ml cm {\n protect army.mil navy.mil\n alert %s/alerts.json\n action %s\n }", dir, action)
	}
	contents := "army.ml:0 {\n bind 127.0.0.1\n whoami\n}\n" +
		"example.org:0 ml:0 {\n bind 127.0.0.1\n " + guard("servfail") + "\n whoami\n}\n" +
		"mil.ml:0 {\n bind 127.0.0.1\n " + guard("nxdomain") + "\n}\n" +
		"cm:0 {\n bind 127.0.0.1\n " + guard("refused") + "\n}\n"
	file := filepath.Join(dir, "Corefile")
	write(t, file, contents)
	c, err := Load(file)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := caddy.Start(corefileInput(contents))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := harness.End(t, instance); err != nil {
			t.Error(err)
		}
	}()
	harness.Serving(t, instance)

	codes := map[string]int{"servfail": dns.RcodeServerFailure, "nxdomain": dns.RcodeNameError, "refused": dns.RcodeRefused}
	client := &dns.Client{Timeout: 10 * time.Second}
	for _, tc := range []struct{ name, want string }{
		{"army.ml.", ""},
		{"mx.ARMY.ml.", ""},
		{"navy.ml.", "servfail"},
		{"army.mil.ml.", "nxdomain"},
		{"x.mil.ml.", "nxdomain"},
		{"army.cm.", "refused"},
		{"example.ml.", ""},
		{"mx.example.org.", ""},
	} {
		m, _, err := client.Exchange(new(dns.Msg).SetQuestion(tc.name, dns.TypeMX), instance.Servers()[0].LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		got := deciding(Explain(c.Serving(tc.name), tc.name, netip.Addr{}))
		if got != tc.want || m.Rcode != codes[tc.want] {
			t.Errorf("%s: Expected %q, got %q and %s from the server", tc.name, tc.want, got, dns.RcodeToString[m.Rcode])
		}
	}
}
