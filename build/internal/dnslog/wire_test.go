package dnslog

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	tap "github.com/dnstap/golang-dnstap"
	framestream "github.com/farsightsec/golang-framestream"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/miekg/dns"
	"google.golang.org/protobuf/proto"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

var asOf = time.Date(2026, 11, 25, 21, 54, 52, 103412000, time.UTC)

// message returns a query, or the response to it.
func message(tb testing.TB, name string, qtype uint16, response bool) []byte {
	tb.Helper()
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
	m.Response = response
	packed, err := m.Pack()
	if err != nil {
		tb.Fatal(err)
	}
	return packed
}

// streamed returns what a file without lines gives: its events, its warnings, and
// what has ended it too early.
func streamed(tb testing.TB, format string, file []byte) (events, warnings []string, failure string) {
	tb.Helper()
	f := formatNamed(tb, format)
	if !f.Magic(file) {
		tb.Errorf("a file of %d bytes is not recognised as %s", len(file), format)
	}
	warnings, err := f.Stream(bytes.NewReader(file), event.Options{}, func(e *event.Event) { events = append(events, shown(e)) })
	if err != nil {
		failure = err.Error()
	}
	return events, warnings, failure
}

// checkStream compares what a file gives. Of warnings and failure, a part tells.
func checkStream(t *testing.T, format string, file []byte, want []string, warning, failure string) {
	t.Helper()
	events, warnings, failed := streamed(t, format, file)
	if !slices.Equal(events, want) {
		t.Errorf("events\n\t%s\nwant\n\t%s", strings.Join(events, "\n\t"), strings.Join(want, "\n\t"))
	}
	if got := strings.Join(warnings, "; "); !strings.Contains(got, warning) || warning == "" && got != "" {
		t.Errorf("warnings %q, want %q", got, warning)
	}
	if !strings.Contains(failed, failure) || failure == "" && failed != "" {
		t.Errorf("error %q, want %q", failed, failure)
	}
}

// tapMessage returns a dnstap message of a client at 192.0.2.25.
func tapMessage(kind tap.Message_Type, content []byte) *tap.Dnstap {
	of, seconds, nanos := tap.Dnstap_MESSAGE, uint64(asOf.Unix()), uint32(asOf.Nanosecond())
	m := &tap.Message{Type: &kind, QueryTimeSec: &seconds, QueryTimeNsec: &nanos, QueryAddress: []byte{192, 0, 2, 25}}
	if kind == tap.Message_CLIENT_RESPONSE {
		m.ResponseMessage = content
	} else {
		m.QueryMessage = content
	}
	return &tap.Dnstap{Type: &of, Identity: []byte("ns1"), Message: m}
}

// frames returns a Frame Streams file.
func frames(tb testing.TB, messages ...*tap.Dnstap) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := framestream.NewWriter(&b, &framestream.WriterOptions{ContentTypes: [][]byte{[]byte(dnstapType)}})
	if err != nil {
		tb.Fatal(err)
	}
	for _, m := range messages {
		frame, err := proto.Marshal(m)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.WriteFrame(frame); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

const stopFrame = 12 // bytes of it: an escape, its length, its type

func TestDnstap(t *testing.T) {
	query := tapMessage(tap.Message_CLIENT_QUERY, message(t, `Example\032a.ML`, dns.TypeMX, false))
	response := tapMessage(tap.Message_CLIENT_RESPONSE, message(t, "example.ml", dns.TypeMX, true))
	other := tapMessage(tap.Message_RESOLVER_QUERY, message(t, "ml", dns.TypeNS, false))
	bare := tapMessage(tap.Message_CLIENT_QUERY, nil)
	wrong := tapMessage(tap.Message_CLIENT_QUERY, []byte("no DNS message"))
	six := tapMessage(tap.Message_CLIENT_QUERY, message(t, "example.ml", dns.TypeHTTPS, false))
	six.Message.QueryAddress = netip.MustParseAddr("2001:db8::25").AsSlice()
	const (
		asked    = `2026-11-25T21:54:52.103412Z 192.0.2.25 Example\032a.ML. MX`
		answered = `2026-11-25T21:54:52.103412Z 192.0.2.25 example.ml. MX`
		askedSix = `2026-11-25T21:54:52.103412Z 2001:db8::25 example.ml. HTTPS`
	)
	whole := frames(t, query)
	unstopped := whole[:len(whole)-stopFrame]
	for _, row := range []struct {
		name             string
		file             []byte
		want             []string
		warning, failure string
	}{
		{"queries and their responses", frames(t, query, response, six), []string{asked, askedSix}, "", ""},
		{"a response whose query is in the file before", frames(t, response, six), []string{askedSix}, "", ""},
		{"responses alone", frames(t, response, response), []string{answered, answered}, "", ""},
		{"what the resolver asks itself", frames(t, other, query), []string{asked}, "", ""},
		{"two files, one after the other", slices.Concat(whole, frames(t, six)), []string{asked, askedSix}, "", ""},
		{"the second without an end", slices.Concat(whole, unstopped), []string{asked, asked}, "", ""},
		{"no end, as after kill -9", unstopped, []string{asked}, "", ""},
		{"cut within a frame", frames(t, query, query)[:2*len(unstopped)-len(whole)/2], []string{asked}, "", "dnstap frame"},
		{"cut within the second start", slices.Concat(whole, whole[:9]), []string{asked}, "", "start of a dnstap stream"},
		{"no DNS message", frames(t, bare, query), []string{asked}, "1 dnstap messages hold no DNS message", ""},
		{"a damaged DNS message", frames(t, wrong, query), []string{asked}, "1 frames are no dnstap messages", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			checkStream(t, "dnstap", row.file, row.want, row.warning, row.failure)
		})
	}
}

// packet serialises layers.
func packet(tb testing.TB, all ...gopacket.SerializableLayer) []byte {
	tb.Helper()
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, all...); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// pcap returns a capture file of one link type.
func pcap(tb testing.TB, link layers.LinkType, packets ...[]byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := pcapgo.NewWriter(&b)
	if err := w.WriteFileHeader(1<<16, link); err != nil {
		tb.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: asOf, CaptureLength: len(p), Length: len(p)}, p); err != nil {
			tb.Fatal(err)
		}
	}
	return b.Bytes()
}

// pcapng returns a capture file with one interface of each link type, each with
// one packet.
func pcapng(tb testing.TB, links []layers.LinkType, packets [][]byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w, err := pcapgo.NewNgWriterInterface(&b, pcapgo.NgInterface{LinkType: links[0], SnapLength: 1 << 16, TimestampResolution: 9}, pcapgo.NgWriterOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	for _, link := range links[1:] {
		if _, err := w.AddInterface(pcapgo.NgInterface{LinkType: link, SnapLength: 1 << 16, TimestampResolution: 9}); err != nil {
			tb.Fatal(err)
		}
	}
	for i, p := range packets {
		if err := w.WritePacket(gopacket.CaptureInfo{Timestamp: asOf, CaptureLength: len(p), Length: len(p), InterfaceIndex: i}, p); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// The layers of a query from 192.0.2.25, or 2001:db8::25, to a server.
func ether(kind layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: make([]byte, 6), DstMAC: make([]byte, 6), EthernetType: kind}
}

func ip4(protocol layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, TTL: 64, Protocol: protocol, SrcIP: []byte{192, 0, 2, 25}, DstIP: []byte{192, 0, 2, 53}}
}

func ip6(protocol layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{
		Version: 6, HopLimit: 64, NextHeader: protocol,
		SrcIP: netip.MustParseAddr("2001:db8::25").AsSlice(), DstIP: netip.MustParseAddr("2001:db8::53").AsSlice(),
	}
}

func udp(to layers.UDPPort) *layers.UDP { return &layers.UDP{SrcPort: 33785, DstPort: to} }

func tcp(seq uint32) *layers.TCP {
	return &layers.TCP{SrcPort: 33785, DstPort: 53, Seq: seq, ACK: true, PSH: true}
}

// framed puts its length in front of each message, as TCP has it.
func framed(messages ...[]byte) gopacket.Payload {
	var b []byte
	for _, m := range messages {
		b = append(b, byte(len(m)>>8), byte(len(m)))
		b = append(b, m...)
	}
	return b
}

func TestCapture(t *testing.T) {
	q := gopacket.Payload(message(t, "Example.ML", dns.TypeMX, false))
	r := gopacket.Payload(message(t, "Example.ML", dns.TypeMX, true))
	back := ip4(layers.IPProtocolUDP)
	back.SrcIP, back.DstIP = back.DstIP, back.SrcIP
	plain := packet(t, ether(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), udp(53), q)
	response := packet(t, ether(layers.EthernetTypeIPv4), back, &layers.UDP{SrcPort: 53, DstPort: 33785}, r)
	first := ip4(layers.IPProtocolUDP)
	first.Flags = layers.IPv4MoreFragments
	half := framed(q)
	const (
		four = "2026-11-25T21:54:52.103412Z 192.0.2.25 Example.ML. MX"
		six  = "2026-11-25T21:54:52.103412Z 2001:db8::25 Example.ML. MX"
	)
	onEthernet := func(packets ...[]byte) []byte { return pcap(t, layers.LinkTypeEthernet, packets...) }
	segment := func(seq uint32, payload gopacket.Payload) []byte {
		return packet(t, ether(layers.EthernetTypeIPv4), ip4(layers.IPProtocolTCP), tcp(seq), payload)
	}
	for _, row := range []struct {
		name             string
		file             []byte
		want             []string
		warning, failure string
	}{
		{"a query and its response", onEthernet(plain, response), []string{four}, "", ""},
		{"a response alone", onEthernet(response), []string{four}, "", ""},
		{"IPv6", onEthernet(packet(t, ether(layers.EthernetTypeIPv6), ip6(layers.IPProtocolUDP), udp(53), q)), []string{six}, "", ""},
		{"a VLAN within a VLAN", onEthernet(packet(t, ether(layers.EthernetTypeQinQ), &layers.Dot1Q{VLANIdentifier: 7, Type: layers.EthernetTypeDot1Q},
			&layers.Dot1Q{VLANIdentifier: 8, Type: layers.EthernetTypeIPv4}, ip4(layers.IPProtocolUDP), udp(53), q)), []string{four}, "", ""},
		{"without a link layer", pcap(t, layers.LinkTypeRaw, packet(t, ip4(layers.IPProtocolUDP), udp(53), q), packet(t, ip6(layers.IPProtocolUDP), udp(53), q)), []string{four, six}, "", ""},
		{"Linux cooked", pcap(t, layers.LinkTypeLinuxSLL, packet(t, cooked(0x0800), ip4(layers.IPProtocolUDP), udp(53), q)), []string{four}, "", ""},
		{"Linux cooked, version 2", pcap(t, layers.LinkTypeLinuxSLL2, packet(t, cooked2(0x0800), ip4(layers.IPProtocolUDP), udp(53), q)), []string{four}, "", ""},
		{"pcapng with two link types", pcapng(t, []layers.LinkType{layers.LinkTypeEthernet, layers.LinkTypeRaw}, [][]byte{plain, packet(t, ip6(layers.IPProtocolUDP), udp(53), q)}), []string{four, six}, "", ""},
		{"another port", onEthernet(packet(t, ether(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), udp(5353), q)), nil, "", ""},
		{"an ARP packet", onEthernet(packet(t, ether(layers.EthernetTypeARP), gopacket.Payload(make([]byte, 28)))), nil, "", ""},
		{"TCP: two queries in a segment, which is sent again", onEthernet(segment(1, framed(q, q)), segment(1, framed(q, q)), segment(1+2*uint32(len(half)), half)), []string{four, four, four}, "", ""},
		{"TCP: half a query", onEthernet(segment(1, half[:9]), segment(10, half[9:])), nil, "2 TCP segments hold parts", ""},
		{"a fragment", onEthernet(packet(t, ether(layers.EthernetTypeIPv4), first, udp(53), q), plain), []string{four}, "1 IP fragments", ""},
		{"a notice of IPv6 fragments", onEthernet(packet(t, ether(layers.EthernetTypeIPv6), ip6(layers.IPProtocolIPv6Fragment), gopacket.Payload([]byte{17, 0, 0, 1, 0, 0, 0, 7}), q)), nil, "1 IP fragments", ""},
		{"no DNS message", onEthernet(packet(t, ether(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), udp(53), gopacket.Payload("hello")), plain), []string{four}, "", ""},
		{"cut within a packet", onEthernet(plain, plain)[:24+16+len(plain)+16+9], []string{four}, "", "packet 2"},
		{"cut within the header", onEthernet(plain)[:9], nil, "", "pcap"},
	} {
		t.Run(row.name, func(t *testing.T) {
			checkStream(t, "pcap", row.file, row.want, row.warning, row.failure)
		})
	}
}

// cooked is the header of a capture of all interfaces of Linux.
func cooked(protocol uint16) gopacket.Payload {
	return append([]byte{0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0}, byte(protocol>>8), byte(protocol))
}

func cooked2(protocol uint16) gopacket.Payload {
	return append([]byte{byte(protocol >> 8), byte(protocol)}, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0)
}
