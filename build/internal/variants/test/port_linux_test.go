package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/harness"
)

// TestTwoServersOnOnePort: the second server does not start, since each would
// get some of the queries. The first one may read its Corefile again.
func TestTwoServersOnOnePort(t *testing.T) {
	t.Parallel()
	first := harness.Start(t, harness.Config{Corefile: corefile("lookalike"), Upstream: harness.NewUpstream(t).Addr})
	port := first.Addr("DNS").Port()
	message, status := harness.Refused(t, harness.Config{
		Corefile: fmt.Sprintf(".:%d {\nbind 127.0.0.1\nlookalike\nwhoami\n}\n", port),
	})
	want := fmt.Sprintf("dns://.:%d: address already in use: another process listens on port %[1]d of 127.0.0.1 (udp)", port)
	if status <= 0 || !strings.Contains(message, want) {
		t.Errorf("Exit status %d, want a message with %q:\n%s", status, want, message)
	}
	if err := first.Reload(corefile("lookalike {\n ttl 5s\n }")); err != nil {
		t.Errorf("The server that has the port cannot reload: %v", err)
	}
	if r := harness.Exchange(t, "udp", first.Addr("DNS"), harness.Query("army.ml", dns.TypeMX)); r.Rcode != dns.RcodeNameError {
		t.Errorf("Got\n%v", r)
	}
}
