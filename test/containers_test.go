package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// inContainer are the changes that let a Corefile for a container run on loopback,
// on free ports, and look at its lists every second.
func inContainer(dir string) *strings.Replacer {
	return strings.NewReplacer(
		"acl {\n", "bind 127.0.0.1\nacl {\n",
		"allow net 10.0.0.0/8", "allow net 127.0.0.1/32",
		"health {\n", "health 127.0.0.1:{$HTTP} {\n",
		"ready\n", "ready 127.0.0.1:{$TLS}\n",
		"prometheus :9153", "prometheus 127.0.0.1:{$METRICS}",
		"lameduck 5s", "lameduck 1s",
		"/etc/lookalike/", dir+"/",
		"/etc/coredns/", dir+"/",
		"alert stdout\n", "alert stdout\nreload 1s\n",
		"forward . /etc/resolv.conf", "forward . {$UPSTREAM}",
		".:53 {", ". {",
	)
}

// TestContainers starts what the files for Kubernetes, Helm and Compose run, with
// their lists where the kubelet puts them. Nothing is blocked, and a name that is
// listed while the server runs is guarded.
func TestContainers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		files func(t *testing.T) (corefile, protected, allowed string)
	}{
		{"manifest", manifestFiles},
		{"values", valuesFiles},
		{"compose", composeFiles},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			corefile, protected, allowed := tt.files(t)
			volume := newConfigMap(t, map[string]string{"protected.txt": protected, "allowed.txt": allowed})
			server := harness.Start(t, harness.Config{
				Corefile: inContainer(volume.dir).Replace(corefile), Upstream: harness.NewUpstream(t).Addr,
			})
			checkHTTP(t, server)
			ask := func(name string) {
				t.Helper()
				if r := harness.Exchange(t, "udp", server.Addr("DNS"), harness.Query(name, dns.TypeMX)); strings.Contains(r.String(), "Filtered") {
					t.Errorf("%s is blocked:\n%v", name, r)
				}
			}
			about := func(name, meant string) {
				t.Helper()
				wait.Until(t, "an alert about "+name, func() bool {
					ask(name)
					return slices.ContainsFunc(server.Alerts(t), func(a harness.Alert) bool {
						return a.DNS.Question.Name == name && strings.Join(a.Lookalike.Protected, " ") == meant && a.Lookalike.Action == "monitor"
					})
				})
			}
			about("army.ml", "army.mil")
			about("example.ml", "example.com")

			volume.swap(t, map[string]string{"protected.txt": protected + "acme.example\nlater.example\n", "allowed.txt": allowed + "navy.ml\n"})
			about("acme.ml", "acme.example")
			wait.Until(t, "the exception", func() bool { return server.Metric(t, "coredns_lookalike_allowed_names") == 1 })
			ask("navy.ml")
			about("later.ml", "later.example")
			for _, a := range server.Alerts(t) {
				if a.DNS.Question.Name == "navy.ml" {
					t.Errorf("An alert about an allowed name: %s", a.Raw)
				}
			}
			if status := server.Stop(); status != 0 {
				t.Errorf("Exit status %d", status)
			}
		})
	}
}

func manifestFiles(t *testing.T) (corefile, protected, allowed string) {
	t.Helper()
	m := readManifest(t)
	return m.file(t, "Corefile"), m.file(t, "protected.txt"), m.file(t, "allowed.txt")
}

func composeFiles(t *testing.T) (corefile, protected, allowed string) {
	t.Helper()
	var texts []string
	for _, name := range []string{"Corefile", "protected.txt", "allowed.txt"} {
		text, err := os.ReadFile(filepath.Join("../build/package/compose", name))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(text))
	}
	return texts[0], texts[1], texts[2]
}

// configMap is a directory as the kubelet keeps it for a ConfigMap: each file is a
// link through ..data to the directory of the current version.
type configMap struct {
	dir     string
	version int
}

func newConfigMap(t *testing.T, files map[string]string) *configMap {
	t.Helper()
	c := &configMap{dir: t.TempDir()}
	c.swap(t, files)
	for name := range files {
		if err := os.Symlink(filepath.Join("..data", name), filepath.Join(c.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// swap puts a new version in place, and removes the one before.
func (c *configMap) swap(t *testing.T, files map[string]string) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	data := filepath.Join(c.dir, "..data")
	before, _ := os.Readlink(data)
	c.version++
	version := fmt.Sprintf("..2026_11_26_12_00_%02d.%d", c.version, c.version)
	check(os.Mkdir(filepath.Join(c.dir, version), 0o755))
	for name, text := range files {
		check(os.WriteFile(filepath.Join(c.dir, version, name), []byte(text), 0o644))
	}
	check(os.Symlink(version, data+"_tmp"))
	check(os.Rename(data+"_tmp", data))
	if before != "" {
		check(os.RemoveAll(filepath.Join(c.dir, before)))
	}
}
