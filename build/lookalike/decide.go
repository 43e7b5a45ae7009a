package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

// finding is what was found about a name that resembles a protected one.
type finding struct {
	lookalike.Opinion
	served bool            // a directive is asked about the name; otherwise nothing is done
	steps  func() []string // why, for people
	origin string          // the directive, for people
}

// allowed reports whether an allow line lets the name through.
func (f *finding) allowed() bool { return f.served && f.Outcome == lookalike.Allowed }

// decider asks the plugin what it makes of names.
type decider struct {
	file     *lookalike.Corefile
	corefile string // its path; empty: the defaults
}

// newDecider reads a Corefile or, without one, the defaults.
func newDecider(e *env, corefile string) (*decider, error) {
	if corefile == "" {
		file, err := lookalike.Default()
		return &decider{file: file}, err
	}
	file, err := e.load(corefile)
	return &decider{file, corefile}, err
}

// more says which names the server may block besides, because it asks the DNS
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

// decide returns what the first directive that has something to do about the
// name says, of those that the server asks. Where none has, because the name is
// allowed or the action is off, it returns what the first says that the name
// resembles something for. Where the server asks no directive, it does nothing
// about what the name resembles. nil is a name that resembles nothing.
func (d *decider) decide(name string) *finding {
	policies := d.file.Serving(name)
	served := len(policies) > 0
	if !served {
		policies = d.file.Policies
	}
	opinions := lookalike.Explain(policies, name, netip.Addr{})
	i := slices.IndexFunc(opinions, func(o lookalike.Opinion) bool { return o.Outcome == lookalike.Acts })
	if i < 0 {
		i = slices.IndexFunc(opinions, func(o lookalike.Opinion) bool { return o.Verdict != nil })
	}
	if i < 0 {
		return nil
	}
	o := opinions[i]
	return &finding{o, served, func() []string { return o.Policy.Index().Explain(name) }, d.origin(o.Policy)}
}

// origin names a directive for people.
func (d *decider) origin(p *lookalike.Policy) string {
	if d.corefile == "" {
		return "the default actions"
	}
	return fmt.Sprintf("server block %s of %s", p.Block(), d.corefile)
}

// unserved is said of names that the server asks no directive about.
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
