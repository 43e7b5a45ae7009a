//go:build e2e

package test

import (
	"net"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/debian"
	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

const (
	packagedConf = "/etc/lookalike/Corefile"
	packagedLogs = "/var/log/lookalike"
)

// TestPackage does with the deb what an administrator does with it, on a fresh Debian
// under systemd, from the installation to the purge. It upgrades from a package of the
// commit before.
func TestPackage(t *testing.T) {
	old, current := buildPackage(t, treeBefore(t), "deb", "1.0.0~1"), buildPackage(t, thisTree(t), "deb", "1.0.0")
	m := machine{debian.Boot(t, "logrotate")}
	m.listen(t, "127.0.0.53:53") // where systemd-resolved has its stub
	m.Write(t, "/etc/resolv.conf", "nameserver 127.0.0.53\n")

	// Not t.Run: each is about what the ones before have left.
	t.Log(m.dpkg(t, old))
	m.everyQuery(t)
	told := m.told(t, "alerts.json")
	f := startFlow(m.Machine)
	m.upgrade(t, current)
	m.refusedReload(t)
	m.rotate(t)
	m.refusedUpgrade(t, current)
	f.stop(t)
	m.Run(t, "systemctl", "stop", "lookalike") // which tells of all that is counted
	f.compare(t, "alerts", m.told(t, "alerts.json")-told)
	f.compare(t, "lines of every=query", m.told(t, "queries.json"))
	m.Run(t, "dpkg", "--purge", "lookalike")

	m.install(t, current)
	m.process(t)
	m.firstAlert(t)
	m.remove(t, current)
	m.purge(t)
	m.portTaken(t, current)
}

// machine is a Debian for the package.
type machine struct{ *debian.Machine }

// listen answers each query at an address of the machine, until the test ends or
// the function that it returns is called.
func (m machine) listen(t *testing.T, address string) (end func()) {
	t.Helper()
	var packets net.PacketConn
	if err := m.Net(func() (err error) {
		packets, err = net.ListenPacket("udp", address)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: packets, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		reply := new(dns.Msg).SetReply(r)
		reply.RecursionAvailable = true
		reply.Answer = []dns.RR{&dns.MX{
			Hdr: dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeMX, Class: dns.ClassINET, Ttl: 60}, Mx: "mail.example.org.",
		}}
		_ = w.WriteMsg(reply) // the asker may be gone
	})}
	go func() { _ = server.ActivateAndServe() }() // ends by its Shutdown
	end = func() { _ = server.Shutdown() }
	t.Cleanup(end)
	return end
}

// dpkg runs dpkg with a package of the host's.
func (m machine) dpkg(t *testing.T, deb string) string {
	t.Helper()
	file, err := os.ReadFile(deb)
	if err != nil {
		t.Fatal(err)
	}
	const here = "/tmp/package.deb"
	m.Write(t, here, string(file))
	return m.Run(t, "dpkg", "--install", here)
}

// expect compares what commands print, without the spaces at its ends.
func (m machine) expect(t *testing.T, want map[string]string) {
	t.Helper()
	for command, text := range want {
		got, _ := m.Try(t, strings.Fields(command)...) // systemctl tells of a state by its status, too
		if strings.TrimSpace(got) != text {
			t.Errorf("%s: got %q, want %q", command, got, text)
		}
	}
}

const (
	active  = "systemctl is-active lookalike"
	enabled = "systemctl is-enabled lookalike"
)

func (m machine) install(t *testing.T, deb string) {
	t.Helper()
	t.Log(m.dpkg(t, deb))
	m.expect(t, map[string]string{
		active:  "active",
		enabled: "enabled",
		"systemd-analyze verify --man=no lookalike.service": "",
		"stat --format=%A:%U:%G /etc/lookalike/Corefile":    "-rw-r--r--:root:root",
		"stat --format=%A:%U:%G /var/log/lookalike":         "drwxr-s---:lookalike:adm",
		"stat --format=%A:%U:%G /var/lib/lookalike":         "drwxr-x---:lookalike:lookalike",
		"stat --format=%A:%U:%G /var/lib/lookalike/spool":   "drwxr-x---:lookalike:lookalike",
		"dpkg --verify lookalike":                           "",
	})
	for _, network := range []string{"udp", "tcp"} {
		if rcode, err := m.ask(network, "127.0.0.1", "example.org."); err != nil || rcode != dns.RcodeSuccess {
			t.Errorf("Over %s: got %s, %v", network, dns.RcodeToString[rcode], err)
		}
	}
}

// ask asks the server from an address of the machine for the MX of a name.
func (m machine) ask(network, client, name string) (rcode int, err error) {
	err = m.Net(func() error {
		rcode, err = askLocal(network, client, name)
		return err
	})
	return rcode, err
}

// pid returns the process id of the server, in the machine.
func (m machine) pid(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(m.Run(t, "systemctl", "show", "--property=MainPID", "--value", "lookalike"))
}

// process holds that the server runs as its own user, with the one capability.
func (m machine) process(t *testing.T) {
	t.Helper()
	uid := strings.TrimSpace(m.Run(t, "id", "--user", "lookalike"))
	status := m.Run(t, "cat", "/proc/"+m.pid(t)+"/status")
	for field, want := range map[string]string{
		"Uid":        strings.Join([]string{uid, uid, uid, uid}, "\t"),
		"CapEff":     "0000000000000400", // CAP_NET_BIND_SERVICE
		"CapBnd":     "0000000000000400",
		"NoNewPrivs": "1",
		"Seccomp":    "2", // filters
	} {
		if !strings.Contains(status, field+":\t"+want+"\n") {
			t.Errorf("The process has no %s %s:\n%s", field, want, status)
		}
	}
}

// firstAlert holds that a lookalike passes with an alert, which members of the group
// adm can read, and others cannot.
func (m machine) firstAlert(t *testing.T) {
	t.Helper()
	if rcode, err := m.ask("udp", "127.0.0.1", "army.ml."); err != nil || rcode != dns.RcodeSuccess {
		t.Errorf("Got %s, %v", dns.RcodeToString[rcode], err)
	}
	alerts := path.Join(packagedLogs, "alerts.json")
	wait.Until(t, "the alert", func() bool { return strings.Contains(m.Read(t, alerts), "army.ml") })
	m.Run(t, "systemd-sysusers", "--inline", "u soc - -", "m soc adm")
	for user, may := range map[string]bool{"soc": true, "nobody": false} {
		out, err := m.Try(t, "setpriv", "--reuid="+user, "--regid=nogroup", "--init-groups", "cat", alerts)
		if (err == nil && strings.Contains(out, "army.ml")) != may {
			t.Errorf("That %s may read the alerts is not %v: %v\n%s", user, may, err, out)
		}
	}
}

// everyQuery has the server write a line a query as well, by a reload.
func (m machine) everyQuery(t *testing.T) {
	t.Helper()
	before := m.pid(t)
	text := m.Read(t, packagedConf)
	line := "        alert " + packagedLogs + "/alerts.json\n"
	if !strings.Contains(text, line) {
		t.Fatalf("The packaged Corefile has no line %q", line)
	}
	m.Write(t, packagedConf, strings.Replace(text, line, line+"        alert "+packagedLogs+"/queries.json every=query\n", 1))
	m.Run(t, "systemctl", "reload", "lookalike")
	if m.pid(t) != before {
		t.Error("A reload has started another process")
	}
	m.Run(t, "test", "-e", packagedLogs+"/queries.json")
}

// refusedReload holds that a Corefile that the server does not take makes a reload
// fail visibly, and that the server goes on. One with warnings is taken.
func (m machine) refusedReload(t *testing.T) {
	t.Helper()
	good, pid := m.Read(t, packagedConf), m.pid(t)
	tests := []struct {
		name      string
		old, new  string // what is replaced in the Corefile
		cause     string // in the journal
		succeeded bool
	}{
		{"a directive of ours", "action monitor", "action monitr", "monitr", false},
		{"a list that is missing", "protected.txt", "missing.txt", "missing.txt", false},
		{"an argument of another plugin", "forward . /etc/resolv.conf", "forward . resolver.example.org", "resolver.example.org", false},
		{"an address that is not the machine's", "bind 127.0.0.1\n", "bind 192.0.2.1\n", "192.0.2.1", false},
		{"braces", "    cache 300\n", "    cache 300 {\n", "Corefile", false},
		{"the plugin reload", "    cache 300\n", "    cache 300\n    reload\n", "no longer watches", true},
		{"a warning", "\n. {\n", "\n.:5353 {\n    bind 127.0.0.1\n    whoami\n}\n\n. {\n", "5353", true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if !strings.Contains(good, tc.old) {
				t.Fatalf("The Corefile has no %q", tc.old)
			}
			m.Write(t, packagedConf, strings.Replace(good, tc.old, tc.new, 1))
			out, err := m.Try(t, "systemctl", "reload", "lookalike")
			if (err == nil) != tc.succeeded {
				t.Errorf("systemctl reload: %v\n%s", err, out)
			}
			if m.pid(t) != pid {
				t.Error("It is another process")
			}
			if rcode, err := m.ask("udp", "127.0.0.1", "example.org."); err != nil || rcode != dns.RcodeSuccess {
				t.Errorf("Got %s, %v", dns.RcodeToString[rcode], err)
			}
			if said := m.Run(t, "journalctl", "--unit=lookalike", "--output=cat", "--lines=20"); !strings.Contains(said, tc.cause) {
				t.Errorf("The journal does not say %s:\n%s", tc.cause, said)
			}
		})
	}
	m.Write(t, packagedConf, good)
	m.Run(t, "systemctl", "reload", "lookalike")
}

// rotate rotates the files while lines are written to them, until the first is
// compressed.
func (m machine) rotate(t *testing.T) {
	t.Helper()
	const times = 3
	for range times {
		for _, name := range []string{"alerts.json", "queries.json"} {
			wait.Until(t, name+" has lines", func() bool {
				info, err := os.Stat(m.Path(path.Join(packagedLogs, name)))
				return err == nil && info.Size() > 0
			})
		}
		m.Run(t, "logrotate", "--force", "/etc/logrotate.d/lookalike")
	}
	for _, name := range []string{"alerts.json.1", "alerts.json.2.gz", "alerts.json.3.gz", "queries.json.1", "queries.json.3.gz"} {
		m.expect(t, map[string]string{"stat --format=%A:%U:%G " + path.Join(packagedLogs, name): "-rw-r-----:lookalike:adm"})
	}
}

// told returns how many detections a file of alerts, with those that were rotated,
// and the journal tell of.
func (m machine) told(t *testing.T, name string) int {
	t.Helper()
	files, err := filepath.Glob(m.Path(path.Join(packagedLogs, name+"*")))
	if err != nil || files == nil {
		t.Fatalf("There is no %s (%v)", name, err)
	}
	lines := strings.SplitAfter(m.Run(t, "journalctl", "--unit=lookalike", "--output=cat"), "\n")
	for _, file := range files {
		lines = append(lines, strings.SplitAfter(readLog(t, file), "\n")...)
	}
	return harness.Sum(harness.ParseAlerts(t, lines))
}

// upgrade installs the next version while alerts flow.
func (m machine) upgrade(t *testing.T, deb string) {
	t.Helper()
	before, conf := m.pid(t), m.Read(t, packagedConf)
	t.Log(m.dpkg(t, deb))
	if m.pid(t) == before {
		t.Error("The server has not been restarted")
	}
	if m.Read(t, packagedConf) != conf {
		t.Error("The administrator's Corefile has been replaced")
	}
	m.expect(t, map[string]string{active: "active", "dpkg-query --show --showformat=${Version} lookalike": "1.0.0"})
}

// refusedUpgrade installs a version that refuses the Corefile: the server that runs
// goes on.
func (m machine) refusedUpgrade(t *testing.T, deb string) {
	t.Helper()
	before, good := m.pid(t), m.Read(t, packagedConf)
	m.Write(t, packagedConf, strings.Replace(good, "action monitor", "action monitr", 1))
	if out := m.dpkg(t, deb); !strings.Contains(out, "monitr") || !strings.Contains(out, "systemctl restart lookalike") {
		t.Errorf("The installation does not say why and what to do:\n%s", out)
	}
	if m.pid(t) != before {
		t.Error("The server has been restarted")
	}
	m.Write(t, packagedConf, good)
	m.expect(t, map[string]string{active: "active"})
}

// remove holds that a removal stops the service and keeps what is the administrator's,
// and that the service comes back with the package, unless it was disabled.
func (m machine) remove(t *testing.T, deb string) {
	t.Helper()
	m.Run(t, "systemctl", "start", "lookalike")
	for _, state := range []string{"enabled", "disabled"} {
		m.Run(t, "dpkg", "--remove", "lookalike")
		if out, err := m.Try(t, "systemctl", "is-active", "lookalike"); err == nil {
			t.Errorf("The service is %s after the removal", out)
		}
		for _, path := range []string{packagedConf, packagedLogs + "/alerts.json", "/var/lib/lookalike/spool"} {
			m.Run(t, "test", "-e", path)
		}
		m.dpkg(t, deb)
		m.expect(t, map[string]string{
			enabled: state,
			active:  map[string]string{"enabled": "active", "disabled": "inactive"}[state],
		})
		m.Run(t, "systemctl", "disable", "--now", "lookalike")
	}
}

// purge holds that nothing is left but the user.
func (m machine) purge(t *testing.T) {
	t.Helper()
	m.Run(t, "dpkg", "--purge", "lookalike")
	m.expect(t, map[string]string{
		"find / -xdev -name *lookalike*": "",
		"id --user --name lookalike":     "lookalike",
	})
}

// portTaken installs beside another resolver on 127.0.0.1, which must keep its port.
func (m machine) portTaken(t *testing.T, deb string) {
	t.Helper()
	end := m.listen(t, "127.0.0.1:53")
	if out := m.dpkg(t, deb); !strings.Contains(out, "another resolver has port 53") {
		t.Errorf("The installation does not say why it does not start the service:\n%s", out)
	}
	m.expect(t, map[string]string{active: "inactive", enabled: "disabled"})
	if out, err := m.Try(t, "systemctl", "start", "lookalike"); err == nil {
		t.Errorf("A start without the port has succeeded:\n%s", out)
	}
	m.Run(t, "systemctl", "stop", "lookalike")
	end()
	m.Run(t, "systemctl", "enable", "--now", "lookalike")
	m.expect(t, map[string]string{active: "active"})
}
