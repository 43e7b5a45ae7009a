package dnslog

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// captureMagics are the first bytes of packet captures: pcap with microseconds
// and nanoseconds, in both byte orders, and pcapng.
var captureMagics = [][]byte{
	{0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0xc3, 0xd4},
	{0x4d, 0x3c, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d},
	pcapngMagic,
}

var pcapngMagic = []byte{0x0a, 0x0d, 0x0d, 0x0a}

func isCapture(head []byte) bool {
	for _, m := range captureMagics {
		if bytes.HasPrefix(head, m) {
			return true
		}
	}
	return false
}

// dnsPort is the port of servers. Traffic of other ports, such as encrypted DNS, is
// left out.
const dnsPort = 53

// packets is a reader of either kind of capture.
type packets interface {
	ZeroCopyReadPacketData() ([]byte, gopacket.CaptureInfo, error)
}

// captureReader reads DNS messages from packets. It reassembles nothing: a message
// must be whole in a UDP datagram or a TCP segment, as queries are.
type captureReader struct {
	tapped
	sent      map[flow]uint32 // the sequence number that follows what was read
	fragments int
	segments  int // that hold a part of a message, or parts of several
	cut       int // packets that the capture did not keep whole
}

// flow is one direction of a TCP connection.
type flow struct{ from, to netip.AddrPort }

// maxFlows is how many connections are followed, so that a segment that was sent
// again is not counted again.
const maxFlows = 1 << 16

// readCapture reads a pcap or pcapng file.
func readCapture(r io.Reader, o event.Options, emit func(*event.Event)) ([]string, error) {
	c := &captureReader{tapped: tapped{queries: newQueries("pcap", o)}, sent: map[flow]uint32{}}
	err := c.read(bufio.NewReaderSize(r, 64<<10), emit)
	c.once.flush(emit)
	var w warnings
	w.count(c.fragments, "IP fragments were not reassembled: queries in them are missing")
	w.count(c.segments, "TCP segments hold parts of messages and were not reassembled: queries in them are missing")
	w.count(c.cut, "packets were captured in part: capture with a larger snapshot length")
	return w, err
}

func (c *captureReader) read(r *bufio.Reader, emit func(*event.Event)) error {
	source, link, err := openCapture(r)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		data, info, err := source.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("packet %d: %w", n, err)
		}
		first := link
		if len(info.AncillaryData) > 0 {
			if own, ok := info.AncillaryData[0].(layers.LinkType); ok {
				first = own
			}
		}
		c.packet(data, first, info, emit)
	}
}

// openCapture reads the header of either kind. In pcapng, each packet has its own
// link type.
func openCapture(r *bufio.Reader) (packets, layers.LinkType, error) {
	head, err := r.Peek(len(pcapngMagic))
	if err != nil {
		return nil, 0, fmt.Errorf("packet capture: %w", err)
	}
	if bytes.Equal(head, pcapngMagic) {
		ng, err := pcapgo.NewNgReader(r, pcapgo.NgReaderOptions{WantMixedLinkType: true, SkipUnknownVersion: true})
		if err != nil {
			return nil, 0, fmt.Errorf("pcapng: %w", err)
		}
		return ng, layers.LinkTypeEthernet, nil
	}
	classic, err := pcapgo.NewReader(r)
	if err != nil {
		return nil, 0, fmt.Errorf("pcap: %w", err)
	}
	return classic, classic.LinkType(), nil
}

// packet takes a packet. Package gopacket turns its own panics into errors.
func (c *captureReader) packet(data []byte, link layers.LinkType, info gopacket.CaptureInfo, emit func(*event.Event)) {
	p := gopacket.NewPacket(data, link, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	transport := p.TransportLayer()
	if p.Layer(gopacket.LayerTypeFragment) != nil || p.Layer(layers.LayerTypeIPv6Fragment) != nil {
		c.fragments++
		return
	}
	if transport == nil || p.NetworkLayer() == nil {
		return
	}
	ends := p.NetworkLayer().NetworkFlow()
	source, _ := netip.AddrFromSlice(ends.Src().Raw())
	destination, _ := netip.AddrFromSlice(ends.Dst().Raw())
	var from, to netip.AddrPort
	switch t := transport.(type) {
	case *layers.UDP:
		from, to = netip.AddrPortFrom(source, uint16(t.SrcPort)), netip.AddrPortFrom(destination, uint16(t.DstPort))
	case *layers.TCP:
		from, to = netip.AddrPortFrom(source, uint16(t.SrcPort)), netip.AddrPortFrom(destination, uint16(t.DstPort))
	default:
		return
	}
	if from.Port() != dnsPort && to.Port() != dnsPort || len(transport.LayerPayload()) == 0 {
		return
	}
	if info.CaptureLength < info.Length {
		c.cut++
	}
	if t, ok := transport.(*layers.TCP); ok {
		c.segment(t, from, to, info, emit)
		return
	}
	c.dns(transport.LayerPayload(), from, to, info, emit)
}

// dns takes a message. It reports false if the packet goes the other way.
func (c *captureReader) dns(m []byte, from, to netip.AddrPort, info gopacket.CaptureInfo, emit func(*event.Event)) bool {
	client := from.Addr()
	if len(m) < headerSize {
		return false
	}
	if response := m[2]&0x80 != 0; response {
		client = to.Addr()
		if from.Port() != dnsPort {
			return false
		}
	} else if to.Port() != dnsPort {
		return false
	}
	return c.message(m, client, info.Timestamp, "", emit)
}

// segment takes the messages of a TCP segment, each after its length (RFC 1035
// section 4.2.2). A sequence number that was seen before marks a repetition.
func (c *captureReader) segment(t *layers.TCP, from, to netip.AddrPort, info gopacket.CaptureInfo, emit func(*event.Event)) {
	b, key := t.LayerPayload(), flow{from, to}
	next := t.Seq + uint32(len(b))                                      //nolint:gosec // numbers wrap around
	if seen, ok := c.sent[key]; ok && int32(next-seen) <= 0 && !t.SYN { //nolint:gosec // the sign tells which is later
		return
	}
	if len(c.sent) >= maxFlows {
		clear(c.sent)
	}
	c.sent[key] = next
	for len(b) > 0 {
		if len(b) < 2 {
			c.segments++
			return
		}
		size := int(binary.BigEndian.Uint16(b))
		if len(b) < 2+size || !c.dns(b[2:2+size], from, to, info, emit) {
			c.segments++
			return
		}
		b = b[2+size:]
	}
}
