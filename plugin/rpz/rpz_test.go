package rpz

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/transfer"
	_ "github.com/coredns/coredns/plugin/tsig"
	_ "github.com/coredns/coredns/plugin/whoami" // answers what is passed on

	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

const origin = "rpz.example.org."

// secondary is told of new versions.
type secondary struct {
	addr string

	mu    sync.Mutex
	zones []string // that it was told of
}

func newSecondary(t *testing.T) *secondary {
	t.Helper()
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &secondary{addr: packets.LocalAddr().String()}
	started := make(chan struct{})
	server := &dns.Server{PacketConn: packets, NotifyStartedFunc: func() { close(started) },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, m *dns.Msg) {
			if m.Opcode == dns.OpcodeNotify {
				s.mu.Lock()
				s.zones = append(s.zones, m.Question[0].Name)
				s.mu.Unlock()
			}
			_ = w.WriteMsg(new(dns.Msg).SetReply(m))
		})}
	var ended sync.WaitGroup
	ended.Go(func() { _ = server.ActivateAndServe() })
	wait.For(t, "the secondary", started)
	t.Cleanup(func() { _ = server.Shutdown(); ended.Wait() })
	return s
}

func (s *secondary) notified() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.zones)
}

// quiet keeps the servers of a test from writing to the terminal, and sets their
// directives.
func quiet(t *testing.T) {
	t.Helper()
	directives, wasQuiet := dnsserver.Directives, dnsserver.Quiet
	t.Cleanup(func() { dnsserver.Directives, dnsserver.Quiet, caddy.Quiet = directives, wasQuiet, false })
	dnsserver.Quiet, caddy.Quiet = true, true
	if err := dnsserver.SetDirectives([]string{"bind", "tsig", "lookalike", pluginName, "cache", "transfer", "whoami"}); err != nil {
		t.Fatal(err)
	}
}

func corefileInput(text string) caddy.Input {
	return caddy.CaddyfileInput{Contents: []byte(text), Filepath: "Corefile", ServerTypeName: "dns"}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// server is a running server.
type server struct {
	t        *testing.T
	instance *caddy.Instance
}

func start(t *testing.T, corefile string) *server {
	t.Helper()
	instance, err := caddy.Start(corefileInput(corefile))
	if err != nil {
		t.Fatal(err)
	}
	harness.Serving(t, instance)
	s := &server{t, instance}
	wait.Until(t, "the zone", func() bool { return s.soa() != 0 })
	return s
}

func (s *server) stop() {
	s.t.Helper()
	if err := harness.End(s.t, s.instance); err != nil {
		s.t.Error(err)
	}
}

func (s *server) addr() string { return s.instance.Servers()[0].LocalAddr().String() }

func (s *server) tcp() string { return s.instance.Servers()[0].Addr().String() }

func (s *server) ask(name string, qtype uint16) *dns.Msg {
	s.t.Helper()
	m, _, err := (&dns.Client{Timeout: wait.Limit}).Exchange(new(dns.Msg).SetQuestion(name, qtype), s.addr())
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

// soa returns the serial of the zone, 0 while there is none.
func (s *server) soa() uint32 {
	s.t.Helper()
	m := s.ask(origin, dns.TypeSOA)
	if len(m.Answer) != 1 {
		return 0
	}
	return m.Answer[0].(*dns.SOA).Serial
}

// transfer returns the records of a transfer: of the whole zone, or with a serial
// of what has changed since.
func (s *server) transfer(serial uint32) (all []dns.RR) {
	s.t.Helper()
	m := new(dns.Msg).SetAxfr(origin)
	if serial != 0 {
		m.SetIxfr(origin, serial, "localhost.", "hostmaster.localhost.")
	}
	envelopes, err := (&dns.Transfer{ReadTimeout: wait.Limit}).In(m, s.tcp())
	if err != nil {
		s.t.Fatal(err)
	}
	for e := range envelopes {
		if e.Error != nil {
			s.t.Fatal(e.Error)
		}
		all = append(all, e.RR...)
	}
	return all
}

// ownersOf returns the owners of the records of a zone, without the apex.
func ownersOf(rrs []dns.RR) map[string]bool {
	all := make(map[string]bool)
	for _, rr := range rrs {
		if name, ok := strings.CutSuffix(rr.Header().Name, "."+origin); ok {
			all[name] = true
		}
	}
	return all
}

// TestServes changes a list of a running server: secondaries are told, get what
// has changed, and the apex is all that others can ask for.
func TestServes(t *testing.T) {
	second := newSecondary(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	quiet(t)
	dir := t.TempDir()
	list := filepath.Join(dir, "list.txt")
	write(t, list, "army.mil\n")
	s := start(t, fmt.Sprintf(".:0 {\n bind 127.0.0.1\n lookalike {\n protect %s\n reload 1s\n }\n rpz %s\n cache\n transfer %s {\n to * %s\n }\n whoami\n}\n",
		list, origin, origin, second.addr))
	defer s.stop()
	wait.Until(t, "the first NOTIFY", func() bool { return second.notified() == 1 })

	for _, tc := range []struct {
		name  string
		qtype uint16
		rcode int
		want  int // answers
	}{
		{origin, dns.TypeSOA, dns.RcodeSuccess, 1},
		{"RPZ.Example.ORG.", dns.TypeNS, dns.RcodeSuccess, 1},
		{origin, dns.TypeMX, dns.RcodeSuccess, 0},
		{"army.ml." + origin, dns.TypeCNAME, dns.RcodeRefused, 0},
		{"nothing.ml." + origin, dns.TypeA, dns.RcodeRefused, 0},
		{"example.org.", dns.TypeA, dns.RcodeSuccess, 0}, // of whoami
	} {
		if m := s.ask(tc.name, tc.qtype); m.Rcode != tc.rcode || len(m.Answer) != tc.want {
			t.Errorf("%s %s: want %s and %d answers, got\n%v", tc.name, dns.TypeToString[tc.qtype], dns.RcodeToString[tc.rcode], tc.want, m)
		}
	}

	before := s.soa()
	whole := s.transfer(0)
	if a, b := whole[0].(*dns.SOA), whole[len(whole)-1].(*dns.SOA); a.Serial != before || b.Serial != before || whole[1].Header().Rrtype != dns.TypeNS {
		t.Errorf("The transfer of serial %d begins and ends with\n%v\n%v\n%v", before, whole[0], whole[1], whole[len(whole)-1])
	}
	if owners := ownersOf(whole); !owners["army.ml"] || !owners["*.arrny.ml"] || owners["navy.ml"] {
		t.Errorf("The zone has %d names", len(owners))
	}
	if current := s.transfer(before); len(current) != 1 || current[0].(*dns.SOA).Serial != before {
		t.Errorf("A secondary that is current gets %v", current)
	}

	write(t, list, "army.mil\nnavy.mil\n")
	wait.Until(t, "the NOTIFY of a change", func() bool { return second.notified() == 2 })
	after := s.soa()
	if after <= before {
		t.Errorf("Serial %d, then %d", before, after)
	}
	if owners := ownersOf(s.transfer(0)); !owners["army.ml"] || !owners["navy.ml"] {
		t.Errorf("The new zone has %d names", len(owners))
	}
	if owners := ownersOf(s.transfer(before - 1)); !owners["army.ml"] || !owners["navy.ml"] {
		t.Errorf("A secondary of unknown age gets %d names", len(owners))
	}

	write(t, list, "army.mil\n#\n")
	wait.Until(t, "the NOTIFY of another change", func() bool { return second.notified() == 3 })
	if s.soa() <= after {
		t.Errorf("Serial %d, then %d", after, s.soa())
	}
}

// TestIncremental takes a change of few names over from each version before.
func TestIncremental(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	quiet(t)
	dir := t.TempDir()
	allow := filepath.Join(dir, "allow.txt")
	write(t, allow, "")
	s := start(t, fmt.Sprintf(".:0 {\n bind 127.0.0.1\n lookalike {\n protect army.mil navy.mil\n allow %s\n reload 1s\n }\n rpz %s\n transfer %s {\n to *\n }\n}\n",
		allow, origin, origin))
	defer s.stop()

	zones := make(map[uint32][]string) // by serial
	var serials []uint32
	for _, exceptions := range []string{"", "arrny.ml\n", "arrny.ml\nmx.army.ml\n", "mx.army.ml\n"} {
		if exceptions != "" {
			write(t, allow, exceptions)
			wait.Until(t, "another serial", func() bool { return !slices.Contains(serials, s.soa()) })
		}
		serial := s.soa()
		serials = append(serials, serial)
		zones[serial] = texts(s.transfer(0))
	}
	last := serials[len(serials)-1]
	for _, serial := range serials[:len(serials)-1] {
		changes := s.transfer(serial)
		if len(changes) >= len(zones[last]) || changes[1].Header().Rrtype != dns.TypeSOA {
			t.Errorf("From %d to %d: %d records, the zone has %d", serial, last, len(changes), len(zones[last]))
		}
		if got := apply(t, zones[serial], changes); !slices.Equal(got, zones[last]) {
			t.Errorf("From %d to %d: %d records, want %d", serial, last, len(got), len(zones[last]))
		}
	}
}

// texts returns the records of a whole zone, sorted, without the SOA.
func texts(rrs []dns.RR) (all []string) {
	for _, rr := range rrs {
		if rr.Header().Rrtype != dns.TypeSOA {
			all = append(all, rr.String())
		}
	}
	slices.Sort(all)
	return all
}

// apply does to a zone what an incremental transfer says (RFC 1995 section 4).
func apply(t *testing.T, zone []string, changes []dns.RR) []string {
	t.Helper()
	have := make(map[string]bool)
	for _, rr := range zone {
		have[rr] = true
	}
	adds := true // until the first SOA behind the one at the beginning
	for _, rr := range changes[1 : len(changes)-1] {
		if rr.Header().Rrtype == dns.TypeSOA {
			adds = !adds
			continue
		}
		if have[rr.String()] == adds {
			t.Errorf("%v is added: %v, and is there already or not there", rr, adds)
		}
		if adds {
			have[rr.String()] = true
		} else {
			delete(have, rr.String())
		}
	}
	var all []string
	for rr := range have {
		all = append(all, rr)
	}
	slices.Sort(all)
	return all
}

// TestReloads reloads the Corefile, well and badly. The serial stays where the
// zone does, secondaries are told of what has changed alone, and nothing leaks.
func TestReloads(t *testing.T) {
	second := newSecondary(t)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	quiet(t)
	corefile := func(protect, more string) string {
		return fmt.Sprintf(".:0 {\n bind 127.0.0.1\n lookalike {\n protect %s\n }\n rpz %s\n transfer %s {\n to * %s\n }\n}\n%s", protect, origin, origin, second.addr, more)
	}
	s := start(t, corefile("army.mil", ""))
	wait.Until(t, "the first NOTIFY", func() bool { return second.notified() == 1 })
	first := s.soa()
	bad := []string{
		corefile("army.mil", "example.org:0 {\n rpz\n}\n"),
		corefile("army.mil", "example.org:0 {\n bind 127.0.0.1\n rpz rpz.example.net\n}\n"), // fails after the start of the zone before it
	}
	reload := func(text string) {
		t.Helper()
		next, err := s.instance.Restart(corefileInput(text))
		if err != nil {
			t.Fatal(err)
		}
		harness.Serving(t, next)
		s.instance = next
	}
	for i := range 6 {
		if _, err := s.instance.Restart(corefileInput(bad[i%2])); err == nil {
			t.Error("The bad Corefile is accepted")
		}
		reload(corefile("army.mil", ""))
		if serial := s.soa(); serial != first {
			t.Errorf("Serial %d, then %d", first, serial)
		}
	}
	reload(corefile("navy.mil", ""))
	wait.Until(t, "another serial", func() bool { return s.soa() > first })
	wait.Until(t, "the NOTIFY of a change", func() bool { return second.notified() == 2 })
	if n := testutil.CollectAndCount(serialServed); n != 1 {
		t.Errorf("Got the serials of %d zones as metrics, want 1", n)
	}
	reload(".:0 {\n bind 127.0.0.1\n lookalike {\n protect navy.mil\n }\n}\n")
	if n := testutil.CollectAndCount(serialServed) + testutil.CollectAndCount(namesListed); n != 0 {
		t.Errorf("%d metrics of the zone are left when nobody serves it", n)
	}
	s.stop()
	n := 0
	histories.Each(func(string, *history) { n++ })
	if n != 0 {
		t.Errorf("%d zones are left", n)
	}
}

// TestRefused has server blocks in which something is missing.
func TestRefused(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	quiet(t)
	s := start(t, ".:0 {\n bind 127.0.0.1\n lookalike {\n protect army.mil\n }\n rpz rpz.example.org\n transfer {\n to *\n }\n}\n")
	defer s.stop()
	for _, tc := range []struct{ name, block, want string }{
		{"no lookalike", "rpz rpz.example.org\n transfer {\n to *\n }", "Corefile:3: no lookalike directive in this server block"},
		{"no transfer", "lookalike\n rpz rpz.example.org", "Corefile:4: no transfer directive in this server block"},
	} {
		if _, err := s.instance.Restart(corefileInput(".:0 {\n bind 127.0.0.1\n " + tc.block + "\n}\n")); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

// TestSigned transfers a zone of several messages with TSIG (RFC 8945).
func TestSigned(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	quiet(t)
	const key, secret = "rpz-key.", "NoTCJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk="
	s := start(t, fmt.Sprintf(".:0 {\n bind 127.0.0.1\n tsig {\n secret %s %s\n require AXFR IXFR\n }\n lookalike\n rpz %s {\n classes tld-swap typo\n }\n transfer %s {\n to *\n }\n}\n",
		key, secret, origin, origin))
	defer s.stop()
	for _, tc := range []struct {
		name   string
		secret string
		want   string
	}{
		{"with the key", secret, ""},
		{"without", "", "bad xfr rcode"},
		{"with another", "AAAAJU+DMqFWywaPyxSijrDEA/eC3nK0xi3AMEZuPVk=", "bad"},
	} {
		m := new(dns.Msg).SetAxfr(origin)
		tr := &dns.Transfer{ReadTimeout: wait.Limit}
		if tc.secret != "" {
			m.SetTsig(key, dns.HmacSHA256, 300, time.Now().Unix())
			tr.TsigSecret = map[string]string{key: tc.secret}
		}
		envelopes, err := tr.In(m, s.tcp())
		if err != nil {
			t.Fatal(err)
		}
		messages, records := 0, 0
		for e := range envelopes {
			messages, records = messages+1, records+len(e.RR)
			if e.Error != nil {
				err = e.Error
			}
		}
		switch {
		case tc.want == "" && (err != nil || messages < 3 || records < 10_000):
			t.Errorf("%s: %d messages, %d records, %v", tc.name, messages, records, err)
		case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}
