package lookalike

import (
	"net/netip"
	"strings"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/address"
)

// query is one question about a name on its way through the plugin. Names that
// pass cost no allocation: a query is passed on by a pointer that is not kept.
type query struct {
	w dns.ResponseWriter // nil where the question does not come by DNS, as is r
	r *dns.Msg

	name     string       // asked about, in presentation form and of any case
	policies []*Policy    // in their order, from the first that watches over the TLD of name
	anyone   bool         // every client is in scope
	exact    bool         // compare only with MatchExact
	allowed  *Policy      // the last by whose exceptions the name passes
	class    detect.Class // of the lookalike that it is there
	from     netip.AddrPort
}

func newQuery(w dns.ResponseWriter, r *dns.Msg, watching []*Policy) query {
	return query{w: w, r: r, name: r.Question[0].Name, policies: watching}
}

// about returns a question about a name, for which every client is in scope.
func about(policies []*Policy, name string) query {
	return query{name: name, policies: watching(policies, name), anyone: true}
}

// client returns the client's address without a zone.
func (q *query) client() netip.AddrPort {
	if !q.from.IsValid() && q.w != nil {
		q.from = address.Of(q.w.RemoteAddr())
	}
	return q.from
}

// watching returns the policies from the first on that watches over the TLD of
// name; none where none does.
func watching(policies []*Policy, name string) []*Policy {
	for i, p := range policies {
		if p.Index().Watched(name) {
			return policies[i:]
		}
	}
	return nil
}

// scheme returns what comes before the address of a server: "dns" of "dns://:53".
func scheme(server string) string {
	scheme, _, _ := strings.Cut(server, ":")
	return scheme
}
