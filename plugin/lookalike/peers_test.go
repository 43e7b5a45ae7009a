package lookalike

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/test"

	"github.com/miekg/dns"
)

// TestProtectedElsewhere asks a server about names that one directive protects
// and that are lookalikes to another, and holds what is read from its Corefile
// against its answers.
func TestProtectedElsewhere(t *testing.T) {
	quiet(t)
	if err := dnsserver.SetDirectives([]string{"bind", pluginName, "whoami"}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	list := filepath.Join(dir, "list.txt")
	guards := func(tld, protect string) string {
		return fmt.Sprintf(" lookalike %s {\n  protect %s\n  alert %s/alerts.json\n  reload 1s\n }\n", tld, protect, dir)
	}
	block := func(zone string, directives ...string) string {
		return zone + ":0 {\n bind 127.0.0.1\n" + strings.Join(directives, "") + " whoami\n}\n"
	}
	british, all := guards("co", "example.co.uk example.com"), guards("uk", "example.com")
	for _, tc := range []struct {
		name, corefile string
		list           string // empty: there is none
		pass, blocked  string
	}{
		{"one directive", block(".", all), "", "", "example.co.uk"},
		{"two directives", block(".", british, all), "", "example.co.uk mx.example.co.uk", "example.co examp1e.co.uk mx.examp1e.co.uk"},
		{"two directives in the other order", block(".", all, british), "", "example.co.uk mx.example.co.uk", "example.co examp1e.co.uk mx.examp1e.co.uk"},
		{"two server blocks", block(".", all) + block("co", british), "", "example.co.uk mx.example.co.uk", "example.co examp1e.co.uk"},
		{"two server blocks in the other order", block("co", british) + block(".", all), "", "example.co.uk mx.example.co.uk", "example.co examp1e.co.uk"},
		{"a whole TLD", block(".", guards("co", "*.uk"), all), "", "example.co.uk example.uk", ""},
		{"a list", block(".", all) + block("co", guards("co", list)), "army.mil\nexample.co.uk\n", "example.co.uk", "army.co example.uk"},
		{"a list without the name", block(".", all) + block("co", guards("co", list)), "army.mil\n", "", "example.co.uk army.co example.uk"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			write(t, list, tc.list)
			server := serve(t, tc.corefile)
			file := filepath.Join(dir, "Corefile")
			write(t, file, tc.corefile)
			c, err := Load(file)
			if err != nil {
				t.Fatal(err)
			}
			for name := range strings.FieldsSeq(tc.pass + " " + tc.blocked) {
				blocked := !strings.Contains(" "+tc.pass+" ", " "+name+" ")
				if got := server(t, name) == dns.RcodeNameError; got != blocked {
					t.Errorf("%s: blocked by the server is %v, want %v", name, got, blocked)
				}
				if got := deciding(Explain(c.Serving(name), name, netip.Addr{})) != ""; got != blocked {
					t.Errorf("%s: blocked by what is read is %v, want %v", name, got, blocked)
				}
			}
		})
	}

	t.Run("a reload", func(t *testing.T) {
		write(t, list, "army.mil\n")
		server := serve(t, block(".", all)+block("co", guards("co", list)))
		for _, step := range []struct {
			list string
			want int
		}{
			{"army.mil\n", dns.RcodeNameError},
			{"army.mil\nexample.co.uk\n", dns.RcodeSuccess},
			{"navy.mil\n", dns.RcodeNameError},
		} {
			write(t, list, step.list)
			wait.Until(t, "the list to be taken", func() bool { return server(t, "mx.example.co.uk") == step.want })
		}
	})
}

// serve starts a server, which ends with the test. What it returns asks it for a
// name and returns the RCODE.
func serve(t *testing.T, corefile string) func(t *testing.T, name string) int {
	t.Helper()
	instance, err := caddy.Start(corefileInput(corefile))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := harness.End(t, instance); err != nil {
			t.Error(err)
		}
	})
	harness.Serving(t, instance)
	addr := instance.Servers()[0].LocalAddr().String()
	client := &dns.Client{Timeout: 10 * time.Second}
	return func(t *testing.T, name string) int {
		t.Helper()
		m, _, err := client.Exchange(new(dns.Msg).SetQuestion(name+".", dns.TypeMX), addr)
		if err != nil {
			t.Fatal(err)
		}
		return m.Rcode
	}
}

// TestProtectedElsewhereIsNoCounterpartOrTarget: neither verify nor inspect takes
// a name for a lookalike that another directive protects.
func TestProtectedElsewhereIsNoCounterpartOrTarget(t *testing.T) {
	l := started(t, "lookalike uk {\n protect other.com\n verify\n}\nlookalike uk {\n protect sample.com\n inspect\n}\nlookalike co {\n protect example.uk sample.uk\n}")
	l.Next = exists()
	for _, tc := range []struct {
		name string
		want int
	}{
		{"unlisted.uk.", dns.RcodeNameError}, // unlisted.com exists
		{"example.uk.", dns.RcodeSuccess},
		{"mx.example.uk.", dns.RcodeSuccess},
		{"mail-of-sample.example.uk.", dns.RcodeSuccess}, // leads to mx.sample.uk
	} {
		if m, _, _ := ask(t, l, new(dns.Msg).SetQuestion(tc.name, dns.TypeMX)); m.Rcode != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, dns.RcodeToString[m.Rcode], dns.RcodeToString[tc.want])
		}
	}
}

// exists answers for some names with an MX below sample.uk, and knows no others.
func exists() plugin.Handler {
	return test.HandlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		m := new(dns.Msg).SetReply(r)
		switch q := r.Question[0]; q.Name {
		case "unlisted.com.", "example.com.", "example.uk.", "mx.example.uk.", "mail-of-sample.example.uk.":
			m.Answer = []dns.RR{test.MX(q.Name + " 60 IN MX 10 mx.sample.uk.")}
		default:
			m.Rcode = dns.RcodeNameError
		}
		return m.Rcode, w.WriteMsg(m)
	})
}
