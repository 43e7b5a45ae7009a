package lookalike

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/action"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/lists"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/purpose"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/verify"
)

// Policy is one lookalike directive of a Corefile. Only its lists change after
// it was loaded; it is safe for concurrent use.
type Policy struct {
	block   string   // the server block's first key: "dns://.:53"
	where   string   // file and line of the directive, for messages
	tlds    []string // lower-case A-labels
	protect names.Spec
	allow   names.Spec
	clients []netip.Prefix // empty: everybody
	actions *action.Table
	ttl     uint32        // seconds, of every answer
	reload  time.Duration // between looks at the files; 0: never
	alerts  alert.Config

	lists *lists.Lists // set by load

	pipeline *alert.Pipeline       // set by start
	probes   map[netip.Addr]prober // of the sinkholes that are checked; set by start

	listeners func() (servers []string, view string) // known once the servers are made

	verifier   *verify.Verifier // nil without verify
	inspect    bool
	purposes   purpose.Sequences
	detections detections
}

// prober reports whether a sinkhole accepts SMTP connections.
type prober interface {
	Up() bool
	Release()
}

// load reads the lists and puts them in force.
func (p *Policy) load() error {
	p.lists = lists.New(lists.Config{Where: p.where, Block: p.block, TLDs: p.tlds, Protect: p.protect, Allow: p.allow, Reload: p.reload,
		Uses: p.alerts.Spool.Dir()})
	return p.lists.Load()
}

// listsOf returns the lists of policies that are loaded.
func listsOf(policies []*Policy) []*lists.Lists {
	all := make([]*lists.Lists, len(policies))
	for i, p := range policies {
		all[i] = p.lists
	}
	return all
}

// Lists returns the names of the directive.
func (p *Policy) Lists() *lists.Lists { return p.lists }

// Index returns the protected names in force.
func (p *Policy) Index() *detect.Index { return p.lists.Index() }

// Allowed reports whether qname, or a name above it, is on the allow list.
func (p *Policy) Allowed(qname string) bool { return p.lists.Allowed(qname) }

// ProtectedAt returns where a name, or the name that it lies below, is listed
// for protection: a line of the Corefile or of a file. It is empty where the
// name is not protected. It reads the files again.
func (p *Policy) ProtectedAt(name string) string { return p.lists.ProtectedAt(name) }

// AllowedAt returns where a name, or the name that it lies below, is listed as
// an exception, as ProtectedAt does.
func (p *Policy) AllowedAt(name string) string { return p.lists.AllowedAt(name) }

// Action returns the action for a verdict of this class and confidence.
func (p *Policy) Action(class detect.Class, confidence detect.Confidence) action.Action {
	return p.actions[class][confidence]
}

// Alerts returns the destinations of the policy's alerts.
func (p *Policy) Alerts() alert.Config { return p.alerts }

// Where returns the file and line of the directive.
func (p *Policy) Where() string { return p.where }

// Block returns the first key of the policy's server block: "dns://.:53".
func (p *Policy) Block() string { return p.block }

// Verifies reports whether the policy looks up the counterparts of names that resemble
// nothing listed.
func (p *Policy) Verifies() bool { return p.verifier != nil }

// Inspects reports whether the policy examines the targets in upstream's answers.
func (p *Policy) Inspects() bool { return p.inspect }

// inScope reports whether client is in scope.
func (p *Policy) inScope(client netip.Addr) bool {
	return len(p.clients) == 0 ||
		slices.ContainsFunc(p.clients, func(prefix netip.Prefix) bool { return prefix.Contains(client) })
}

// withFallback returns the action in place of a if a is a sinkhole that does not
// answer, and a otherwise.
func (p *Policy) withFallback(a action.Action) action.Action {
	return a.Available(func(address netip.Addr) bool {
		host, ok := p.probes[address]
		return !ok || host.Up()
	})
}

// doubts returns warnings about probable mistakes in the directive.
func (p *Policy) doubts() []string {
	doubts := p.lists.Doubts()
	if doubt := p.weakDoubt(); doubt != "" {
		doubts = append(doubts, doubt)
	}
	for _, address := range p.actions.Private() {
		doubts = append(doubts, fmt.Sprintf("%s: sinkhole %s is a private address: Exim as Debian configures it ignores those, and bounces without the sinkhole's text",
			p.where, address))
	}
	return doubts
}
