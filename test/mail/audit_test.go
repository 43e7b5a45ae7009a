//go:build e2e && linux

package mail

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// The settings that open a mail server to the network, so that a stranger can
// name a recipient and is refused.
const (
	sendmailForStrangers  = "sed -i 's/Addr=127.0.0.1/Addr=0.0.0.0/' /etc/mail/sendmail.mc && cd /etc/mail && m4 sendmail.mc >sendmail.cf 2>/dev/null"
	opensmtpdForStrangers = "sed -i 's/^listen on 127.0.0.1/listen on 0.0.0.0/' /etc/smtpd.conf"
)

// TestAudit reads the log of each mail server as an administrator does who looks
// back: each recipient stands there once, with what became of the message. What
// was delivered is what the internet has received.
func TestAudit(t *testing.T) {
	for _, tc := range []struct {
		server         server
		settings, port string
		quoted         string // a recipient; OpenSMTPD takes no blanks
		log            string // shell that shows the log; empty: what came by syslog
	}{
		{postfix, postfixAtSubmission(t), "587", `"d e"@third.ml`, postfix.log},
		{exim, eximAtSubmission, "25", `"d e"@third.ml`, exim.log},
		{opensmtpd, opensmtpdForStrangers, "25", `d+e@third.ml`, opensmtpd.log},
		{sendmail, sendmailForStrangers, "25", `"d e"@third.ml`, ""},
	} {
		t.Run(tc.server.name, func(t *testing.T) {
			t.Parallel()
			r := resolve(t, "action nxdomain\n action typo servfail", "")
			n := boot(t, tc.server, r.address)
			syslog := n.syslog()
			n.run(tc.settings)
			n.run(tc.server.start)
			want := n.traffic("alice@"+tc.server.name+"-audit.example.org", tc.port, tc.quoted)

			file := filepath.Join(t.TempDir(), "mail.log")
			log, got := "", []string(nil)
			complete := func() bool {
				log = syslog()
				if tc.log != "" {
					log = n.run(tc.log)
				}
				got = audit(t, file, log)
				return len(got) >= len(want)
			}
			for end := time.Now().Add(wait.Limit); !complete() && time.Now().Before(end); {
				time.Sleep(time.Second) // the last lines come after the mail
			}
			if !slices.Equal(got, want) {
				t.Errorf("the audit found\n\t%s\nwant\n\t%s\nof the log\n%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"), log)
			}
		})
	}
}

// traffic sends messages of each kind, waits until it is known what became of
// them, and returns what an audit has to find.
func (n *node) traffic(sender, port, quoted string) (want []string) {
	n.t.Helper()
	const bounced, deferred, refused = "bob@army.ml", "bob@amry.ml", "mallory@army.ml"
	delivered := []string{"bob@first.ml", "Carol@Second.ml", quoted, "frank@fourth.ml", "grace@fifth.ml"}
	for _, to := range [][]string{delivered[:1], delivered[1:2], delivered[2:3], delivered[3:], {bounced, "heidi@sixth.ml"}, {deferred}} {
		n.sendAll(sender, to)
	}
	delivered = append(delivered, "heidi@sixth.ml")
	c := converse(n.t, n, port)
	if got := c.say("RCPT TO:<" + refused + ">"); !strings.HasPrefix(got, "5") {
		n.t.Errorf("%s: a stranger's recipient: %q, want a refusal", n.server.name, got)
	}
	c.say("QUIT")

	received := trap.await(len(delivered), 2*wait.Limit, func(m message) bool { return m.sender == sender })
	for _, m := range received {
		want = append(want, "delivered "+strings.ToLower(m.recipient))
	}
	if len(received) != len(delivered) {
		n.t.Errorf("%s: the internet has received %d messages, want %d: %v", n.server.name, len(received), len(delivered), want)
	}
	if bounceOf(sender, bounced, wait.Limit).data == "" {
		n.t.Errorf("%s: mail to %s did not bounce", n.server.name, bounced)
	}
	wait.Within(n.t, 2*wait.Limit, "a message that waits", func() bool { return n.deferred(deferred) })
	want = append(want, "bounced "+bounced, "deferred "+deferred, "rejected "+refused)
	slices.Sort(want)
	return want
}

// sendAll hands a message for several recipients to the mail server.
func (n *node) sendAll(sender string, recipients []string) {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := n.command(ctx, append([]string{"/usr/sbin/sendmail", "-f", sender}, recipients...)...)
	cmd.Stdin = strings.NewReader(fmt.Sprintf("From: <%s>\nTo: undisclosed-recipients:;\nSubject: test\n\ntest\n", sender))
	if out, err := cmd.CombinedOutput(); err != nil {
		n.t.Errorf("%s: sending to %v: %v\n%s", n.server.name, recipients, err, out)
	}
}

// syslog takes what programs on the node log, and returns what shows it as
// rsyslog writes it: without the priority, with the host.
func (n *node) syslog() func() string {
	n.t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: n.root + "/dev/log", Net: "unixgram"})
	if err != nil {
		n.t.Fatal(err)
	}
	if err := os.Chmod(n.root+"/dev/log", 0o666); err != nil {
		n.t.Fatal(err)
	}
	var log output
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 64<<10)
		for {
			size, err := conn.Read(buf)
			if err != nil {
				return // closed
			}
			_, line, _ := strings.Cut(string(buf[:size]), ">")
			if len(line) > 16 {
				fmt.Fprintf(&log, "%s mx %s\n", line[:15], strings.TrimRight(line[16:], "\n\x00"))
			}
		}
	}()
	n.t.Cleanup(func() {
		conn.Close()
		<-ended
	})
	return log.String
}

// auditCorefile makes each name under ml that has a counterpart under mil a
// finding, whatever the resolver of the test does.
const auditCorefile = ". {\n lookalike {\n  protect *.mil\n  action monitor\n }\n forward . 192.0.2.53\n}\n"

// audit writes a log to a file and returns what "lookalike audit" finds in it:
// the outcome and the recipient of each finding.
func audit(t *testing.T, file, log string) (found []string) {
	t.Helper()
	corefile := filepath.Join(t.TempDir(), "Corefile")
	for name, contents := range map[string]string{file: log, corefile: auditCorefile} {
		if err := os.WriteFile(name, []byte(contents), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := wait.Command(t, wait.Limit, harness.Tool(t), "audit", "-conf", corefile, "-format", "csv", "-addresses", "full", file)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && (!ok || exit.ExitCode() != 1) {
		t.Fatalf("audit: %v\n%s\nof the log\n%s", err, problems.String(), log)
	}
	rows, err := csv.NewReader(strings.NewReader(string(out))).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("audit: %d rows: %v", len(rows), err)
	}
	outcome, recipient := slices.Index(rows[0], "outcome"), slices.Index(rows[0], "recipient")
	for _, row := range rows[1:] {
		found = append(found, row[outcome]+" "+strings.ToLower(row[recipient]))
	}
	slices.Sort(found)
	return found
}
