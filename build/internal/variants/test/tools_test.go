//go:build e2e

package test

import (
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// tools ask as administrators do. The arguments are for a query without EDNS,
// with it, and with DO.
var tools = []struct {
	name  string
	args  func(port, name, qtype string) []string
	edns  [3][]string
	lower bool // asks for the name in lower case
}{
	{
		"dig",
		func(port, name, qtype string) []string { return []string{"-p", port, "@127.0.0.1", name, qtype} },
		[3][]string{{"+noedns"}, {"+edns=0", "+nocookie"}, {"+dnssec", "+cookie"}},
		false,
	},
	{
		"kdig",
		func(port, name, qtype string) []string { return []string{"-p", port, "@127.0.0.1", name, qtype} },
		[3][]string{{"+noedns"}, {"+edns=0"}, {"+dnssec"}},
		true,
	},
	{
		"drill",
		func(port, name, qtype string) []string { return []string{"-p", port, name, "@127.0.0.1", qtype} },
		[3][]string{{}, {"-b", "1232"}, {"-D"}},
		false,
	},
}

var (
	toolStatus = regexp.MustCompile(`(?:status|rcode): (\w+)`)
	toolFlags  = regexp.MustCompile(`(?i);; flags: ([a-z ]*)`)
	toolOPT    = regexp.MustCompile(`EDNS: version|EDNS PSEUDOSECTION`)
	toolDO     = regexp.MustCompile(`flags: do\b`)
	toolEDE    = regexp.MustCompile(`EDE: 17 \(Filtered\).*resembles`)
	toolAnswer = regexp.MustCompile(`ANSWER: (\d+), |ANSWER: (\d+); `)
	toolSOA    = regexp.MustCompile(`(?m)^(\S+)\s+60\s+IN\s+SOA\s`)
)

// TestTools asks with dig, kdig and drill for every type of every blocked name.
func TestTools(t *testing.T) {
	t.Parallel()
	upstream := harness.NewUpstream(t)
	server := harness.Start(t, harness.Config{Corefile: corefile("lookalike"), Upstream: upstream.Addr})
	port := fmt.Sprint(server.Addr("DNS").Port())
	var asked atomic.Int64
	for _, tool := range tools {
		t.Run(tool.name, func(t *testing.T) {
			t.Parallel()
			for _, name := range blockedNames {
				for _, qtype := range queryTypes {
					for i, e := range edns {
						args := append(tool.args(port, name, dns.TypeToString[qtype]), tool.edns[i]...)
						out, err := wait.Command(t, wait.Limit, tool.name, args...).CombinedOutput()
						if err != nil {
							t.Fatalf("%s %s: %v\n%s", tool.name, strings.Join(args, " "), err, out)
						}
						asked.Add(1)
						shown := name
						if tool.lower {
							shown = strings.ToLower(name)
						}
						if err := checkToolOutput(string(out), shown, e.opt, e.do); err != nil {
							t.Errorf("%s %s: %v\n%s", tool.name, strings.Join(args, " "), err, out)
						}
					}
				}
			}
		})
	}
	t.Cleanup(func() {
		if n := upstream.Below("ml."); n != 0 {
			t.Errorf("%d queries below ml. reached the upstream", n)
		}
		server.Stop()
		if n := harness.Sum(server.Alerts(t)); int64(n) != asked.Load() {
			t.Errorf("The alerts tell of %d queries, want %d", n, asked.Load())
		}
	})
}

// checkToolOutput says what a tool shows that it should not, or the reverse.
func checkToolOutput(out, name string, opt, do bool) error {
	first := func(re *regexp.Regexp) string {
		m := re.FindStringSubmatch(out)
		return strings.TrimSpace(strings.Join(m[min(1, len(m)):], ""))
	}
	flags := strings.Fields(first(toolFlags))
	switch {
	case first(toolStatus) != "NXDOMAIN":
		return fmt.Errorf("status %s, want NXDOMAIN", first(toolStatus))
	case strings.Join(flags, " ") != "qr rd ra":
		return fmt.Errorf("flags %q, want qr rd ra", flags)
	case first(toolAnswer) != "0":
		return fmt.Errorf("%s answers", first(toolAnswer))
	case !strings.Contains(out, name+"."):
		return fmt.Errorf("the question's case is lost")
	case first(toolSOA) == "":
		return fmt.Errorf("no SOA with a TTL of 60")
	case toolOPT.MatchString(out) != opt:
		return fmt.Errorf("OPT shown: %t, want %t", !opt, opt)
	case toolDO.MatchString(out) != do:
		return fmt.Errorf("DO shown: %t, want %t", !do, do)
	case toolEDE.MatchString(out) != opt:
		return fmt.Errorf("EDE 17 with text shown: %t, want %t", !opt, opt)
	}
	return nil
}
