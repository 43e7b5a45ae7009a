// Package probe watches whether SMTP servers answer at the addresses of
// sinkholes. While none of a sinkhole's addresses greets as an SMTP server does,
// mail for them would be queued for days and may leave later.
package probe

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/internal/pool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

const (
	smtpPort = "25" // mail servers know no other

	checkInterval = 2 * time.Second
	checkTimeout  = 2 * time.Second
	// A host counts as down after this many checks in a row. One that starts
	// together with the resolver has that long to come up.
	checksToDown = 3
)

var log = clog.NewWithPlugin("lookalike")

var sinkholeUp = promauto.NewGaugeVec(prometheus.GaugeOpts{
	Namespace: plugin.Namespace,
	Subsystem: "lookalike",
	Name:      "sinkhole_up",
	Help:      "Whether an SMTP server answers at an address of a sinkhole.",
}, []string{"address"})

// hosts has one Host for each address, however many directives lead there, and
// during a reload those of both instances: so what is known is not forgotten.
var hosts pool.Pool[netip.Addr, *Host]

// Host is one address. It owns the goroutine that watches it. It is safe for
// concurrent use.
type Host struct {
	address  netip.Addr
	target   string // address and port
	interval time.Duration
	down     atomic.Bool
	failures int // checks in a row; of the goroutine

	cancel context.CancelFunc
	done   chan struct{}
}

// Acquire begins to watch an address, or joins those who do. Each call needs one
// Release.
func Acquire(address netip.Addr) *Host {
	return acquire(address, net.JoinHostPort(address.String(), smtpPort), checkInterval)
}

func acquire(address netip.Addr, target string, interval time.Duration) *Host {
	host, _ := hosts.Acquire(address, func() (*Host, error) { // start has no error
		h := &Host{address: address, target: target, interval: interval}
		h.start()
		return h, nil
	})
	return host
}

// Up reports whether the host answers, as far as is known.
func (h *Host) Up() bool { return !h.down.Load() }

// Release ends the watch, where nobody else wants it, and waits for that.
func (h *Host) Release() {
	_ = hosts.Release(h.address, func(h *Host) error { // stop has no error
		h.cancel()
		<-h.done
		sinkholeUp.DeleteLabelValues(h.address.String())
		return nil
	})
}

func (h *Host) start() {
	var ctx context.Context
	ctx, h.cancel = context.WithCancel(context.Background())
	h.done = make(chan struct{})
	h.show()
	go func() {
		defer close(h.done)
		h.watch(ctx)
	}()
}

func (h *Host) watch(ctx context.Context) {
	tick := time.NewTicker(h.interval)
	defer tick.Stop()
	for {
		h.check(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (h *Host) check(ctx context.Context) {
	defer guard.Recover("probe")
	if err := greets(ctx, h.target); ctx.Err() == nil {
		h.note(err)
	}
}

// note takes in the result of a check.
func (h *Host) note(err error) {
	defer h.show()
	if err == nil {
		h.failures = 0
		if h.down.Swap(false) {
			log.Infof("sinkhole %s is up again", h.address)
		}
		return
	}
	if h.failures++; h.failures >= checksToDown && !h.down.Swap(true) {
		log.Warningf("sinkhole %s is down, answering NXDOMAIN if no other is up: %v", h.address, err)
	}
}

// show sets the metric.
func (h *Host) show() {
	up := 1.0
	if h.down.Load() {
		up = 0
	}
	sinkholeUp.WithLabelValues(h.address.String()).Set(up)
}

// greets returns nil if an SMTP server at target is ready to take commands.
func greets(ctx context.Context, target string) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", target)
	if err != nil {
		return err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	line, err := bufio.NewReaderSize(conn, 512).ReadSlice('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(line), "220") {
		return fmt.Errorf("its greeting is %q", strings.TrimSpace(string(line)))
	}
	_, err = conn.Write([]byte("QUIT\r\n"))
	return err
}
