package lookalike

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/purpose"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/verify"
)

// Policy is one lookalike directive of a Corefile. Only its lists change after
// it was parsed, and those are swapped whole; it is safe for concurrent use.
type Policy struct {
	block   string   // the server block's first key: "dns://.:53"
	where   string   // file and line of the directive, for messages
	tlds    []string // lower-case A-labels
	protect list
	allow   list
	clients []netip.Prefix // empty: everybody
	actions *actions
	ttl     uint32        // seconds, of every answer
	reload  time.Duration // between looks at the files; 0: never
	alerts  alert.Config

	lists    atomic.Pointer[lists]
	swapping sync.Mutex // of lists

	pipeline *alert.Pipeline       // set by start
	probes   map[netip.Addr]prober // of the sinkholes that are checked; set by start

	verifier   *verify.Verifier // nil without verify
	inspect    bool
	purposes   purpose.Sequences
	detections detections
}

// prober says whether a sinkhole takes mail.
type prober interface {
	Up() bool
	Release()
}

// Index returns the protected names in force.
func (p *Policy) Index() *detect.Index { return p.lists.Load().index }

// Allowed reports whether qname, or a name above it, is on the allow list.
func (p *Policy) Allowed(qname string) bool { return p.lists.Load().allow.Contains(qname) }

// Action returns what is done for a verdict of this class and confidence.
func (p *Policy) Action(class detect.Class, confidence detect.Confidence) Action {
	return p.actions[class][confidence]
}

// Alerts returns where the policy's alerts go.
func (p *Policy) Alerts() alert.Config { return p.alerts }

// Block returns the first key of the policy's server block: "dns://.:53".
func (p *Policy) Block() string { return p.block }

// Verifies reports whether names that resemble nothing are looked for under the
// protected TLDs.
func (p *Policy) Verifies() bool { return p.verifier != nil }

// Inspects reports whether the targets in upstream's answers are looked at.
func (p *Policy) Inspects() bool { return p.inspect }

// inScope reports whether client is in scope.
func (p *Policy) inScope(client netip.Addr) bool {
	return len(p.clients) == 0 ||
		slices.ContainsFunc(p.clients, func(prefix netip.Prefix) bool { return prefix.Contains(client) })
}

// withFallback returns what is done instead of a: the same with the addresses
// that answer, or NXDOMAIN where there are none.
func (p *Policy) withFallback(a Action) Action {
	if a.Kind != record.Sinkhole || a.unchecked {
		return a
	}
	down := func(address netip.Addr) bool {
		host, ok := p.probes[address]
		return ok && !host.Up()
	}
	if !slices.ContainsFunc(a.addresses, down) {
		return a
	}
	up := slices.DeleteFunc(slices.Clone(a.addresses), down)
	if len(up) == 0 {
		return Action{Kind: record.NXDomain}
	}
	a.addresses = up
	return a
}

// sinkholes returns the addresses that the policy leads to and ok holds for,
// each once.
func (p *Policy) sinkholes(ok func(Action, netip.Addr) bool) []netip.Addr {
	var addresses []netip.Addr
	for _, row := range p.actions {
		for _, a := range row {
			for _, address := range a.addresses {
				if ok(a, address) && !slices.Contains(addresses, address) {
					addresses = append(addresses, address)
				}
			}
		}
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	return addresses
}

// privateSinkholes returns the private addresses (RFC 1918, RFC 4193).
func (p *Policy) privateSinkholes() []netip.Addr {
	return p.sinkholes(func(_ Action, address netip.Addr) bool { return address.IsPrivate() })
}

// checkedSinkholes returns the addresses that are to be probed.
func (p *Policy) checkedSinkholes() []netip.Addr {
	return p.sinkholes(func(a Action, _ netip.Addr) bool { return !a.unchecked })
}
