package smtpreject

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/lookalike-dns/lookalike/test/wait"
)

const (
	greeting = "S: 220 reject.example.org ESMTP refuses all mail\n"
	hello    = `
		C: EHLO mx.example.net
		S: 250-reject.example.org
		S: 250-STARTTLS
		S: 250-8BITMIME
		S: 250-SMTPUTF8
		S: 250 ENHANCEDSTATUSCODES
		`
	from    = hello + "C: MAIL FROM:<alice@example.net>\nS: 250 2.1.0 OK\n"
	goodbye = `
		C: QUIT
		S: 221 2.0.0 reject.example.org goodbye
		S: EOF`
	closing = `
		S: 421 4.4.2 reject.example.org closing the connection
		S: EOF`
	army = "S: 550 5.1.2 <bob@army.ml>: not delivered: army.ml resembles army.mil; did you mean bob@army.mil?\n"
)

func TestDialogue(t *testing.T) {
	tests := []struct {
		name   string
		script string
	}{
		{"a lookalike", from + "C: RCPT TO:<bob@army.ml>\n" + army + goodbye},
		{"without EHLO", "C: HELO mx.example.net\nS: 250 reject.example.org\nC: MAIL FROM:<a@example.net>\nS: 250 2.1.0 OK\nC: RCPT TO:<bob@army.ml>\n" + army + goodbye},
		{"without any greeting", "C: MAIL FROM:<a@example.net>\nS: 250 2.1.0 OK\nC: RCPT TO:<bob@army.ml>\n" + army + goodbye},
		{"null sender", hello + "C: MAIL FROM:<>\nS: 250 2.1.0 OK\nC: RCPT TO:<bob@army.ml>\n" + army + goodbye},
		{"in lower case, with parameters", hello + "C: mail from:<a@example.net> SIZE=99 BODY=8BITMIME SMTPUTF8\nS: 250 2.1.0 OK\nC: rcpt to:<bob@army.ml> NOTIFY=NEVER\n" + army + goodbye},
		{"several candidates", from + "C: RCPT TO:<bob@dla.ml>\nS: 550 5.1.2 <bob@dla.ml>: not delivered: dla.ml resembles dla.mil and dia.mil; did you mean bob@dla.mil or bob@dia.mil?\n" + goodbye},
		{"resembles nothing", from + "C: RCPT TO:<bob@example.org>\nS: 550 5.7.1 <bob@example.org>: not delivered: this server accepts no mail\n" + goodbye},
		{"postmaster", from + "C: RCPT TO:<postmaster>\nS: 550 5.7.1 <postmaster>: not delivered: this server accepts no mail\n" + goodbye},
		{"an address literal", from + "C: RCPT TO:<bob@[192.0.2.1]>\nS: 550 5.7.1 <bob@[192.0.2.1]>: not delivered: this server accepts no mail\n" + goodbye},
		{"an A-label", from + "C: RCPT TO:<bob@xn--rmy-5cd.ml>\nS: 550 5.1.2 <bob@xn--rmy-5cd.ml>: not delivered: xn--rmy-5cd.ml resembles army.mil; did you mean bob@army.mil?\n" + goodbye},
		{"a U-label, with SMTPUTF8", hello + "C: MAIL FROM:<alice@example.net> SMTPUTF8\nS: 250 2.1.0 OK\nC: RCPT TO:<bøb@аrmy.ml>\nS: 550 5.1.2 <b\\x{F8}b@xn--rmy-5cd.ml>: not delivered: xn--rmy-5cd.ml resembles army.mil; did you mean b\\x{F8}b@army.mil?\n" + goodbye},
		{"a failure of the detector still refuses", from + "C: RCPT TO:<bob@panic.ml>\nS: 550 5.7.1 <bob@panic.ml>: not delivered: this server accepts no mail\n" + goodbye},
		{"several recipients and messages", from + "C: RCPT TO:<bob@army.ml>\n" + army + "C: RCPT TO:<bob@army.ml>\n" + army + "C: RSET\nS: 250 2.0.0 OK\nC: MAIL FROM:<a@example.net>\nS: 250 2.1.0 OK\nC: MAIL FROM:<b@example.net>\nS: 250 2.1.0 OK\nC: RCPT TO:<bob@army.ml>\n" + army + goodbye},

		{"RCPT before MAIL", hello + "C: RCPT TO:<bob@army.ml>\nS: 503 5.5.1 MAIL first\n" + goodbye},
		{"RCPT after RSET", from + "C: RSET\nS: 250 2.0.0 OK\nC: RCPT TO:<bob@army.ml>\nS: 503 5.5.1 MAIL first\n" + goodbye},
		{"RCPT without a mailbox", from + "C: RCPT TO:<>\nS: 501 5.1.3 Bad recipient address syntax\n" + goodbye},
		{"RCPT with a control character", from + "C: RCPT TO:<bob\\0@army.ml>\nS: 501 5.1.3 Bad recipient address syntax\n" + goodbye},
		{"RCPT with a bare CR", from + "C: RCPT TO:<bob\\r@army.ml>\nS: 501 5.1.3 Bad recipient address syntax\n" + goodbye},
		{"MAIL without a path", hello + "C: MAIL\nS: 501 5.1.7 Bad sender address syntax\n" + goodbye},
		{"EHLO without a name", "C: EHLO\nS: 501 5.5.4 EHLO needs your name\nC: HELO\nS: 501 5.5.4 HELO needs your name\n" + goodbye},
		{"the longest name", "C: EHLO " + strings.Repeat("x", maxHelo) + strings.TrimPrefix(strings.TrimSpace(hello), "C: EHLO mx.example.net") + goodbye},
		{"EHLO with a name that is too long", "C: EHLO " + strings.Repeat("x", maxHelo+1) + "\nS: 501 5.5.4 EHLO name too long\nC: HELO " + strings.Repeat("\xff", 43) + "\nS: 501 5.5.4 HELO name too long\n" + goodbye},
		{"a sender that is too long", hello + "C: MAIL FROM:<" + strings.Repeat("x", maxMailbox-2) + "@example.net>\nS: 501 5.1.7 Path too long\nC: RCPT TO:<bob@army.ml>\nS: 503 5.5.1 MAIL first\n" + goodbye},
		{"a recipient that is too long", from + "C: RCPT TO:<" + strings.Repeat("x", maxMailbox-7) + "@army.ml>\nS: 501 5.1.3 Path too long\n" + goodbye},
		{"a recipient that is too long when escaped", from + "C: RCPT TO:<" + strings.Repeat("\u202e", 27) + "@army.ml>\nS: 501 5.1.3 Path too long\n" + goodbye},
		{"the rest of the commands", `
			C: NOOP
			S: 250 2.0.0 OK
			C: HELP
			S: 214 2.0.0 This server refuses all mail
			C: VRFY bob
			S: 252 2.5.0 Cannot verify; this server refuses all mail
			C: EXPN list
			S: 502 5.5.1 Not implemented
			C: AUTH PLAIN AGJvYgBzZWNyZXQ=
			S: 502 5.5.1 Not implemented
			C: ETRN example.org
			S: 502 5.5.1 Not implemented
			C: XFOO
			S: 500 5.5.1 Command not recognized` + goodbye},

		{"DATA is refused", from + "C: RCPT TO:<bob@army.ml>\n" + army + "C: DATA\nS: 554 5.5.1 No valid recipients\n" + goodbye},
		{"DATA without anything before it", "C: DATA\nS: 554 5.5.1 No valid recipients\n" + goodbye},
		{"a body that comes with DATA is not read as commands", from + "C: DATA\\r\\nRCPT TO:<eve@army.ml>\nS: 554 5.5.1 No valid recipients\n" + closing},
		{"a body that comes after DATA is not read as commands", from + "C: DATA\nS: 554 5.5.1 No valid recipients\nC: Subject: secret\n" + closing},
		{"a body that begins like a recipient is not obeyed", from + "C: DATA\nS: 554 5.5.1 No valid recipients\nC: RCPT TO:<eve@army.ml>\n" + closing},
		{"a body that begins like other commands is not obeyed", from + "C: DATA\nS: 554 5.5.1 No valid recipients\nC: help wanted\n" + closing},
		{"a body that begins with a line that is too long", from + "C: DATA\nS: 554 5.5.1 No valid recipients\nC: " + strings.Repeat("x", 3*maxLine) + "\n" + closing},
		{"another message after DATA", from + "C: DATA\nS: 554 5.5.1 No valid recipients\nC: NOOP\nS: 250 2.0.0 OK\nC: RSET\nS: 250 2.0.0 OK\nC: MAIL FROM:<a@example.net>\nS: 250 2.1.0 OK\nC: RCPT TO:<bob@army.ml>\n" + army + goodbye},
		{"BDAT is refused and skipped", from + "C: BDAT 24 LAST\\r\\nRCPT TO:<eve@army.ml>\\r\nS: 503 5.5.1 No valid recipients\nC: NOOP\nS: 250 2.0.0 OK\n" + goodbye},
		{"BDAT without a size", from + "C: BDAT\n" + closing},
		{"BDAT with a size that is too large", from + "C: BDAT 99999999999\n" + closing},
		{"BDAT with a size that is no number", from + "C: BDAT -1\n" + closing},

		{"pipelining, although not offered, is answered in order", "C: EHLO a\\r\\nMAIL FROM:<a@example.net>\\r\\nRCPT TO:<bob@army.ml>\nS: 250-reject.example.org\nS: 250-STARTTLS\nS: 250-8BITMIME\nS: 250-SMTPUTF8\nS: 250 ENHANCEDSTATUSCODES\nS: 250 2.1.0 OK\n" + army + goodbye},
		{"a line that is too long is skipped", "C: NOOP " + strings.Repeat("x", 3*maxLine) + "\nS: 500 5.5.6 Line too long\nC: NOOP " + strings.Repeat("x", maxLine-10) + "\nS: 250 2.0.0 OK\n" + goodbye},
		{"too many errors", strings.Repeat("C: XFOO\nS: 500 5.5.1 Command not recognized\n", maxErrors+1) + closing},

		{"STARTTLS", hello + "C: STARTTLS\nS: 220 2.0.0 Go ahead\nTLS\n" +
			"C: MAIL FROM:<a@example.net>\nS: 250 2.1.0 OK\n" +
			"C: EHLO mx.example.net\nS: 250-reject.example.org\nS: 250-8BITMIME\nS: 250-SMTPUTF8\nS: 250 ENHANCEDSTATUSCODES\n" +
			"C: RCPT TO:<bob@army.ml>\nS: 503 5.5.1 MAIL first\n" +
			"C: MAIL FROM:<a@example.net>\nS: 250 2.1.0 OK\nC: RCPT TO:<bob@army.ml>\n" + army +
			"C: STARTTLS\nS: 503 5.5.1 TLS is on already\n" + goodbye},
		{"STARTTLS forgets what was said in clear text", from + "C: STARTTLS\nS: 220 2.0.0 Go ahead\nTLS\nC: RCPT TO:<bob@army.ml>\nS: 503 5.5.1 MAIL first\n" + goodbye},
		{"STARTTLS with an argument", "C: STARTTLS now\nS: 501 5.5.4 STARTTLS takes no argument\n" + goodbye},
		{"commands slipped in behind STARTTLS end the session", "C: STARTTLS\\r\\nMAIL FROM:<eve@example.net>\n" + closing},
	}
	p, _ := newPolicy(t)
	address := serve(t, p)[0]
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) { dial(t, address).play(greeting + tc.script) })
	}
}

func TestObserve(t *testing.T) {
	tests := []struct {
		name                    string
		script                  string
		helo, sender, recipient string
	}{
		{"ASCII", "C: EHLO mx.example.net\nC: MAIL FROM:<alice@example.net> SIZE=1\nC: RCPT TO:<Bob@Army.ML>\nC: QUIT",
			"mx.example.net", "alice@example.net", "Bob@Army.ML"},
		{"null sender", "C: HELO [192.0.2.1]\nC: MAIL FROM:<>\nC: RCPT TO:<bob@army.ml>\nC: QUIT",
			"[192.0.2.1]", "", "bob@army.ml"},
		{"UTF-8", "C: EHLO mx.example.net\nC: MAIL FROM:<ålice@example.net> SMTPUTF8\nC: RCPT TO:<bøb@аrmy.ml>\nC: QUIT",
			"mx.example.net", "ålice@example.net", "bøb@аrmy.ml"},
		{"an unprintable name", "C: EHLO a\\rb\xff\nC: MAIL FROM:<a@example.net>\nC: RCPT TO:<bob@army.ml>\nC: QUIT",
			`a\x{0D}b\x{FF}`, "a@example.net", "bob@army.ml"},
		{"source route", "C: EHLO x\nC: MAIL FROM:<a@example.net>\nC: RCPT TO:<@relay.example.com:bob@army.ml>\nC: QUIT",
			"x", "a@example.net", "bob@army.ml"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p, d := newPolicy(t)
			c := dial(t, serve(t, p)[0])
			c.play(tc.script)
			io.Copy(io.Discard, c.in)
			seen := d.refusals()
			if len(seen) != 1 {
				t.Fatalf("Got %d refusals, want 1", len(seen))
			}
			r := seen[0]
			if r.helo != tc.helo || r.sender != tc.sender || r.recipient != tc.recipient {
				t.Errorf("Got helo %q, sender %q, recipient %q", r.helo, r.sender, r.recipient)
			}
			local := netip.MustParseAddrPort(c.conn.LocalAddr().String())
			remote := netip.MustParseAddrPort(c.conn.RemoteAddr().String())
			if r.client != local || r.server != remote {
				t.Errorf("Got client %s and server %s, want %s and %s", r.client, r.server, local, remote)
			}
		})
	}
}

func TestNothingObserved(t *testing.T) {
	tests := []struct{ name, script string }{
		{"no lookalike", from + "C: RCPT TO:<bob@example.org>\nC: QUIT"},
		{"no sender", "C: RCPT TO:<bob@army.ml>\nC: QUIT"},
		{"in a body", from + "C: DATA\\r\\nRCPT TO:<bob@army.ml>\nC: QUIT"},
		{"in a chunk", from + "C: BDAT 23 LAST\\r\\nRCPT TO:<bob@army.ml>\nC: QUIT"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p, d := newPolicy(t)
			c := dial(t, serve(t, p)[0])
			for line := range strings.Lines(tc.script) {
				if line = strings.TrimSpace(line); strings.HasPrefix(line, "C: ") {
					c.play(line)
				}
			}
			io.Copy(io.Discard, c.in)
			if seen := d.refusals(); len(seen) > 0 {
				t.Errorf("Got %+v, want nothing", seen)
			}
		})
	}
}

func TestRecipientsAndCommandsAreBounded(t *testing.T) {
	p, d := newPolicy(t)
	c := dial(t, serve(t, p)[0])
	c.play(greeting + from)
	for range maxRecipients {
		c.play("C: RCPT TO:<bob@army.ml>\n" + army)
	}
	c.play("C: RCPT TO:<bob@army.ml>\nS: 550 5.5.3 Too many recipients")
	if n := len(d.refusals()); n < clientBurst {
		t.Errorf("Got %d refusals, want %d and more", n, clientBurst)
	}
	for range maxCommands - maxRecipients - 3 {
		c.play("C: NOOP\nS: 250 2.0.0 OK")
	}
	c.play(closing)
}

// TestEnvelopesAreBounded has a client send the longest envelopes that it may,
// many of them: all are refused, few are reported.
func TestEnvelopesAreBounded(t *testing.T) {
	p, d := newPolicy(t)
	c := dial(t, serve(t, p)[0])
	counter := envelopesLimitedTotal.WithLabelValues(p.addresses[0])
	before := testutil.ToFloat64(counter)
	sender := strings.Repeat("s", maxMailbox-12) + "@example.net"
	recipient := strings.Repeat("r", maxMailbox-8) + "@army.ml"
	c.play("C: EHLO " + strings.Repeat("x", maxHelo) + "\nC: MAIL FROM:<" + sender + ">")
	const sent = 3 * clientBurst
	for range sent {
		c.play("C: RCPT TO:<" + recipient + ">")
	}
	c.play("C: QUIT")
	out, err := io.ReadAll(c.in)
	if n := bytes.Count(out, []byte("550 5.1.2 ")); err != nil || n != sent {
		t.Errorf("%d recipients were refused, error %v, want %d", n, err, sent)
	}
	seen := d.refusals()
	if n := len(seen); n < clientBurst || n > clientBurst+20*clientPerSecond {
		t.Errorf("%d envelopes were reported, want some %d", n, clientBurst)
	}
	limited := testutil.ToFloat64(counter) - before
	if int(limited) != sent-len(seen) {
		t.Errorf("%v envelopes were counted as limited, want %d", limited, sent-len(seen))
	}
	if r := seen[0]; r.sender != sender || r.recipient != recipient || len(r.helo) != maxHelo {
		t.Errorf("Reported %+v", r)
	}
}

func TestSessionTimesOut(t *testing.T) {
	tests := []struct {
		name  string
		write func(net.Conn) // until the connection is closed
	}{
		{"silence", func(net.Conn) {}},
		{"commands", func(c net.Conn) {
			for err := error(nil); err == nil; {
				_, err = io.WriteString(c, "NOOP\r\n")
				time.Sleep(time.Millisecond) // not to flood ourselves
			}
		}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p, _ := newPolicy(t)
			p.timeout = 50 * time.Millisecond
			c := dial(t, serve(t, p)[0])
			done := make(chan struct{})
			go func() { tc.write(c.conn); close(done) }()
			last := ""
			for line := c.receive(); line != "EOF"; line = c.receive() {
				last = line
			}
			c.conn.Close()
			wait.For(t, "the end of the client", done)
			if want := "421 4.4.2 reject.example.org closing the connection"; last != want {
				t.Errorf("Last line %q, want %q", last, want)
			}
		})
	}
}

func TestHandshakeFails(t *testing.T) {
	p, _ := newPolicy(t)
	c := dial(t, serve(t, p)[0])
	c.play(greeting + "C: STARTTLS\nS: 220 2.0.0 Go ahead\nC: this is no TLS")
	io.Copy(io.Discard, c.in) // ends when the server gives up
}
