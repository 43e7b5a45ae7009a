//go:build e2e

package test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/test/debian"
)

// askLocal asks the server on port 53 from an address for the MX of a name. That nobody
// has the port is the error ECONNREFUSED.
func askLocal(network, client, name string) (rcode int, err error) {
	c := dns.Client{Net: network, Timeout: 500 * time.Millisecond, Dialer: &net.Dialer{}}
	if network == "udp" {
		c.Dialer.LocalAddr = &net.UDPAddr{IP: net.ParseIP(client)}
	}
	reply, _, err := c.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeMX), "127.0.0.1:53")
	if err != nil {
		return 0, err
	}
	return reply.Rcode, nil
}

// flow is many clients that ask for lookalikes, one query after the other.
type flow struct {
	ended           chan error
	stopping        atomic.Bool
	answered, maybe int // queries; maybe are those that the server may have seen and not answered
}

// startFlow has a machine ask its own server until it is stopped.
func startFlow(m *debian.Machine) *flow {
	f := &flow{ended: make(chan error, 1)}
	go func() { f.ended <- m.Net(f.run) }()
	return f
}

func (f *flow) run() error {
	names := []string{"army.ml.", "mail.navy.ml."}
	for i := 0; !f.stopping.Load(); i++ {
		// A new client now and then, so that there are always first alerts.
		client := fmt.Sprintf("127.1.%d.%d", i/40/250%250, 1+i/40%250)
		rcode, err := askLocal("udp", client, names[i%len(names)])
		switch {
		case errors.Is(err, syscall.ECONNREFUSED):
			time.Sleep(10 * time.Millisecond)
		case err != nil || rcode != dns.RcodeSuccess:
			f.maybe++
		default:
			f.answered++
		}
		time.Sleep(time.Millisecond)
	}
	return nil
}

func (f *flow) stop(t *testing.T) {
	t.Helper()
	f.stopping.Store(true)
	if err := <-f.ended; err != nil {
		t.Fatal(err)
	}
}

// compare holds that no detection is lost, and none is told of twice.
func (f *flow) compare(t *testing.T, what string, told int) {
	t.Helper()
	t.Logf("%s: %d, of %d queries answered and %d with another end", what, told, f.answered, f.maybe)
	if told < f.answered || told > f.answered+f.maybe || f.answered == 0 {
		t.Errorf("Detections are lost, or told of twice")
	}
}

// readLog returns the text of a file, which logrotate may have compressed.
func readLog(t *testing.T, path string) string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var text io.Reader = file
	if strings.HasSuffix(path, ".gz") {
		if text, err = gzip.NewReader(file); err != nil {
			t.Fatal(err)
		}
	}
	all, err := io.ReadAll(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}
