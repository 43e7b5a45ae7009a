package dnslog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	tap "github.com/dnstap/golang-dnstap"
	framestream "github.com/farsightsec/golang-framestream"
	"google.golang.org/protobuf/proto"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

const (
	// maxFrame is longer than any dnstap message: two DNS messages with addresses.
	maxFrame = 256 << 10
	// frameBuffer is how much is read at once. It is large enough that package
	// framestream uses this reader instead of a buffer of its own.
	frameBuffer = 64 << 10
)

// dnstapType is the content type in the first frame of a stream.
const dnstapType = "protobuf:dnstap.Dnstap"

// isDnstap recognises a Frame Streams file: a control frame, START, and the
// content type.
func isDnstap(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0, 0, 0, 0}) && bytes.Contains(head[:min(len(head), 64)], []byte(dnstapType))
}

// dnstapReader reads dnstap messages. It counts CLIENT_QUERY, or CLIENT_RESPONSE if
// there are no queries. It leaves out the queries that the resolver sends.
type dnstapReader struct {
	tapped
	bare     int // messages without the DNS message
	damaged  int // frames that are no dnstap message
	oversize int
}

// readDnstap reads a file of one or more streams, one after the other.
func readDnstap(r io.Reader, o event.Options, emit func(*event.Event)) ([]string, error) {
	d := &dnstapReader{tapped: tapped{queries: newQueries("dnstap", o)}}
	err := d.streams(bufio.NewReaderSize(r, frameBuffer), emit)
	d.once.flush(emit)
	var w warnings
	w.count(d.bare, `dnstap messages hold no DNS message: CoreDNS writes it with "full"`)
	w.count(d.damaged, "frames are no dnstap messages")
	w.count(d.oversize, fmt.Sprintf("frames are longer than %d KiB", maxFrame>>10))
	return w, err
}

// streams reads streams to the end of the file. A writer that was killed leaves no
// STOP frame, and another stream may follow.
func (d *dnstapReader) streams(r *bufio.Reader, emit func(*event.Event)) error {
	buf := make([]byte, maxFrame)
	for {
		stream, err := framestream.NewReader(r, &framestream.ReaderOptions{ContentTypes: [][]byte{[]byte(dnstapType)}})
		if err != nil {
			return fmt.Errorf("start of a dnstap stream: %w", err)
		}
		if err := d.stream(stream, buf, emit); err != nil {
			return err
		}
		if _, err := r.Peek(1); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

func (d *dnstapReader) stream(stream *framestream.Reader, buf []byte, emit func(*event.Event)) error {
	var m tap.Dnstap
	for {
		n, err := stream.ReadFrame(buf)
		switch {
		case errors.Is(err, framestream.ErrDataFrameTooLarge):
			d.oversize++
			continue
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("dnstap frame: %w", err)
		}
		proto.Reset(&m)
		if proto.Unmarshal(buf[:n], &m) != nil {
			d.damaged++
			continue
		}
		d.frame(&m, emit)
	}
}

func (d *dnstapReader) frame(t *tap.Dnstap, emit func(*event.Event)) {
	m := t.GetMessage()
	content := m.GetQueryMessage()
	seconds, nanos := m.GetQueryTimeSec(), m.GetQueryTimeNsec()
	switch m.GetType() {
	case tap.Message_CLIENT_QUERY:
	case tap.Message_CLIENT_RESPONSE:
		content = m.GetResponseMessage()
		if m.QueryTimeSec == nil {
			seconds, nanos = m.GetResponseTimeSec(), m.GetResponseTimeNsec()
		}
	default:
		return
	}
	if len(content) == 0 {
		d.bare++
		return
	}
	client, _ := netip.AddrFromSlice(m.GetQueryAddress())
	at := time.Unix(int64(seconds), int64(nanos)).UTC() //nolint:gosec // damage gives a year that message refuses
	if !d.message(content, client.Unmap(), at, d.host(t.GetIdentity()), emit) {
		d.damaged++
	}
}

// host returns the identity of the server that wrote the stream.
func (d *dnstapReader) host(identity []byte) string {
	if s, known := d.hosts.get(identity); known {
		return s
	}
	return d.hosts.put(identity, string(identity))
}
