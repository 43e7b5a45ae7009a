package harness

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"

	"github.com/coredns/caddy"

	"github.com/miekg/dns"
)

// Serving waits until the servers of an instance inside the test process answer,
// by UDP and by TCP. caddy.Start and Restart return earlier, and a server that is
// stopped before it serves never ends.
func Serving(tb testing.TB, instance *caddy.Instance) {
	tb.Helper()
	for _, s := range instance.Servers() {
		for network, address := range map[string]net.Addr{"tcp": s.Addr(), "udp": s.LocalAddr()} {
			if address == nil {
				continue
			}
			_, port, err := net.SplitHostPort(address.String())
			if err != nil {
				tb.Fatal(err)
			}
			client := dns.Client{Net: network, Timeout: time.Second}
			query := new(dns.Msg).SetQuestion("example.org.", dns.TypeSOA)
			wait.Until(tb, "an answer by "+network, func() bool {
				_, _, err := client.Exchange(query, net.JoinHostPort(Loopback.String(), port))
				return err == nil
			})
		}
	}
}

// End stops an instance inside the test process: first its servers, so that
// every handler has counted what it answered, then its plugins. It waits for the
// end and returns the errors of the plugins.
func End(tb testing.TB, instance *caddy.Instance) error {
	tb.Helper()
	err := errors.Join(append([]error{instance.Stop()}, instance.ShutdownCallbacks()...)...)
	wait.Done(tb, "the end of the servers", instance.Wait)
	return err
}
