//go:build e2e && linux

package mail

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// outcome is what becomes of mail for a lookalike.
type outcome string

const (
	bounced   outcome = "bounced"
	deferred  outcome = "deferred"
	delivered outcome = "delivered"
)

// lookalikes and others are who is written to.
var (
	lookalikes = []string{"bob@army.ml", "bob@us.army.ml", "bob@arrny.ml", "bob@xn--rmy-5cd.ml"} // the last: аrmy with a Cyrillic а
	others     = []string{"bob@army.mil", "bob@example.org"}
)

// actions are what each action makes of mail for a lookalike, at each server.
var actions = []struct {
	name, directive, more              string
	postfix, exim, opensmtpd, sendmail outcome
}{
	{"nxdomain", "action nxdomain", "", bounced, bounced, bounced, bounced},
	{"nodata", "action nodata", "", bounced, bounced, deferred, bounced},
	{"nullmx", "action nullmx", "", bounced, bounced, deferred, bounced},
	{"sinkhole", "action sinkhole $SINK", responder, bounced, bounced, bounced, bounced},
	{"servfail", "action servfail", "", deferred, deferred, deferred, deferred},
	{"refused", "action refused", "", deferred, deferred, bounced, deferred},
	{"drop", "action drop", "", deferred, deferred, deferred, deferred},
	{"monitor", "action monitor", "", delivered, delivered, delivered, delivered},
}

func TestActions(t *testing.T) {
	for _, a := range actions {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			r := resolve(t, a.directive, a.more)
			t.Run("servers", func(t *testing.T) {
				for s, want := range map[string]outcome{"postfix": a.postfix, "exim": a.exim, "opensmtpd": a.opensmtpd, "sendmail": a.sendmail} {
					t.Run(s, func(t *testing.T) {
						t.Parallel()
						deliver(t, r, serverNamed(s), a.name, want)
					})
				}
			})
			if a.name == "sinkhole" {
				checkNoBody(t, r)
			}
			r.stop()
			checkCounts(t, r, a.name)
			if a.name == "sinkhole" {
				checkEnvelopes(t, r)
			}
		})
	}
}

func serverNamed(name string) server {
	for _, s := range servers {
		if s.name == name {
			return s
		}
	}
	panic("no server " + name)
}

// deliver sends one message to everybody and checks what becomes of each.
func deliver(t *testing.T, r *resolver, s server, action string, want outcome) {
	t.Helper()
	n := boot(t, s, r.address)
	n.run(s.start)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("Queue:\n%s\nLog:\n%s", n.run(s.queue), n.run(s.log))
		}
	})
	// A sender of its own makes the bounces of this test known.
	sender := fmt.Sprintf("alice@%s-%s.example.org", s.name, action)
	sent := make(map[string]time.Time)
	var wg sync.WaitGroup
	for _, to := range slices.Concat(lookalikes, others) {
		sent[to] = time.Now()
		wg.Go(func() { n.send(sender, to, secret(sender, to)) }) // sendmail's own lookups make it wait
	}
	wg.Wait()
	for _, to := range others {
		if len(good.await(1, time.Minute, func(m message) bool { return m.recipient == to && strings.Contains(m.data, secret(sender, to)) })) == 0 {
			t.Errorf("Mail to %s was not delivered", to)
		}
	}
	for _, to := range lookalikes {
		check(t, n, sender, to, want)
	}
	if t.Failed() {
		return
	}
	report(t, r, n, sender, sent)
	if want == bounced {
		m := bounceOf(sender, "bob@army.ml", 0)
		golden(t, s.name, action, m.data)
		if action == "sinkhole" && !strings.Contains(m.data, "did you mean bob@army.mil?") {
			t.Errorf("The bounce does not say what was probably meant:\n%s", m.data)
		}
	}
}

// secret is a text that stands in the body of one message only.
func secret(sender, to string) string { return "secret of " + sender + " and " + to }

// bounceOf waits for the report that a message to recipient failed.
func bounceOf(sender, recipient string, wait time.Duration) message {
	found := good.await(1, wait, func(m message) bool {
		return m.recipient == sender && strings.Contains(m.data, "<"+recipient+">") || m.recipient == sender && strings.Contains(m.data, recipient+"\r\n")
	})
	if len(found) == 0 {
		return message{}
	}
	return found[0]
}

func check(t *testing.T, n *node, sender, to string, want outcome) {
	t.Helper()
	text := secret(sender, to)
	switch want {
	case bounced:
		if bounceOf(sender, to, time.Minute).data == "" {
			t.Errorf("Mail to %s did not bounce", to)
		}
	case deferred:
		wait.Within(t, 3*time.Minute, "a deferral of mail to "+to, func() bool { return n.deferred(to) })
		if m := bounceOf(sender, to, 0); m.data != "" {
			t.Errorf("Mail to %s bounced:\n%s", to, m.data)
		}
	case delivered:
		if len(trap.await(1, time.Minute, func(m message) bool { return m.recipient == to && strings.Contains(m.data, text) })) == 0 {
			t.Errorf("Mail to %s was not delivered", to)
		}
		return
	}
	if trap.contains(text) {
		t.Errorf("Mail to %s left for the lookalike", to)
	}
}

// report logs how long bounces took and how many questions were asked.
func report(t *testing.T, r *resolver, n *node, sender string, sent map[string]time.Time) {
	t.Helper()
	counts := make(map[string]int)
	for _, q := range r.queries(n) {
		best := ""
		for to := range sent {
			domain := to[strings.Index(to, "@")+1:]
			if (q.name == domain || strings.HasSuffix(q.name, "."+domain)) && len(domain) > len(best) {
				best = domain
			}
		}
		counts[best]++
	}
	for _, to := range lookalikes {
		seconds := "-"
		if m := bounceOf(sender, to, 0); m.data != "" {
			seconds = fmt.Sprintf("%.1f", m.at.Sub(sent[to]).Seconds())
		}
		t.Logf("FIGURES %s %s %s: seconds to bounce %s, queries %d", n.server.name, strings.TrimPrefix(t.Name(), "TestActions/"), to, seconds, counts[to[4:]])
	}
}

// checkCounts checks that the alerts account for every query.
func checkCounts(t *testing.T, r *resolver, action string) {
	t.Helper()
	asked, alerted := 0, 0
	for _, f := range queryLine.FindAllStringSubmatch(r.output.String(), -1) {
		if strings.HasSuffix(strings.ToLower(f[3]), ".ml.") {
			asked++
		}
	}
	for _, rec := range r.records() {
		alerted += rec.Lookalike.Count
		if rec.Lookalike.Action != action {
			t.Errorf("An alert of action %q, want %q", rec.Lookalike.Action, action)
		}
	}
	if asked == 0 || asked != alerted {
		t.Errorf("The alerts count %d queries, the log %d", alerted, asked)
	}
}

const commandsMetric = "coredns_smtpreject_commands_total"

// checkNoBody checks that no mail server came as far as sending a message.
func checkNoBody(t *testing.T, r *resolver) {
	t.Helper()
	rcpt, want := r.metric(commandsMetric, `command="RCPT"`), float64(len(servers)*len(lookalikes))
	body := r.metric(commandsMetric, `command="DATA"`) + r.metric(commandsMetric, `command="BDAT"`)
	if rcpt < want || body != 0 {
		t.Errorf("The responder saw %v RCPT and %v DATA or BDAT; want at least %v and none", rcpt, body, want)
	}
}

// checkEnvelopes checks that the alerts name sender and recipient of every
// refused message, in the group of the queries that the server asked for it.
func checkEnvelopes(t *testing.T, r *resolver) {
	t.Helper()
	counts := make(map[string]int)                   // queries by group
	envelopes := make(map[string]map[[2]string]bool) // by group
	total := make(map[[2]string]bool)
	for _, rec := range r.records() {
		group := rec.Lookalike.Group
		counts[group] += rec.Lookalike.Count
		for _, e := range rec.Lookalike.SMTP {
			if envelopes[group] == nil {
				envelopes[group] = make(map[[2]string]bool)
			}
			envelopes[group][[2]string{e.From, e.To}] = true
			total[[2]string{e.From, e.To}] = true
		}
	}
	if want := len(servers) * len(lookalikes); len(total) != want {
		t.Errorf("The alerts name %d messages, want %d: %v", len(total), want, total)
	}
	for group, list := range envelopes {
		if counts[group] == 0 {
			t.Errorf("The group of %v has no query", list)
		}
	}
}

func golden(t *testing.T, server, action, data string) {
	t.Helper()
	file := fmt.Sprintf("testdata/bounces/%s_%s.txt", server, action)
	got := readable(data)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("The bounce is not as in %s:\n%s", file, got)
	}
}
