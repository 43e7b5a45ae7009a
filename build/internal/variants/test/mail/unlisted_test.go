//go:build e2e && linux

package mail

import (
	"strings"
	"testing"
	"time"
)

// TestUnlisted sends mail to names that nobody has listed: the lookalike of a
// name that exists, an ordinary name, and a name whose MX is a lookalike.
func TestUnlisted(t *testing.T) {
	const (
		lookalike = "bob@fort-example.ml" // fort-example.mil exists
		ordinary  = "bob@absent.ml"       // absent.mil does not
		partner   = "bob@partner.example"
	)
	tests := []struct {
		name, action, more string
		lookalike, partner string // in the bounce
	}{
		{"nxdomain", "action nxdomain", "", "Host not found", "does not accept mail (nullMX)"},
		{"sinkhole", "action sinkhole $SINK", responder,
			"550 5.1.2 <bob@fort-example.ml>: not delivered: fort-example.ml resembles fort-example.mil; did you mean bob@fort-example.mil?",
			"550 5.7.1 <bob@partner.example>: not delivered: this server accepts no mail"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := resolve(t, tc.action+"\n verify\n inspect", tc.more)
			n := boot(t, postfix, r.address)
			n.run(postfix.start)
			sender := "alice@postfix-unlisted" + tc.name + ".example.org"
			for _, to := range []string{lookalike, ordinary, partner} {
				n.send(sender, to, secret(sender, to))
			}
			for to, want := range map[string]string{lookalike: tc.lookalike, partner: tc.partner} {
				m := bounceOf(sender, to, time.Minute)
				if text := strings.Join(strings.Fields(m.data), " "); !strings.Contains(text, want) {
					t.Errorf("The bounce of mail to %s does not say %q:\n%s", to, want, m.data)
				}
				if trap.contains(secret(sender, to)) {
					t.Errorf("Mail to %s left for the lookalike", to)
				}
			}
			delivered := func(m message) bool {
				return m.recipient == ordinary && strings.Contains(m.data, secret(sender, ordinary))
			}
			if len(trap.await(1, time.Minute, delivered)) == 0 {
				t.Errorf("Mail to %s was not delivered", ordinary)
			}
		})
	}
}
