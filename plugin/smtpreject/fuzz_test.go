package smtpreject

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// memoryConn is a client that has sent everything it has to say.
type memoryConn struct {
	io.Reader
	out bytes.Buffer
}

func (c *memoryConn) Write(b []byte) (int, error)      { return c.out.Write(b) }
func (c *memoryConn) Close() error                     { return nil }
func (c *memoryConn) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 25), Port: 25} }
func (c *memoryConn) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }
func (c *memoryConn) SetDeadline(time.Time) error      { return nil }
func (c *memoryConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memoryConn) SetWriteDeadline(time.Time) error { return nil }

var replyLine = regexp.MustCompile(`^([245])\d\d[ -][ -~]*$`)

// FuzzDialogue checks what must hold whatever a client sends: the replies are
// well-formed, none asks for a body, and nobody is told of what was no command.
func FuzzDialogue(f *testing.F) {
	for _, seed := range []string{
		"",
		"EHLO mx.example.net\r\nMAIL FROM:<alice@example.net> SIZE=1\r\nRCPT TO:<bob@army.ml>\r\nDATA\r\nQUIT\r\n",
		"HELO x\nMAIL FROM:<>\nRCPT TO:<\"a b\"@army.ml>\nRSET\nVRFY x\nEXPN\nHELP\nNOOP\nQUIT\n",
		"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<bøb@аrmy.ml>\r\nBDAT 3 LAST\r\nabcQUIT\r\n",
		"EHLO x\r\nSTARTTLS\r\n\x16\x03\x01\x00\x05hello",
		"MAIL FROM:<a@b>\r\nRCPT TO:<@x:bob@ambiguous.ml>\r\nRCPT TO:<bob%army.ml@dla.ml>\r\n",
		"DATA\r\n\r\nRCPT TO:<bob@army.ml>\r\n.\r\n",
		"BDAT 18446744073709551616\r\n",
		"NOOP " + strings.Repeat("x", maxLine) + "\r\nQUIT\r\n",
		"mail from:<\\>\r\nrcpt to:<\x00\xff@\xff>\r\nrcpt to:<[@]>\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	p, _ := newPolicy(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		d := newDetector()
		q := *p
		q.detector = d
		e := newEndpoint("192.0.2.25:25", nil)
		e.policy.Store(&q)
		conn := &memoryConn{Reader: bytes.NewReader(input)}
		newSession(e, &q, conn).serve()

		out := conn.out.Bytes()
		if i := bytes.Index(out, []byte("220 2.0.0 Go ahead\r\n")); i >= 0 {
			out = out[:i] // TLS follows
		}
		lines := bufio.NewScanner(bytes.NewReader(out))
		for lines.Scan() {
			line := lines.Text()
			checkReply(t, line)
			if !replyLine.MatchString(line) {
				t.Errorf("Malformed reply %q", line)
			}
			if strings.HasPrefix(line, "3") {
				t.Errorf("Reply %q asks for more", line)
			}
		}
		for _, r := range d.refusals() {
			for _, text := range []string{r.helo, r.sender, r.recipient} {
				if !utf8.ValidString(text) || strings.ContainsFunc(text, isControl) {
					t.Errorf("%q would go into an alert", text)
				}
				if n := len(text); n > maxMailbox {
					t.Errorf("%d octets would go into an alert", n)
				}
			}
		}
		if n, most := len(d.refusals()), bytes.Count(bytes.ToUpper(input), []byte("RCPT ")); n > most {
			t.Errorf("%d refusals of at most %d recipients", n, most)
		}
	})
}

// FuzzParsePath checks that whatever is taken for a mailbox can be shown.
func FuzzParsePath(f *testing.F) {
	for _, seed := range []string{
		"TO:<bob@army.ml>", `TO:<"b@x>y\""@army.ml>`, "TO:<@a,@b:c@d>", "TO:<bob@аrmy.ml>", "TO:<bob@[::1]>", "TO:a", "TO:<\\", "TO:<\"",
	} {
		f.Add(seed)
	}
	text, err := parseTemplate(defaultReply)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		p, ok := parsePath(arg, "TO:")
		if !ok {
			return
		}
		if !strings.Contains(arg, p.local) || !strings.Contains(arg, p.domain) {
			t.Errorf("%q: got %q, which is not in it", arg, p.String())
		}
		checkReply(t, stranger(p))
		checkReply(t, text.refusal(p, verdict(ambiguous()...)))
		checkReply(t, text.refusal(p, verdict("army.mil")))
	})
}
