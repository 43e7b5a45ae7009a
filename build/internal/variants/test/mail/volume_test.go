//go:build e2e && linux

package mail

import (
	"fmt"
	"net"
	"net/smtp"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// TestVolume sends 1000 messages to 1000 lookalikes and as many others, mixed,
// through one Postfix.
func TestVolume(t *testing.T) {
	tests := []struct{ action, more, bounce string }{ // the bounce for bob@base0001.ml, for each number
		{"nxdomain", "", "<bob@%[1]s.ml>"},
		{"sinkhole", responder, "<bob@%[1]s.ml>: not delivered: %[1]s.ml resembles mil"},
	}
	for _, tc := range tests {
		t.Run(tc.action, func(t *testing.T) { volume(t, tc.action, tc.more, tc.bounce) })
	}
}

func volume(t *testing.T, action, more, bounce string) {
	t.Helper()
	const many = 1000
	directive := "protect *.mil\n action " + action
	if action == "sinkhole" {
		directive += " $SINK"
	}
	r := resolve(t, directive, more)
	n := boot(t, postfix, r.address)
	n.run("postconf -e in_flow_delay=0")
	n.run(postfix.start)

	sender := "alice@postfix-volume-" + action + ".example.org"
	start := time.Now()
	conn, err := net.Dial("tcp", n.address+":25")
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(10 * time.Minute)); err != nil {
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
	checkBounces(t, bounces, many, bounce)
	t.Logf("FIGURES volume "+action+": %d messages in %.0f s, %d queries", 2*many, time.Since(start).Seconds(), len(r.queries(n)))
	if trap.contains("volume secret") {
		t.Error("A message left for a lookalike")
	}
	if body := r.metric(commandsMetric, `command="DATA"`) + r.metric(commandsMetric, `command="BDAT"`); body != 0 {
		t.Errorf("The responder saw %v DATA or BDAT", body)
	}
	wait.Until(t, "an empty queue", func() bool { return strings.Contains(n.run(postfix.queue), "is empty") })
	r.stop()
	checkCounts(t, r, action)
}

// checkBounces checks that the bounces are of as many messages, and that each
// has the text for the name that the message was sent to.
func checkBounces(t *testing.T, bounces []message, many int, text string) {
	t.Helper()
	names := make(map[string]bool)
	for _, m := range bounces {
		name := lookalikeName.FindString(m.data)
		names[name] = true
		if flat := strings.Join(strings.Fields(m.data), " "); name == "" || !strings.Contains(flat, fmt.Sprintf(text, name)) {
			t.Fatalf("Bounce %q", m.data)
		}
	}
	if len(names) != many {
		t.Errorf("%d lookalikes bounced, want %d", len(names), many)
	}
}

var lookalikeName = regexp.MustCompile(`base\d{4}\b`)

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
