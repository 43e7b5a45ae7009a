package main

import (
	"fmt"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
)

// finding is what was found about a name that resembles a protected one.
type finding struct {
	verdict *detect.Verdict
	action  string // as in the Corefile
	allowed bool   // an allow line lets the name through, whatever action says
	rule    *rule
}

// rule is what one lookalike directive says.
type rule struct {
	match   func(qname string) (*detect.Verdict, bool)
	explain func(qname string) []string
	allowed func(qname string) bool
	action  func(detect.Class, detect.Confidence) string
	origin  string // for people
}

// decider holds the rules in their order.
type decider struct{ rules []rule }

// newDecider reads the rules of a Corefile or, without one, the defaults.
func newDecider(corefile string) (*decider, error) {
	if corefile == "" {
		return defaults()
	}
	policies, err := lookalike.Load(corefile)
	if err != nil {
		return nil, err
	}
	d := new(decider)
	for _, p := range policies {
		d.rules = append(d.rules, rule{
			match:   p.Index().Match,
			explain: p.Index().Explain,
			allowed: p.Allowed,
			action:  func(c detect.Class, f detect.Confidence) string { return p.Action(c, f).String() },
			origin:  fmt.Sprintf("server block %s of %s", p.Block(), corefile),
		})
	}
	return d, nil
}

// defaults is what a directive without a block says.
func defaults() (*decider, error) {
	index, err := detect.New(detect.Config{Protected: names.Default(), TLDs: []string{"ml"}})
	if err != nil {
		return nil, err
	}
	return &decider{[]rule{{
		match:   index.Match,
		explain: index.Explain,
		allowed: func(string) bool { return false },
		action: func(_ detect.Class, f detect.Confidence) string {
			if f == detect.High {
				return "nxdomain"
			}
			return "monitor"
		},
		origin: "the default actions",
	}}}, nil
}

// decide returns what the first rule that has something to do about the name
// says. Where none has, because the name is allowed or the action is off, it
// returns the first that matches; nil where the name resembles nothing.
func (d *decider) decide(name string) *finding {
	var passed *finding
	for i := range d.rules {
		r := &d.rules[i]
		v, ok := r.match(name)
		if !ok {
			continue
		}
		f := &finding{verdict: v, action: r.action(v.Class, v.Confidence), allowed: r.allowed(name), rule: r}
		if !f.allowed && f.action != "off" {
			return f
		}
		if passed == nil {
			passed = f
		}
	}
	return passed
}

// explain says, step by step, why the name resembles nothing.
func (d *decider) explain(name string) []string {
	steps := make([]string, 0, len(d.rules))
	for i := range d.rules {
		steps = append(steps, d.rules[i].explain(name)...)
	}
	return steps
}
