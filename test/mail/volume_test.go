//go:build e2e && linux

package mail

import (
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"testing"
	"time"
)

// TestVolume sends 1000 messages to 1000 lookalikes and as many others, mixed,
// through one Postfix.
func TestVolume(t *testing.T) {
	const many = 1000
	r := resolve(t, "protect mil\n action nxdomain", "")
	n := boot(t, postfix, r.address)
	n.run("postconf -e in_flow_delay=0")
	n.run(postfix.start)

	const sender = "alice@postfix-volume.example.org"
	start := time.Now()
	conn, err := net.Dial("tcp", n.address+":25")
	if err != nil {
		t.Fatal(err)
	}
	c, err := smtp.NewClient(conn, nodeName)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range many {
		for _, to := range []string{fmt.Sprintf("bob@base%04d.ml", i), fmt.Sprintf("bob@base%04d.example.org", i)} {
			submit(t, c, sender, to, "volume "+secret(sender, to))
		}
	}
	ours := func(m message) bool { return strings.Contains(m.data, "volume secret") }
	delivered := func(m message) bool { return m.sender == sender && ours(m) }
	failed := func(m message) bool { return m.recipient == sender && ours(m) }
	if got := distinct(good.await(many, 3*time.Minute, delivered)); got != many {
		t.Errorf("%d messages were delivered, want %d", got, many)
	}
	bounces := good.await(many, 3*time.Minute, failed)
	if len(bounces) != many {
		t.Errorf("%d messages bounced, want %d", len(bounces), many)
	}
	t.Logf("FIGURES volume: %d messages in %.0f s, %d queries", 2*many, time.Since(start).Seconds(), len(r.queries(n)))
	if trap.contains("volume secret") {
		t.Error("A message left for a lookalike")
	}
	eventually(t, time.Minute, "an empty queue", func() bool { return strings.Contains(n.run(postfix.queue), "is empty") })
	r.stop()
	checkCounts(t, r, "nxdomain")
}

func submit(t *testing.T, c *smtp.Client, sender, to, text string) {
	t.Helper()
	if err := c.Mail(sender); err != nil {
		t.Fatal(err)
	}
	if err := c.Rcpt(to); err != nil {
		t.Fatal(err)
	}
	w, err := c.Data()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(w, "From: <%s>\r\nTo: <%s>\r\nSubject: test\r\n\r\n%s\r\n", sender, to, text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func distinct(messages []message) int {
	recipients := make(map[string]bool)
	for _, m := range messages {
		recipients[m.recipient] = true
	}
	return len(recipients)
}
