package lookalike

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/action"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
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
	actions *action.Table
	ttl     uint32        // seconds, of every answer
	reload  time.Duration // between looks at the files; 0: never
	alerts  alert.Config

	lists    atomic.Pointer[lists]
	swapping sync.Mutex // of lists

	pipeline *alert.Pipeline       // set by start
	probes   map[netip.Addr]prober // of the sinkholes that are checked; set by start

	listeners func() (servers []string, view string) // known once the servers are made

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
func (p *Policy) Action(class detect.Class, confidence detect.Confidence) action.Action {
	return p.actions[class][confidence]
}

// Alerts returns where the policy's alerts go.
func (p *Policy) Alerts() alert.Config { return p.alerts }

// Where returns the file and line of the directive.
func (p *Policy) Where() string { return p.where }

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

// withFallback returns what is done instead of a, where that is a sinkhole and
// does not answer.
func (p *Policy) withFallback(a action.Action) action.Action {
	return a.Available(func(address netip.Addr) bool {
		host, ok := p.probes[address]
		return !ok || host.Up()
	})
}
