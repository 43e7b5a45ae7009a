//go:build e2e && linux

package mail

import (
	"strings"
	"testing"
	"time"
)

const responder = "smtpreject $SINK {\n hostname reject.example.net\n }"

// TestRequiredTLS shows that the refusal also reaches mail servers that send
// nothing in clear text.
func TestRequiredTLS(t *testing.T) {
	tests := []struct {
		name   string
		server server
		policy string // shell, before the start
	}{
		{"postfix", postfix, "postconf -e smtp_tls_security_level=encrypt"},
		{"exim", exim, "echo 'REMOTE_SMTP_HOSTS_REQUIRE_TLS = *' >>/etc/exim4/exim4.conf.localmacros; update-exim4.conf"},
		{"opensmtpd", opensmtpd, "sed -i 's/relay$/relay tls no-verify/' /etc/smtpd.conf"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := resolve(t, "action sinkhole $SINK", responder)
			n := boot(t, tc.server, r.address)
			n.run(tc.policy)
			n.run(tc.server.start)
			sender := "alice@" + tc.name + "-tls.example.org"
			n.send(sender, "bob@army.ml", secret(sender, "bob@army.ml"))
			m := bounceOf(sender, "bob@army.ml", time.Minute)
			if !strings.Contains(m.data, "did you mean bob@army.mil?") {
				t.Errorf("Bounce %q\nLog:\n%s", m.data, n.run(tc.server.log))
			}
			if ok := r.metric("coredns_smtpreject_tls_handshakes_total", `result="ok"`); ok == 0 {
				t.Error("The responder saw no TLS")
			}
		})
	}
}

// TestSearchSuffix shows that a name which a program on the host has appended
// its search domain to is no lookalike, passes and raises no alert.
func TestSearchSuffix(t *testing.T) {
	t.Parallel()
	r := resolve(t, "action nxdomain", "")
	n := boot(t, sendmail, r.address)
	n.useResolver(r.address, "search "+searchDomain+"\n")
	n.run(sendmail.start)
	before := suffixed.Load()
	const sender = "alice@sendmail-suffix.example.org"
	n.send(sender, "bob@army.ml", secret(sender, "bob@army.ml"))
	if bounceOf(sender, "bob@army.ml", time.Minute).data == "" {
		t.Error("Mail to bob@army.ml did not bounce")
	}
	n.run("getent ahosts army.ml && exit 1; true") // a stub resolver
	passed := 0
	for _, q := range r.queries(n) {
		if q.name == "army.ml."+strings.TrimSuffix(searchDomain, ".") {
			passed++
		}
	}
	if passed == 0 || suffixed.Load()-before < int64(passed) {
		t.Errorf("The resolver was asked %d times, the authority %d times", passed, suffixed.Load()-before)
	}
	r.stop()
	for _, rec := range r.records() {
		if name := rec.DNS.Question.Name; name != "army.ml" {
			t.Errorf("An alert about %s", name)
		}
	}
	checkCounts(t, r, "nxdomain")
}
