package port

import (
	"net"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin/pkg/reuseport"
)

// listen has a socket that others may share, as CoreDNS does, and returns its port.
func listen(t *testing.T, network, host string) string {
	t.Helper()
	var addr net.Addr
	if strings.HasPrefix(network, "udp") {
		c, err := reuseport.ListenPacket(network, net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		addr = c.LocalAddr()
	} else {
		l, err := reuseport.Listen(network, net.JoinHostPort(host, "0"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		addr = l.Addr()
	}
	_, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name          string
		network, host string // of the other process
		key           string // PORT is its port
		hosts         []string
		want          string // part of the message; empty: none
	}{
		{"same address, UDP", "udp4", "127.0.0.1", "dns://.:PORT", []string{"127.0.0.1"}, "port PORT of 127.0.0.1 (udp)"},
		{"same address, TCP", "tcp4", "127.0.0.1", "dns://.:PORT", []string{"127.0.0.1"}, "port PORT of 127.0.0.1 (tcp)"},
		{"second address", "udp4", "127.0.0.2", "dns://.:PORT", []string{"127.0.0.1", "127.0.0.2"}, "of 127.0.0.2"},
		{"same address, IPv6", "udp6", "::1", "dns://.:PORT", []string{"::1"}, "of ::1"},
		{"mapped address", "udp4", "127.0.0.1", "dns://.:PORT", []string{"::ffff:127.0.0.1"}, "(udp)"},
		{"all addresses", "udp", "", "dns://.:PORT", []string{""}, "of all addresses"},
		{"all of IPv4 beside all", "udp4", "0.0.0.0", "dns://.:PORT", []string{""}, "of all addresses"},
		{"DNS over TLS", "tcp4", "127.0.0.1", "tls://.:PORT", []string{"127.0.0.1"}, "(tcp)"},
		{"DNS over QUIC", "udp4", "127.0.0.1", "quic://.:PORT", []string{"127.0.0.1"}, "(udp)"},
		{"zone and several keys", "udp4", "127.0.0.1", "dns://ml.:PORT", []string{"127.0.0.1"}, "dns://ml.:PORT: address already in use: another process"},

		{"another address", "udp4", "127.0.0.2", "dns://.:PORT", []string{"127.0.0.1"}, ""},
		{"one address beside all", "udp4", "127.0.0.1", "dns://.:PORT", []string{""}, ""},
		{"all beside one address", "udp4", "0.0.0.0", "dns://.:PORT", []string{"127.0.0.1"}, ""},
		{"UDP beside TLS", "udp4", "127.0.0.1", "tls://.:PORT", []string{"127.0.0.1"}, ""},
		{"another port", "udp4", "127.0.0.1", "dns://.:1PORT", []string{"127.0.0.1"}, ""},
		{"any port", "udp4", "127.0.0.1", "dns://.:0", []string{"127.0.0.1"}, ""},
		{"name of an interface", "udp4", "127.0.0.1", "dns://.:PORT", []string{"lo"}, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			withPort := strings.NewReplacer("PORT", listen(t, tc.network, tc.host))
			err := check([]string{"dns://.:0", withPort.Replace(tc.key)}, tc.hosts, nil)
			if (err != nil) != (tc.want != "") || err != nil && !strings.Contains(err.Error(), withPort.Replace(tc.want)) {
				t.Errorf("Error %v, want %q", err, withPort.Replace(tc.want))
			}
		})
	}
}

// TestCheckOwn: a server that reloads has its own sockets.
func TestCheckOwn(t *testing.T) {
	for _, network := range []string{"udp4", "tcp4"} {
		keys, hosts := []string{"dns://.:" + listen(t, network, "127.0.0.1")}, []string{"127.0.0.1"}
		if err := Check(keys, hosts); err != nil {
			t.Errorf("%s: %v", network, err)
		}
		if err := check(keys, hosts, nil); err == nil {
			t.Errorf("%s: the socket of this process is not seen at all", network)
		}
	}
}

// TestCheckConnected: who asks from a port does not take it.
func TestCheckConnected(t *testing.T) {
	c, err := net.Dial("udp4", net.JoinHostPort("127.0.0.1", listen(t, "udp4", "127.0.0.1")))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, port, err := net.SplitHostPort(c.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := check([]string{"dns://.:" + port}, []string{"127.0.0.1"}, nil); err != nil {
		t.Error(err)
	}
}
