// Package judge judges names by a Corefile as the server would: it determines the
// directive that decides, and its action.
package judge

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

// Finding is the result for a name that resembles a protected one.
type Finding struct {
	lookalike.Opinion
	Idle    string          // why the server does nothing about it; empty: it does
	Origin  string          // the directive, for people
	Where   string          // its file and line; empty for the defaults
	Steps   func() []string // why, for people
	Listed  func() string   // where the protected name, or the exception, is listed; reads files
	Besides []string        // what other directives make of it, for people
}

// Allowed reports whether an allow line lets the name through.
func (f *Finding) Allowed() bool { return f.Idle == "" && f.Outcome == lookalike.Allowed }

// ActionAllow is the action of a name that an allow line lets through.
const ActionAllow = "allow"

// ActionName is the action of the server in one word, or "" if no directive asks for
// one.
func (f *Finding) ActionName() string {
	switch {
	case f.Idle != "":
		return ""
	case f.Allowed():
		return ActionAllow
	}
	return f.Action.String()
}

// Judge judges names with the code of the plugin. It is safe for concurrent use.
type Judge struct {
	file     *lookalike.Corefile
	corefile string // its path; empty: the defaults
}

// New returns a judge by the directives of file, which was read from the path
// corefile, or is the default one where that is empty.
func New(file *lookalike.Corefile, corefile string) *Judge { return &Judge{file, corefile} }

// TLDs returns the lookalike TLDs of all directives.
func (j *Judge) TLDs() []string {
	var all []string
	for _, p := range j.file.Policies {
		all = append(all, p.TLDs()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Protected returns the number of names that the directives protect. A name that two
// directives protect counts twice.
func (j *Judge) Protected() int {
	n := 0
	for _, p := range j.file.Policies {
		n += p.Index().Len()
	}
	return n
}

// Corefile returns the path that the directives were read from, empty for the
// defaults.
func (j *Judge) Corefile() string { return j.corefile }

// ProtectedAt returns where the name is itself listed for protection, or an
// empty string. It reads the lists again.
func (j *Judge) ProtectedAt(name string) string {
	for _, p := range j.file.Policies {
		if at := p.ProtectedAt(name); at != "" {
			return at
		}
	}
	return ""
}

// More describes other names that the server may block after a DNS lookup.
func (j *Judge) More() string {
	var on []string
	if slices.ContainsFunc(j.file.Policies, (*lookalike.Policy).Verifies) {
		on = append(on, "verify")
	}
	if slices.ContainsFunc(j.file.Policies, (*lookalike.Policy).Inspects) {
		on = append(on, "inspect")
	}
	if len(on) == 0 {
		return ""
	}
	return fmt.Sprintf("%s has %s: the server may also block names that resemble nothing here",
		j.corefile, strings.Join(on, " and "))
}

// Decide returns the finding of the first directive that acts on the name,
// among those that the server asks. If none acts, since the name is allowed or
// the action is off, it returns that of the first directive for which the name
// resembles something. If the server asks no directive, or none is for the
// client, the finding says why nothing is done. It is nil for a name that
// resembles nothing. The zero client is in scope everywhere.
func (j *Judge) Decide(name string, client netip.Addr) *Finding {
	policies, idle := j.file.Serving(name), ""
	if len(policies) == 0 {
		policies, idle = j.file.Policies, unserved
	}
	opinions := lookalike.Explain(policies, name, client)
	i := deciding(opinions)
	if i < 0 && client.IsValid() {
		anyone := lookalike.Explain(policies, name, netip.Addr{})
		if i = deciding(anyone); i >= 0 {
			opinions = anyone
			idle = cmp.Or(idle, fmt.Sprintf("%v is not among the clients of %s", client, policies[i].Where()))
		}
	}
	if i < 0 {
		return nil
	}
	o := opinions[i]
	f := &Finding{Opinion: o, Idle: idle, Besides: besides(opinions, i)}
	f.Steps = func() []string { return o.Policy.Index().Explain(name) }
	f.Listed = func() string {
		if o.Outcome == lookalike.Allowed {
			return cmp.Or(o.Exception.Where(), o.Policy.AllowedAt(name))
		}
		return o.Policy.ProtectedAt(o.Verdict.Matches[0].Protected)
	}
	f.Origin = "the default actions"
	if j.corefile != "" {
		f.Where = o.Policy.Where()
		f.Origin = fmt.Sprintf("the directive at %s, server block %s", f.Where, o.Policy.Block())
	}
	return f
}

// deciding returns the index of the opinion that counts, or -1.
func deciding(opinions []lookalike.Opinion) int {
	i := slices.IndexFunc(opinions, func(o lookalike.Opinion) bool { return o.Outcome == lookalike.Acts })
	if i < 0 {
		i = slices.IndexFunc(opinions, func(o lookalike.Opinion) bool { return o.Verdict != nil })
	}
	return i
}

// besides returns notes on the directives that do not decide, where a reader
// may have expected another outcome.
func besides(opinions []lookalike.Opinion, decides int) (notes []string) {
	for i, o := range opinions {
		where := o.Policy.Where()
		switch {
		case i == decides:
		case o.Outcome == lookalike.Allowed:
			notes = append(notes, fmt.Sprintf("the directive at %s allows the name, but only for itself", where))
		case o.Outcome == lookalike.TurnedOff:
			notes = append(notes, fmt.Sprintf("the directive at %s sets the action off for it", where))
		case o.Outcome == lookalike.OutOfScope:
			notes = append(notes, fmt.Sprintf("the directive at %s is not for this client", where))
		}
	}
	return notes
}

// unserved is the reason for names about which the server asks no directive.
const unserved = "no server block that answers for the name has a lookalike directive"

// Explain explains, step by step, why the name resembles nothing.
func (j *Judge) Explain(name string) []string {
	policies := j.file.Serving(name)
	if len(policies) == 0 {
		return []string{unserved}
	}
	var steps []string
	for _, p := range policies {
		steps = append(steps, p.Index().Explain(name)...)
	}
	return steps
}
