package nats

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// What a server may send a client that only publishes. The longest line is
// INFO, which lists a cluster's servers; the longest message acknowledges one
// of ours.
const (
	maxLine    = 32 << 10
	maxMessage = 32 << 10
)

// operations are those that a server sends, by how many words may follow.
// Words of a message end with its size.
var operations = map[string]struct {
	least, most int
	message     bool // octets follow the line
}{
	"INFO": {1, maxLine, false}, "MSG": {3, 4, true}, "HMSG": {4, 5, true},
	"PING": {0, 0, false}, "PONG": {0, 0, false}, "+OK": {0, 0, false}, "-ERR": {1, maxLine, false},
}

// guard protects the client library, which panics or uses any amount of memory
// where a length is wrong. It passes on only whole operations that the protocol
// has, with lengths that are bounded and correct.
type guard struct {
	net.Conn
	in  *bufio.Reader
	out []byte // of the operation that is passed on
	buf []byte
	err error // the one that ended reading
}

func newGuard(c net.Conn, first []byte) *guard {
	c = sink.Paced(c)
	return &guard{Conn: c, in: bufio.NewReaderSize(c, maxLine), out: first}
}

// Read returns a part of an operation.
func (g *guard) Read(b []byte) (int, error) {
	if len(g.out) == 0 && g.err == nil {
		g.out, g.err = g.next()
	}
	if len(g.out) == 0 {
		return 0, g.err
	}
	n := copy(b, g.out)
	g.out = g.out[n:]
	return n, nil
}

// next reads one operation.
func (g *guard) next() ([]byte, error) {
	line, err := g.in.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, bufio.ErrBufferFull) {
			err = fmt.Errorf("the server sent a line of more than %d octets: it speaks another protocol", maxLine)
		}
		return nil, err
	}
	size, err := checkLine(line)
	if err != nil {
		return nil, err
	}
	g.buf = append(g.buf[:0], line...)
	if size < 0 {
		return g.buf, nil
	}
	n := len(g.buf)
	g.buf = append(g.buf, make([]byte, size+2)...)
	if _, err := io.ReadFull(g.in, g.buf[n:]); err != nil {
		return nil, err
	}
	if !bytes.HasSuffix(g.buf, []byte("\r\n")) {
		return nil, errors.New("the server sent a message that is longer than it said")
	}
	return g.buf, nil
}

// checkLine checks the line of an operation and returns the size of the message
// that follows, -1 for none.
func checkLine(line []byte) (int, error) {
	name, args := line, []byte(nil)
	if i := bytes.IndexAny(line, " \t\r\n"); i >= 0 {
		name, args = line[:i], line[i:]
	}
	op, ok := operations[string(bytes.ToUpper(name))]
	words := bytes.Fields(args)
	if !ok || !bytes.HasSuffix(line, []byte("\r\n")) || bytes.ContainsRune(line[:len(line)-2], '\r') || len(words) < op.least || len(words) > op.most {
		return 0, fmt.Errorf("the server does not speak NATS: it sent %.40q", line)
	}
	if !op.message {
		return -1, nil
	}
	size, err := number(words[len(words)-1])
	header := 0
	if bytes.EqualFold(name, []byte("HMSG")) {
		var bad error
		header, bad = number(words[len(words)-2])
		err = errors.Join(err, bad)
	}
	_, bad := number(words[1]) // the subscription
	if err = errors.Join(err, bad); err != nil || size > maxMessage || header > size {
		return 0, fmt.Errorf("the server sent a message whose length is wrong or above %d octets: %.60q", maxMessage, line)
	}
	return size, nil
}

// number reads a number without a sign, as the library does, but checks for
// overflow.
func number(word []byte) (int, error) {
	n, err := strconv.ParseUint(string(word), 10, 31)
	return int(n), err
}

// dialer connects, and makes the TLS handshake, so that the guard stands
// between TLS and the library. Nothing that it starts outlives ctx.
type dialer struct {
	ctx    context.Context //nolint:containedctx // the library's interface has none
	useTLS bool
	config func(host string) (*tls.Config, error)

	mu   sync.Mutex
	conn net.Conn // the last one
}

// SkipTLSHandshake tells the library that Dial has made the handshake.
func (d *dialer) SkipTLSHandshake() bool { return true }

// Dial connects to a server and reads its first line, which says whether TLS
// begins behind it.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(d.ctx, dialTimeout)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, sink.Waited(ctx, "a connection to "+address, dialTimeout, err)
	}
	d.mu.Lock()
	d.conn = raw
	d.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	defer stop()
	conn, info, err := d.greet(ctx, raw, address)
	if err != nil {
		raw.Close()
		return nil, sink.Waited(ctx, "the greeting of "+address, dialTimeout, err)
	}
	return newGuard(conn, info), nil
}

// greet reads INFO, and makes the handshake where the server or the options
// want it.
func (d *dialer) greet(ctx context.Context, raw net.Conn, address string) (net.Conn, []byte, error) {
	line, err := readInfo(raw)
	if err != nil {
		return nil, nil, err
	}
	var info struct {
		Required  bool `json:"tls_required"`
		Available bool `json:"tls_available"`
	}
	if err := json.Unmarshal(line[len("INFO "):], &info); err != nil {
		return nil, nil, fmt.Errorf("the server does not speak NATS: %w", err)
	}
	switch {
	case d.useTLS && !info.Required && !info.Available:
		return nil, nil, errors.New("the server offers no TLS, which tls=yes asks for")
	case !d.useTLS && !info.Required:
		return raw, line, nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, nil, err
	}
	config, err := d.config(host)
	if err != nil {
		return nil, nil, &sink.Denied{Err: err}
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, nil, sink.ExplainTLS(sink.Waited(ctx, "the TLS handshake with "+address, dialTimeout, err))
	}
	return conn, line, nil
}

// readInfo reads the first line octet by octet, since what is behind it may be
// the handshake's.
func readInfo(c net.Conn) ([]byte, error) {
	line := make([]byte, 0, 512)
	for !bytes.HasSuffix(line, []byte("\n")) {
		if len(line) == maxLine {
			return nil, fmt.Errorf("the server sent a line of more than %d octets: it speaks another protocol", maxLine)
		}
		line = append(line, 0)
		if n, err := c.Read(line[len(line)-1:]); n == 0 {
			if err == nil {
				err = io.ErrNoProgress
			}
			return nil, err
		}
	}
	if _, err := checkLine(line); err != nil || !bytes.EqualFold(line[:min(5, len(line))], []byte("INFO ")) {
		return nil, fmt.Errorf("the server does not speak NATS: it sent %.40q", line)
	}
	return line, nil
}

// abort breaks the connection, so that the library stops using it.
func (d *dialer) abort() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		_ = d.conn.SetDeadline(time.Now())
		d.conn.Close()
	}
}
