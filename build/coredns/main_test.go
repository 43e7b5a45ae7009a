package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
	"github.com/prometheus/client_golang/prometheus"
)

// upstream is CoreDNS's own order of all its directives.
var upstream = slices.Clone(dnsserver.Directives)

func TestMain(m *testing.M) {
	flag.Parse()
	caddy.Quiet, dnsserver.Quiet = true, true
	if err := dnsserver.SetDirectives(directives); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	harness.Main(m)
}

// own are the directives that CoreDNS does not have.
var own = []string{"lookalike", "rpz", "smtpreject"}

func TestDirectivesInUpstreamOrder(t *testing.T) {
	t.Parallel()

	last, previous := -1, ""
	for _, name := range directives {
		if slices.Contains(own, name) {
			continue
		}
		i := slices.Index(upstream, name)
		if i < 0 {
			t.Errorf("CoreDNS has no directive %s", name)
			continue
		}
		if i < last {
			t.Errorf("%s stands after %s, upstream has it before", name, previous)
		}
		last, previous = i, name
	}
}

func TestOwnPlace(t *testing.T) {
	t.Parallel()

	tests := []struct {
		first, second, why string
	}{
		{"rewrite", "lookalike", "the name that will be resolved is the one to look at"},
		{"acl", "lookalike", "a client that may not ask is not counted"},
		{"proxyproto", "lookalike", "the client is the one that a proxy names"},
		{"tsig", "lookalike", "a query that is not signed as it must be is not counted"},
		{"metadata", "lookalike", "its labels come from below"},
		{"log", "lookalike", "its answers are logged"},
		{"prometheus", "lookalike", "its answers are counted"},
		{"errors", "lookalike", "its errors are logged"},
		{"acl", "rpz", "the zone is not for everybody"},
		{"tsig", "rpz", "it may be for who signs alone"},
		{"rpz", "cache", "a cached SOA would keep secondaries from a new zone"},
		{"rpz", "forward", "a query for the zone must not leave"},
		{"lookalike", "cache", "a cached answer must neither leak nor hide a query"},
		{"lookalike", "template", "no other plugin answers first"},
		{"lookalike", "hosts", "no other plugin answers first"},
		{"lookalike", "file", "no other plugin answers first"},
		{"lookalike", "transfer", "no other plugin answers first"},
		{"lookalike", "auto", "no other plugin answers first"},
		{"lookalike", "secondary", "no other plugin answers first"},
		{"lookalike", "forward", "the query must not leave"},
	}
	for _, tt := range tests {
		i, j := slices.Index(directives, tt.first), slices.Index(directives, tt.second)
		if i < 0 || j < 0 || i > j {
			t.Errorf("%s must stand before %s: %s", tt.first, tt.second, tt.why)
		}
	}
}

// TestWanted: what a resolver of mail servers stands beside is there.
func TestWanted(t *testing.T) {
	t.Parallel()

	for name := range strings.FieldsSeq(`
		auto chaos loadbalance local multisocket nsid pprof proxyproto secondary shed timeouts transfer tsig`) {
		if !slices.Contains(directives, name) {
			t.Errorf("%s is not linked", name)
		}
	}
}

func TestDirectivesCompiledIn(t *testing.T) {
	t.Parallel()

	for _, name := range directives {
		if _, err := caddy.DirectiveAction("dns", name); err != nil {
			t.Errorf("Directive %s has no plugin: %v", name, err)
		}
	}
	for _, name := range caddy.ListPlugins()["others"] {
		name, isDNS := strings.CutPrefix(name, "dns.")
		if isDNS && !slices.Contains(directives, name) {
			t.Errorf("Plugin %s is linked, but no directive", name)
		}
	}
}

func TestBinaryShowsPlugin(t *testing.T) {
	t.Parallel()

	tests := []struct {
		arg  string
		want string
	}{
		{"-plugins", "lookalike\n"},
		{"-version", "+lookalike-" + lookalike.Version + "\n"},
	}
	for _, tt := range tests {
		out, err := wait.Command(t, wait.Limit, harness.Binary(t), tt.arg).CombinedOutput()
		if err != nil {
			t.Errorf("coredns %s: %v\n%s", tt.arg, err, out)
		}
		if !strings.Contains(string(out), tt.want) {
			t.Errorf("coredns %s: want %q in:\n%s", tt.arg, tt.want, out)
		}
	}
}

// TestPages starts every block that a page for administrators or a manual calls a Corefile.
func TestPages(t *testing.T) {
	var pages []string
	for _, pattern := range []string{"../../build/package/doc/*.md", "../../plugin/*/README.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		corefiles := blocks(string(text))
		if len(corefiles) == 0 {
			t.Errorf("%s shows no Corefile", page)
		}
		for i, corefile := range corefiles {
			t.Run(fmt.Sprintf("%s/%d", page, i+1), func(t *testing.T) { start(t, corefile) })
		}
	}
	if !slices.Contains(pages, "../../plugin/lookalike/README.md") {
		t.Error("plugin/lookalike has no README.md")
	}
}

// TestReadmeSections checks the form of CoreDNS's manual pages.
func TestReadmeSections(t *testing.T) {
	t.Parallel()

	for _, name := range own {
		text, err := os.ReadFile("../../plugin/" + name + "/README.md")
		if err != nil {
			t.Fatal(err)
		}
		rest := "\n" + string(text)
		for _, section := range []string{"# " + name, "## Name", "## Description", "## Syntax", "## Metrics", "## Examples", "## See Also"} {
			i := strings.Index(rest, "\n"+section+"\n")
			if i < 0 {
				t.Errorf("The README of %s lacks %q, or has it in another place", name, section)
				continue
			}
			rest = rest[i:]
		}
	}
}

// TestReadmeNamesMetrics holds the manual pages against the code: each names the
// metrics of its plugin with their labels, and no others. What is written there is
// also what keeps labels bounded: no name and no client is one.
func TestReadmeNamesMetrics(t *testing.T) {
	t.Parallel()

	var written []string
	for _, name := range own {
		text, err := os.ReadFile("../../plugin/" + name + "/README.md")
		if err != nil {
			t.Fatal(err)
		}
		_, section, _ := strings.Cut(string(text), "\n## Metrics\n")
		section, _, _ = strings.Cut(section, "\n## ")
		for _, m := range namedMetric.FindAllStringSubmatch(section, -1) {
			written = append(written, m[1])
		}
	}
	exported := ownMetrics(t)
	for _, m := range exported {
		if !slices.Contains(written, m) {
			t.Errorf("No README tells of the metric %s with just these labels", m)
		}
	}
	for _, m := range written {
		if !slices.Contains(exported, m) {
			t.Errorf("A README tells of the metric %s, which does not exist with just these labels", m)
		}
	}
	if len(exported) < 20 {
		t.Errorf("%d metrics found, there are more", len(exported))
	}
}

// namedMetric is a metric that a README names.
var namedMetric = regexp.MustCompile("`(coredns_\\w+(?:\\{[^}`]*\\})?)`")

// ownMetrics lists the metrics of our plugins as READMEs write them:
// name{label, label}.
func ownMetrics(t *testing.T) []string {
	t.Helper()
	registry, ok := prometheus.DefaultRegisterer.(*prometheus.Registry)
	if !ok {
		t.Fatalf("The registry is a %T", prometheus.DefaultRegisterer)
	}
	descriptions := make(chan *prometheus.Desc)
	go func() {
		registry.Describe(descriptions)
		close(descriptions)
	}()
	var list []string
	for d := range descriptions {
		m := description.FindStringSubmatch(d.String())
		if m == nil {
			t.Fatalf("A description that cannot be read: %s", d)
		}
		plugin, _, _ := strings.Cut(strings.TrimPrefix(m[1], "coredns_"), "_")
		if !slices.Contains(own, plugin) {
			continue
		}
		labels := strings.ReplaceAll(m[2], ",", ", ")
		if labels != "" {
			labels = "{" + labels + "}"
		}
		list = append(list, m[1]+labels)
	}
	return list
}

var description = regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([\w,]*)\}`)

var fence = regexp.MustCompile("(?ms)^(?:~~~|```) *corefile\n(.*?)^(?:~~~|```)$")

// blocks returns the fenced blocks of text that are Corefiles.
func blocks(text string) []string {
	matches := fence.FindAllStringSubmatch(text, -1)
	found := make([]string, 0, len(matches))
	for _, m := range matches {
		found = append(found, m[1])
	}
	return found
}

// start runs a Corefile from a README on free ports, in a directory in which
// the lists that it names exist.
func start(t *testing.T, corefile string) {
	t.Helper()
	t.Chdir(t.TempDir())
	corefile = onFreePorts(freePort(t), relocated(t, corefile))
	instance, err := caddy.Start(caddy.CaddyfileInput{
		Contents: []byte(corefile), Filepath: "Corefile", ServerTypeName: "dns",
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, corefile)
	}
	for _, err := range append(instance.ShutdownCallbacks(), instance.Stop()) {
		if err != nil {
			t.Error(err)
		}
	}
}

var (
	serverPort = regexp.MustCompile(`(?m)^([^\s#]*):\d+([ ,{])`)
	otherPort  = regexp.MustCompile(`(?m)^(\s*)(health|ready|prometheus|smtpreject)\b( +[^\s{]*:\d+)?`)
	path       = regexp.MustCompile(`(?:/[\w.-]+)+/([\w.-]+)`)
)

// onFreePorts has the servers of a Corefile listen on port, and what else
// listens wherever there is room.
func onFreePorts(port, corefile string) string {
	dnsserver.Port = port
	corefile = serverPort.ReplaceAllString(corefile, "${1}:"+port+"${2}")
	return otherPort.ReplaceAllString(corefile, "${1}${2} 127.0.0.1:0")
}

// relocated moves the files of lookalike directives into the working directory,
// and writes a name into each list.
func relocated(t *testing.T, corefile string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(corefile) {
		switch words := strings.Fields(line); {
		case len(words) < 2, strings.Contains(line, "://"):
		case words[0] == "protect", words[0] == "allow":
			line = path.ReplaceAllString(line, "./$1")
			for _, word := range strings.Fields(line)[1:] {
				if !strings.Contains(word, "/") {
					continue
				}
				if err := os.WriteFile(word, []byte("army.mil\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		case words[0] == "alert", words[0] == "spool":
			line = path.ReplaceAllString(line, "./$1")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "")
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
