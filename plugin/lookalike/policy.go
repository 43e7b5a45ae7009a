package lookalike

import (
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
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

	pipeline *alert.Pipeline // set by start

	responders *responders // nil where no sinkhole is checked
	verifier   *verifier   // nil without verify
	inspect    bool
	sequences  sequences
	detections detections
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

// covers reports whether client is in scope.
func (p *Policy) covers(client netip.Addr) bool {
	return len(p.clients) == 0 ||
		slices.ContainsFunc(p.clients, func(prefix netip.Prefix) bool { return prefix.Contains(client) })
}

// Decision is what a policy makes of a queried name.
type Decision struct {
	Policy  *Policy
	Verdict *detect.Verdict
	Action  Action
	Allowed bool   // the name is on the allow list, so Action is not taken
	Via     string // the name that was asked for, where Verdict is about a target in its answer
	viaType uint16 // of the record that leads to the target
}

// judge returns what the policy makes of qname, whoever asks; false where the
// name resembles nothing or its action is off.
func (p *Policy) judge(qname string) (Decision, bool) {
	f := p.lists.Load().find(qname)
	if f == nil {
		return Decision{}, false
	}
	a := p.responders.reachable(p.Action(f.verdict.Class, f.verdict.Confidence))
	return Decision{Policy: p, Verdict: f.verdict, Action: a, Allowed: f.allowed}, a.kind != actionOff
}

// Decide returns what the first of the policies that has something to do about
// qname does, whoever asks. Where none has, but one would if the name were not
// allowed, its decision says so. It returns false where the name resembles
// nothing or its action is off.
func Decide(policies []*Policy, qname string) (Decision, bool) {
	var allowed Decision
	for _, p := range policies {
		d, ok := p.judge(qname)
		switch {
		case !ok:
		case !d.Allowed:
			return d, true
		case allowed.Policy == nil:
			allowed = d
		}
	}
	return allowed, allowed.Policy != nil
}
