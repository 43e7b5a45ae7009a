package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
)

// finding is what was found about a name that resembles a protected one.
type finding struct {
	verdict *detect.Verdict
	action  string // as in the Corefile; empty where no rule is asked about the name
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
type decider struct {
	rules   []*rule
	serving func(name string) []*rule // those that the server asks about name
	more    string                    // for people: what the server has beyond the rules; may be empty
}

// newDecider reads the rules of a Corefile or, without one, the defaults.
func newDecider(e *env, corefile string) (*decider, error) {
	if corefile == "" {
		return defaults()
	}
	file, err := e.load(corefile)
	if err != nil {
		return nil, err
	}
	d := &decider{more: beyond(file, corefile)}
	ruleOf := make(map[*lookalike.Policy]*rule)
	for _, p := range file.Policies {
		ruleOf[p] = &rule{
			match:   p.Index().Match,
			explain: p.Index().Explain,
			allowed: p.Allowed,
			action:  func(c detect.Class, f detect.Confidence) string { return p.Action(c, f).String() },
			origin:  fmt.Sprintf("server block %s of %s", p.Block(), corefile),
		}
		d.rules = append(d.rules, ruleOf[p])
	}
	d.serving = func(name string) []*rule {
		serving := file.Serving(name)
		rules := make([]*rule, 0, len(serving))
		for _, p := range serving {
			rules = append(rules, ruleOf[p])
		}
		return rules
	}
	return d, nil
}

// beyond says which names the server may block besides, because it asks the DNS
// about them.
func beyond(file *lookalike.Corefile, corefile string) string {
	var on []string
	if slices.ContainsFunc(file.Policies, (*lookalike.Policy).Verifies) {
		on = append(on, "verify")
	}
	if slices.ContainsFunc(file.Policies, (*lookalike.Policy).Inspects) {
		on = append(on, "inspect")
	}
	if len(on) == 0 {
		return ""
	}
	return fmt.Sprintf("%s has %s, for which the server asks the DNS: it may block names that resemble nothing here",
		corefile, strings.Join(on, " and "))
}

// defaults is what a directive without a block says.
func defaults() (*decider, error) {
	index, err := detect.New(detect.Config{Protected: names.Default(), TLDs: []string{"ml"}})
	if err != nil {
		return nil, err
	}
	rules := []*rule{{
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
	}}
	return &decider{rules: rules, serving: func(string) []*rule { return rules }}, nil
}

// decide returns what the first rule that has something to do about the name
// says, of those that the server asks. Where it asks none, the name resembles
// what it does, but nothing is done about it. nil is a name that resembles
// nothing.
func (d *decider) decide(name string) *finding {
	if rules := d.serving(name); len(rules) > 0 {
		return first(rules, name)
	}
	f := first(d.rules, name)
	if f != nil {
		f.action, f.allowed = "", false
	}
	return f
}

// first returns what the first rule that has something to do about the name
// says. Where none has, because the name is allowed or the action is off, it
// returns the first that matches; nil where none matches.
func first(rules []*rule, name string) *finding {
	var passed *finding
	for _, r := range rules {
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

// unserved is said of names that the server asks no rule about.
const unserved = "no server block that answers for the name has a lookalike directive"

// explain says, step by step, why the name resembles nothing.
func (d *decider) explain(name string) []string {
	rules := d.serving(name)
	if len(rules) == 0 {
		return []string{unserved}
	}
	var steps []string
	for _, r := range rules {
		steps = append(steps, r.explain(name)...)
	}
	return steps
}
