//go:build e2e

package test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// compile is how long all of CoreDNS may take to be compiled, on a machine that
// has compiled nothing of it yet.
const compile = 25 * time.Minute

var directive = regexp.MustCompile(`(?m)^\t"(\w+)",$`)

// TestPluginCfg does with CoreDNS's own source what the README says, for those
// who compile the plugins into a CoreDNS of their own.
func TestPluginCfg(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "coredns")
	ctx, cancel := context.WithTimeout(t.Context(), compile)
	defer cancel()
	run := func(script string) string {
		t.Helper()
		cmd := exec.CommandContext(ctx, "sh", "-ec", script)
		cmd.Dir = filepath.Dir(dir)
		cmd.WaitDelay = time.Second
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s\n%s", err, script, out)
		}
		return string(out)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	run("cp -r \"$(cd '" + root + "' && go list -m -f '{{.Dir}}' github.com/coredns/coredns)\" coredns && chmod -R u+w coredns")
	run("cd coredns\n" + recipe(t, root))

	text, err := os.ReadFile(filepath.Join(dir, "core/dnsserver/zdirectives.go"))
	if err != nil {
		t.Fatal(err)
	}
	var directives []string
	for _, m := range directive.FindAllStringSubmatch(string(text), -1) {
		directives = append(directives, m[1])
	}
	acl, own, cache := slices.Index(directives, "acl"), slices.Index(directives, "lookalike"), slices.Index(directives, "cache")
	if acl < 0 || own != acl+1 || slices.Index(directives, "rpz") != own+1 || cache < own || !slices.Contains(directives, "smtpreject") {
		t.Errorf("The directives are %q", directives)
	}
	server, err := harness.Launch(filepath.Join(dir, "coredns"), t.TempDir(), harness.Config{
		Corefile: corefile("lookalike"), Upstream: harness.NewUpstream(t).Addr,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	if size := server.Metric(t, "coredns_lookalike_stack_start_bytes"); size == 0 {
		t.Error("There is no stacks.go in it")
	}
	for name, want := range map[string]int{"army.ml": dns.RcodeNameError, "example.org": dns.RcodeSuccess} {
		if r := harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(name, dns.TypeMX)); r.Rcode != want {
			t.Errorf("%s: %s, want %s", name, dns.RcodeToString[r.Rcode], dns.RcodeToString[want])
		}
	}
}

// recipe is what the README has people type in CoreDNS's source, behind the line
// that fetches it. The module is in root.
func recipe(t *testing.T, root string) string {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n    git clone ")
	_, rest, _ = strings.Cut(rest, "\n")
	var commands []string
	for line := range strings.Lines(rest) {
		command, ok := strings.CutPrefix(line, "    ")
		if !ok {
			break
		}
		commands = append(commands, strings.ReplaceAll(command, "$HOME/lookalike", root))
	}
	if !found || len(commands) < 5 {
		t.Fatalf("The README has the commands %q", commands)
	}
	return strings.Join(commands, "")
}
