package lookalike

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	smtpPort = "25" // mail servers know no other

	checkInterval = 2 * time.Second
	checkTimeout  = 2 * time.Second
	// A responder counts as down after this many checks in a row. One that
	// starts together with the resolver has that long to come up.
	checksToDown = 3
)

// responders watches the addresses that sinkholes lead mail to. While none of a
// sinkhole's addresses greets as an SMTP server does, mail for them would be
// queued for days and may leave later, so its names do not exist meanwhile. It
// owns one goroutine for each address, from start to stop. It is safe for
// concurrent use.
type responders struct {
	port     string
	interval time.Duration
	hosts    map[netip.Addr]*responder

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// lastKnown holds the addresses that were down when they were last looked at,
// so that a reload does not lead mail to them until it finds out anew.
var lastKnown sync.Map

// watched counts, for each address, those who watch it: two policies may lead
// there, and during a reload two engines. The metric goes with the last.
var watched = struct {
	sync.Mutex
	by map[netip.Addr]int
}{by: make(map[netip.Addr]int)}

// responder is one address.
type responder struct {
	address  netip.Addr
	down     atomic.Bool
	failures int // checks in a row; of the goroutine
}

// newResponders returns the responders of all checked sinkholes in t, or nil
// where there are none.
func newResponders(t *actions) *responders {
	r := &responders{port: smtpPort, interval: checkInterval, hosts: make(map[netip.Addr]*responder)}
	for _, row := range t {
		for _, a := range row {
			if a.unchecked {
				continue
			}
			for _, address := range a.addresses {
				r.hosts[address] = newResponder(address)
			}
		}
	}
	if len(r.hosts) == 0 {
		return nil
	}
	return r
}

func newResponder(address netip.Addr) *responder {
	h := &responder{address: address}
	if _, down := lastKnown.Load(address); down {
		h.down.Store(true)
		h.failures = checksToDown
	}
	return h
}

// start begins to watch.
func (r *responders) start() {
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	for _, host := range r.hosts {
		host.count(1)
		host.show()
		r.running.Go(func() { r.watch(ctx, host) })
	}
}

// stop ends the watch and waits for it. Without start, or the second time, it
// does nothing.
func (r *responders) stop() {
	if r.cancel == nil {
		return
	}
	r.cancel()
	r.running.Wait()
	r.cancel = nil
	for _, host := range r.hosts {
		host.count(-1)
	}
}

// count notes that one more watches the address, or one less.
func (h *responder) count(n int) {
	watched.Lock()
	defer watched.Unlock()
	if watched.by[h.address] += n; watched.by[h.address] == 0 {
		delete(watched.by, h.address)
		sinkholeUp.DeleteLabelValues(h.address.String())
	}
}

func (r *responders) watch(ctx context.Context, host *responder) {
	tick := time.NewTicker(r.interval)
	defer tick.Stop()
	for {
		err := greets(ctx, net.JoinHostPort(host.address.String(), r.port))
		if ctx.Err() != nil {
			return
		}
		host.note(err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// note takes in the result of a check.
func (h *responder) note(err error) {
	defer h.show()
	if err == nil {
		h.failures = 0
		lastKnown.Delete(h.address)
		if h.down.Swap(false) {
			log.Infof("Sinkhole %s answers again", h.address)
		}
		return
	}
	if h.failures++; h.failures >= checksToDown && !h.down.Swap(true) {
		lastKnown.Store(h.address, true)
		log.Warningf("Sinkhole %s does not answer as an SMTP server, so mail is not led there until it does: %v", h.address, err)
	}
}

// show sets the metric.
func (h *responder) show() {
	up := 1.0
	if h.down.Load() {
		up = 0
	}
	sinkholeUp.WithLabelValues(h.address.String()).Set(up)
}

// reachable returns what is done instead of a: the same with the addresses that
// answer, or NXDOMAIN where there are none.
func (r *responders) reachable(a Action) Action {
	if r == nil || a.kind != actionSinkhole || a.unchecked {
		return a
	}
	down := func(address netip.Addr) bool { return r.hosts[address].down.Load() }
	if !slices.ContainsFunc(a.addresses, down) {
		return a
	}
	up := slices.DeleteFunc(slices.Clone(a.addresses), down)
	if len(up) == 0 {
		return Action{kind: actionNXDomain}
	}
	a.addresses = up
	return a
}

// privateSinkholes returns the private addresses (RFC 1918, RFC 4193) that the
// policy leads to, each once.
func (p *Policy) privateSinkholes() []netip.Addr {
	var addresses []netip.Addr
	for _, row := range p.actions {
		for _, a := range row {
			for _, address := range a.addresses {
				if address.IsPrivate() && !slices.Contains(addresses, address) {
					addresses = append(addresses, address)
				}
			}
		}
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	return addresses
}

// greets returns nil if an SMTP server at address is ready to take commands.
func greets(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
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
		return &greetingError{strings.TrimSpace(string(line))}
	}
	_, err = conn.Write([]byte("QUIT\r\n"))
	return err
}

// greetingError is a greeting that turns clients away.
type greetingError struct{ line string }

func (e *greetingError) Error() string { return "its greeting is " + e.line }
