package dnslog

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	tap "github.com/dnstap/golang-dnstap"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/build/internal/dnslog/presentation"
	"github.com/lookalike-dns/lookalike/build/internal/event"
)

func FuzzBIND(f *testing.F)     { fuzzLines(f, "bind") }
func FuzzUnbound(f *testing.F)  { fuzzLines(f, "unbound") }
func FuzzCoreDNS(f *testing.F)  { fuzzLines(f, "coredns") }
func FuzzDnsmasq(f *testing.F)  { fuzzLines(f, "dnsmasq") }
func FuzzRecursor(f *testing.F) { fuzzLines(f, "recursor") }
func FuzzWindows(f *testing.F)  { fuzzLines(f, "windows") }
func FuzzZeek(f *testing.F)     { fuzzLines(f, "zeek") }
func FuzzSuricata(f *testing.F) { fuzzLines(f, "suricata") }
func FuzzAdGuard(f *testing.F)  { fuzzLines(f, "adguard") }

// fuzzLines has a parser read anything. What it emits is valid, there is no more
// of it than the lines can hold, and a second reading gives the same.
func fuzzLines(f *testing.F, format string) {
	f.Helper()
	for _, c := range corpora() {
		if c.format != format {
			continue
		}
		var all []string
		for _, r := range c.rows {
			f.Add(r.line)
			all = append(all, r.line)
		}
		f.Add(strings.Join(all, "\n"))
	}
	p := formatNamed(f, format).New(event.Options{})
	f.Fuzz(func(t *testing.T, log string) {
		read := func(file string) (events []string) {
			emit := func(e *event.Event) {
				checkEvent(t, e)
				events = append(events, shown(e))
			}
			for i, text := range strings.Split(log, "\n") {
				p.Line(&event.Line{Text: []byte(text), File: file, Number: i + 1, Program: format, Repeated: 1}, emit)
			}
			p.Flush(emit)
			return events
		}
		once := read("a")
		if len(once) > len(log)/2+1 {
			t.Errorf("%d events from %d bytes", len(once), len(log))
		}
		if again := read("b"); format != "windows" && strings.Join(once, "\n") != strings.Join(again, "\n") { // windows learns the order of dates
			t.Errorf("read again: %q, first %q", again, once)
		}
	})
}

// checkEvent says what is wrong with an event.
func checkEvent(t *testing.T, e *event.Event) {
	t.Helper()
	if !presentation.Valid([]byte(e.Name)) {
		t.Errorf("name %q", e.Name)
	}
	if _, err := netip.ParseAddr(e.Client); err != nil && e.Client != "" {
		t.Errorf("client %q: %v", e.Client, err)
	}
	if e.Count != 1 || e.Outcome != event.Queried || strings.ContainsAny(e.Qtype, " \t\"\n") {
		t.Errorf("count %d, outcome %v, type %q", e.Count, e.Outcome, e.Qtype)
	}
	if _, err := e.Time.MarshalJSON(); err != nil {
		t.Errorf("time: %v", err)
	}
}

// fuzzStream has a reader of binary files read anything.
func fuzzStream(f *testing.F, format string) {
	f.Helper()
	stream := formatNamed(f, format).Stream
	f.Fuzz(func(t *testing.T, file []byte) {
		n := 0
		_, _ = stream(bytes.NewReader(file), event.Options{}, func(e *event.Event) {
			checkEvent(t, e)
			n++
		})
		if n > len(file)/headerSize {
			t.Errorf("%d events from %d bytes", n, len(file))
		}
	})
}

func FuzzDnstap(f *testing.F) {
	query := tapMessage(tap.Message_CLIENT_QUERY, message(f, `Example\032a.ML`, dns.TypeMX, false))
	response := tapMessage(tap.Message_CLIENT_RESPONSE, message(f, "example.ml", dns.TypeMX, true))
	f.Add(frames(f, query, response))
	f.Add(append(frames(f, response), frames(f, query)...))
	fuzzStream(f, "dnstap")
}

func FuzzCapture(f *testing.F) {
	q := gopacket.Payload(message(f, "Example.ML", dns.TypeMX, false))
	plain := packet(f, ether(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), udp(53), q)
	six := packet(f, ip6(layers.IPProtocolUDP), udp(53), q)
	f.Add(pcap(f, layers.LinkTypeEthernet, plain, packet(f, ether(layers.EthernetTypeIPv4), ip4(layers.IPProtocolTCP), tcp(1), framed(q, q))))
	f.Add(pcap(f, layers.LinkTypeLinuxSLL2, packet(f, cooked2(0x0800), ip4(layers.IPProtocolUDP), udp(53), q)))
	f.Add(pcapng(f, []layers.LinkType{layers.LinkTypeEthernet, layers.LinkTypeRaw}, [][]byte{plain, six}))
	fuzzStream(f, "pcap")
}
