//go:build e2e && linux

package mail

import (
	"net"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// The settings that mail.md recommends, so that the user's mail program
// hears of a lookalike while it sends.
const (
	eximAtSubmission = `cat >/etc/exim4/check_recipient <<'END'
  deny
    domains = !+local_domains
    message = <$local_part@$domain>: no such mail domain. .ml is Mali; did you mean .mil?
    !verify = recipient
END
sed -i '/^acl_check_rcpt:/r /etc/exim4/check_recipient' /etc/exim4/exim4.conf.template
sed -i "s/^dc_local_interfaces=.*/dc_local_interfaces='0.0.0.0'/; s!^dc_relay_nets=.*!dc_relay_nets='` + network + `0/24'!" /etc/exim4/update-exim4.conf.conf
update-exim4.conf`

	sendmailWithoutSuffixes = "sed -i 's/^MAILER_DEFINITIONS/define(`confBIND_OPTS'\\'', `-DNSRCH -DEFNAMES'\\'')dnl\\n&/' /etc/mail/sendmail.mc /etc/mail/submit.mc\n" +
		"grep -q BIND_OPTS /etc/mail/submit.mc || sed -i 's/^FEATURE(`msp/define(`confBIND_OPTS'\\'', `-DNSRCH -DEFNAMES'\\'')dnl\\n&/' /etc/mail/submit.mc\n" +
		"m4 /etc/mail/sendmail.mc >/etc/mail/sendmail.cf 2>/dev/null && m4 /etc/mail/submit.mc >/etc/mail/submit.cf 2>/dev/null"
)

// postfixAtSubmission adds the lines of mail.md to master.cf. The client is in
// mynetworks there only, so that to port 25 it is a stranger.
func postfixAtSubmission(t *testing.T) string {
	t.Helper()
	return "cat >>/etc/postfix/master.cf <<'END'\n" + block(t, "submission inet ") +
		"  -o mynetworks=" + network + "0/24\nEND\npostconf -e mynetworks=127.0.0.0/8\npostconf -F '*/*/chroot=n'"
}

// block is the indented block of mail.md whose first line has this beginning.
func block(t *testing.T, beginning string) string {
	t.Helper()
	text, err := os.ReadFile("../../build/package/doc/mail.md")
	if err != nil {
		t.Fatal(err)
	}
	const indent = "\n    "
	_, rest, found := strings.Cut(string(text), indent+beginning)
	if !found {
		t.Fatalf("mail.md has no block that begins with %q", beginning)
	}
	lines, _, _ := strings.Cut(indent+beginning+rest, "\n\n")
	return strings.ReplaceAll(lines, indent, "\n") + "\n"
}

// TestSubmission names recipients to mail servers that check them at once.
func TestSubmission(t *testing.T) {
	const footer = ". Check the domain: .ml is Mali, .mil is the U.S. military."
	tests := []struct {
		action  string
		more    string
		postfix string // reply to RCPT TO:<bob@army.ml>
		exim    string
	}{
		{"nxdomain", "",
			"550 5.1.2 <bob@army.ml>: Recipient address rejected: Domain not found" + footer,
			"550 <bob@army.ml>: no such mail domain. .ml is Mali; did you mean .mil?"},
		{"nodata", "",
			"550 5.1.2 <bob@army.ml>: Recipient address rejected: Domain not found" + footer,
			"550 <bob@army.ml>: no such mail domain. .ml is Mali; did you mean .mil?"},
		{"nullmx", "",
			"556 5.1.10 <bob@army.ml>: Recipient address rejected: Domain army.ml does not accept mail (nullMX)" + footer,
			"550 <bob@army.ml>: no such mail domain. .ml is Mali; did you mean .mil?"},
		{"sinkhole $SINK", responder, "250 2.1.5 Ok", "250 Accepted"},
		{"servfail", "",
			"450 4.1.2 <bob@army.ml>: Recipient address rejected: Domain not found" + footer,
			"451 Temporary local problem - please try later"},
	}
	for _, tc := range tests {
		name, _, _ := strings.Cut(tc.action, " ")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := resolve(t, "action "+tc.action, tc.more)
			for _, s := range []struct {
				server             server
				settings, port     string
				refused, permitted string
			}{
				{postfix, postfixAtSubmission(t), "587", tc.postfix, "250 2.1.5 Ok"},
				{exim, eximAtSubmission, "25", tc.exim, "250 Accepted"},
			} {
				n := boot(t, s.server, r.address)
				n.run(s.settings)
				n.run(s.server.start)
				c := converse(t, n, s.port)
				for _, to := range []struct{ address, want string }{
					{"bob@army.ml", s.refused}, {"bob@army.mil", s.permitted}, {"bob@example.org", s.permitted},
				} {
					if got := c.say("RCPT TO:<" + to.address + ">"); got != to.want {
						t.Errorf("%s, %s: got %q, want %q", s.server.name, to.address, got, to.want)
					}
				}
				if s.port == "25" {
					continue
				}
				// Mail from outside comes in as before.
				if got := converse(t, n, "25").say("RCPT TO:<root@" + nodeName + ">"); got != s.permitted {
					t.Errorf("%s, mail from outside: got %q, want %q", s.server.name, got, s.permitted)
				}
			}
		})
	}
}

// conversation is an SMTP session that has come as far as MAIL.
type conversation struct {
	t    *testing.T
	conn *textproto.Conn
}

func converse(t *testing.T, n *node, port string) *conversation {
	t.Helper()
	var conn net.Conn
	wait.Until(t, "a mail server on "+n.address, func() (ok bool) {
		var err error
		conn, err = net.Dial("tcp", n.address+":"+port)
		return err == nil
	})
	conn.SetDeadline(time.Now().Add(time.Minute))
	c := &conversation{t, textproto.NewConn(conn)}
	t.Cleanup(func() { c.conn.Close() })
	c.read()
	c.say("HELO client.example.net")
	c.say("MAIL FROM:<alice@example.org>")
	return c
}

func (c *conversation) say(line string) string {
	c.t.Helper()
	if err := c.conn.PrintfLine("%s", line); err != nil {
		c.t.Fatal(err)
	}
	return c.read()
}

func (c *conversation) read() string {
	c.t.Helper()
	for {
		line, err := c.conn.ReadLine()
		if err != nil {
			c.t.Fatal(err)
		}
		if len(line) < 4 || line[3] != '-' {
			return line
		}
	}
}

// TestSendmailWithoutSuffixes shows what the recommended setting saves.
func TestSendmailWithoutSuffixes(t *testing.T) {
	t.Parallel()
	r := resolve(t, "action nxdomain", "")
	n := boot(t, sendmail, r.address)
	n.useResolver(r.address, "search "+searchDomain+"\n")
	n.run(sendmailWithoutSuffixes)
	n.run(sendmail.start)
	const sender = "alice@sendmail-bindopts.example.org"
	n.send(sender, "bob@army.ml", secret(sender, "bob@army.ml"))
	if bounceOf(sender, "bob@army.ml", time.Minute).data == "" {
		t.Error("Mail to bob@army.ml did not bounce")
	}
	queries := r.queries(n)
	if slices.ContainsFunc(queries, func(q query) bool { return strings.HasPrefix(q.name, "army.ml.") }) {
		t.Errorf("It still asks with suffixes: %v", queries)
	}
}
