package smtpreject

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// refusal is what a detector has been told.
type refusal struct {
	client, server          netip.AddrPort
	name                    string
	helo, sender, recipient string
}

// fakeDetector knows what some domains resemble.
type fakeDetector struct {
	protected map[string][]string // by domain

	mu   sync.Mutex
	seen []refusal
}

func (f *fakeDetector) Match(domain string) (*detect.Verdict, bool) {
	if domain == "panic.ml" {
		panic("a failure of the detector")
	}
	domain = strings.TrimSuffix(strings.ToLower(domain), ".")
	names, ok := f.protected[domain]
	if !ok {
		return nil, false
	}
	v := &detect.Verdict{Class: detect.TLDSwap, Confidence: detect.High, Name: domain}
	for _, name := range names {
		v.Matches = append(v.Matches, detect.Match{Protected: name, DidYouMean: name})
	}
	return v, true
}

func (f *fakeDetector) ObserveSMTP(client, server netip.AddrPort, v *detect.Verdict, helo, sender, recipient string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seen = append(f.seen, refusal{client, server, v.Name, helo, sender, recipient})
}

func (f *fakeDetector) refusals() []refusal {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

func newDetector() *fakeDetector {
	return &fakeDetector{protected: map[string][]string{
		"army.ml":         {"army.mil"},
		"us.army.ml":      {"us.army.mil"},
		"dla.ml":          {"dla.mil", "dia.mil"},
		"xn--rmy-5cd.ml":  {"army.mil"},
		"many.ml":         slices.Repeat([]string{"some.rather.long.name.of.a.protected.host.mil"}, 1),
		"ambiguous.ml":    ambiguous(),
		"notification.ml": {"notification.mil"},
	}}
}

// ambiguous are more names than fit into a reply.
func ambiguous() []string {
	names := make([]string, 26)
	for i := range names {
		names[i] = "a-name-that-ends-in-" + string(rune('a'+i)) + ".mil"
	}
	return names
}

// newPolicy returns a policy as the Corefile's line "smtpreject 127.0.0.1:0"
// would make it.
func newPolicy(tb testing.TB) (*policy, *fakeDetector) {
	tb.Helper()
	p := &policy{
		addresses:   []string{"127.0.0.1:0"},
		hostname:    "reject.example.org",
		connections: defaultConnections,
		timeout:     defaultTimeout,
	}
	if err := p.complete(); err != nil {
		tb.Fatal(err)
	}
	d := newDetector()
	p.detector = d
	return p, d
}

// serve puts p in force until the test ends and returns the address of each of
// its listeners.
func serve(tb testing.TB, p *policy) (addresses []string) {
	tb.Helper()
	o := new(owner)
	tb.Cleanup(o.Leave)
	if err := o.serve(p); err != nil {
		tb.Fatal(err)
	}
	return listeners(p)
}

func listeners(p *policy) (addresses []string) {
	byAddress := make(map[string]string)
	endpoints.Each(func(address string, e *endpoint) { byAddress[address] = e.ln.Addr().String() })
	for _, a := range p.addresses {
		addresses = append(addresses, byAddress[a])
	}
	return addresses
}

// peer is the client's end of a conversation.
type peer struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func dial(tb testing.TB, address string) *peer {
	tb.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &peer{tb, conn, bufio.NewReader(conn)}
}

func (p *peer) send(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, text); err != nil {
		p.t.Fatalf("Sending %.60q: %v", text, err)
	}
}

// receive reads one line, or returns "EOF" when the other side closed.
func (p *peer) receive() string {
	p.t.Helper()
	line, err := p.in.ReadString('\n')
	switch {
	case err == io.EOF && line == "":
		return "EOF"
	case err != nil:
		p.t.Fatalf("Receiving after %.60q: %v", line, err)
	case !strings.HasSuffix(line, "\r\n"):
		p.t.Errorf("Line %q does not end in CRLF", line)
	}
	return strings.TrimSuffix(line, "\r\n")
}

func (p *peer) expect(want string) {
	p.t.Helper()
	if got := p.receive(); got != want {
		p.t.Fatalf("Received %q, want %q", got, want)
	}
}

// play holds a conversation: lines that begin with "C: " are sent, lines that
// begin with "S: " must be received, "TLS" starts TLS.
func (p *peer) play(script string) {
	p.t.Helper()
	for line := range strings.Lines(script) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case line == "TLS":
			conn := tls.Client(p.conn, &tls.Config{InsecureSkipVerify: true})
			if err := conn.Handshake(); err != nil {
				p.t.Fatalf("TLS: %v", err)
			}
			p.conn, p.in = conn, bufio.NewReader(conn)
		case strings.HasPrefix(line, "C: "):
			p.send(strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\0`, "\x00").Replace(line[len("C: "):]) + "\r\n")
		case strings.HasPrefix(line, "S: "):
			p.expect(line[len("S: "):])
		default:
			p.t.Fatalf("Bad line in the script: %q", line)
		}
	}
}
