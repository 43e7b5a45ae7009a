package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert"
)

// finding is the result for a name that resembles a protected one.
type finding struct {
	lookalike.Opinion
	idle    string          // why the server does nothing about it; empty: it does
	origin  string          // the directive, for people
	where   string          // its file and line; empty for the defaults
	steps   func() []string // why, for people
	listed  func() string   // where the protected name, or the exception, is listed; reads files
	besides []string        // what other directives make of it, for people
}

// allowed reports whether an allow line lets the name through.
func (f *finding) allowed() bool { return f.idle == "" && f.Outcome == lookalike.Allowed }

// decider asks the plugin what it makes of names.
type decider struct {
	file     *lookalike.Corefile
	corefile string     // its path; empty: the defaults
	client   netip.Addr // who asks; the zero value is in scope everywhere
}

// newDecider reads a Corefile or, without one, the defaults.
func newDecider(e *env, corefile string, client netip.Addr) (*decider, error) {
	if corefile == "" {
		file, err := lookalike.Default()
		return &decider{file: file, client: client}, err
	}
	file, err := e.load(corefile)
	if err != nil {
		return nil, err
	}
	for _, p := range file.Policies {
		refused, _ := alert.Check(p.Alerts())
		for _, err := range refused {
			fmt.Fprintf(e.stderr, "lookalike: the server would not start: %s\n", display(err.Error()))
		}
	}
	return &decider{file, corefile, client}, nil
}

// protectedAt returns where the name is itself listed for protection, or an
// empty string. It reads the lists again.
func (d *decider) protectedAt(name string) string {
	for _, p := range d.file.Policies {
		if at := p.ProtectedAt(name); at != "" {
			return at
		}
	}
	return ""
}

// more says which other names the server may block, because it asks the DNS
// about them.
func (d *decider) more() string {
	var on []string
	if slices.ContainsFunc(d.file.Policies, (*lookalike.Policy).Verifies) {
		on = append(on, "verify")
	}
	if slices.ContainsFunc(d.file.Policies, (*lookalike.Policy).Inspects) {
		on = append(on, "inspect")
	}
	if len(on) == 0 {
		return ""
	}
	return fmt.Sprintf("%s has %s, for which the server asks the DNS: it may block names that resemble nothing here",
		d.corefile, strings.Join(on, " and "))
}

// decide returns the finding of the first directive that acts on the name,
// among those that the server asks. If none acts, since the name is allowed or
// the action is off, it returns that of the first directive for which the name
// resembles something. If the server asks no directive, or none is for the
// client, the finding says why nothing is done. It is nil for a name that
// resembles nothing.
func (d *decider) decide(name string) *finding {
	policies, idle := d.file.Serving(name), ""
	if len(policies) == 0 {
		policies, idle = d.file.Policies, unserved
	}
	opinions := lookalike.Explain(policies, name, d.client)
	i := deciding(opinions)
	if i < 0 && d.client.IsValid() {
		anyone := lookalike.Explain(policies, name, netip.Addr{})
		if i = deciding(anyone); i >= 0 {
			opinions = anyone
			idle = cmp.Or(idle, fmt.Sprintf("%v is not among the clients of %s", d.client, policies[i].Where()))
		}
	}
	if i < 0 {
		return nil
	}
	o := opinions[i]
	f := &finding{Opinion: o, idle: idle, besides: besides(opinions, i)}
	f.steps = func() []string { return o.Policy.Index().Explain(name) }
	f.listed = func() string {
		if o.Outcome == lookalike.Allowed {
			return o.Policy.AllowedAt(name)
		}
		return o.Policy.ProtectedAt(o.Verdict.Matches[0].Protected)
	}
	f.origin = "the default actions"
	if d.corefile != "" {
		f.where = o.Policy.Where()
		f.origin = fmt.Sprintf("the directive at %s, server block %s", f.where, o.Policy.Block())
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
			notes = append(notes, fmt.Sprintf("the directive at %s allows the name, which holds for that directive alone", where))
		case o.Outcome == lookalike.TurnedOff:
			notes = append(notes, fmt.Sprintf("the directive at %s has the action off for it", where))
		case o.Outcome == lookalike.OutOfScope:
			notes = append(notes, fmt.Sprintf("the directive at %s is not for this client", where))
		}
	}
	return notes
}

// unserved is the reason for names about which the server asks no directive.
const unserved = "no server block that answers for the name has a lookalike directive"

// explain says, step by step, why the name resembles nothing.
func (d *decider) explain(name string) []string {
	policies := d.file.Serving(name)
	if len(policies) == 0 {
		return []string{unserved}
	}
	var steps []string
	for _, p := range policies {
		steps = append(steps, p.Index().Explain(name)...)
	}
	return steps
}
