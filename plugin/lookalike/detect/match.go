package detect

import (
	"fmt"
	"slices"
	"strings"
)

// Match compares qname, in presentation form, with the protected names. It
// returns nil and false, without allocating, when it resembles none.
func (x *Index) Match(qname string) (*Verdict, bool) {
	if !x.Watched(qname) {
		return nil, false
	}
	var n name
	if !n.parse(qname) || n.labels < 2 {
		return nil, false
	}
	v := &Verdict{Name: n.text(0, n.labels), Confidence: High}
	hi := n.labels - 1
	for i := range x.tlds {
		if string(n.label(hi)) == x.tlds[i].label {
			if _, ok := x.tlds[i].suffixes[string(n.label(hi-1))]; ok {
				hi--
			}
			break
		}
	}
	lo := 0
	for i := range hi {
		if n.label(i)[0] == '_' {
			lo = i + 1
		}
	}
	v.Service = n.text(0, lo)
	if lo >= hi {
		return nil, false
	}
	v.Registrable = n.text(hi-1, n.labels)
	add := func(i int, ids []int) {
		for _, id := range ids {
			did := x.names[id].full
			if i > lo {
				did = n.text(lo, i) + "." + did
			}
			m := Match{x.names[id].full, did}
			if !slices.Contains(v.Matches, m) {
				v.Matches = append(v.Matches, m)
			}
		}
	}
	for i := lo; i < hi; i++ {
		add(i, x.exact[n.text(i, hi)])
	}
	for _, b := range x.bare {
		v.Matches = append(v.Matches, Match{b, n.text(lo, hi) + "." + b})
	}
	if len(v.Matches) > 0 {
		v.Class = TLDSwap
		v.Reason = fmt.Sprintf("%s is %s under another TLD", n.text(lo, n.labels), v.Matches[0].DidYouMean)
		return v, true
	}
	if last := n.text(hi-1, hi); x.kept[last] && hi-1 > lo {
		for i := lo; i < hi-1; i++ {
			add(i, x.exact[n.text(i, hi-1)])
		}
		if len(v.Matches) == 0 {
			v.Matches = []Match{{last, n.text(lo, hi)}}
		}
		v.Class = TLDKept
		v.Reason = fmt.Sprintf("%s lies under %q, which keeps the TLD %q", n.text(lo, n.labels), n.text(hi-1, n.labels), last)
		return v, true
	}
	for k := range x.kept {
		last := n.text(hi-1, hi)
		rest, ok := strings.CutSuffix(last, k)
		if !ok || rest == "" {
			continue
		}
		for i := max(lo, hi-4); i < hi; i++ {
			s := join(n.text(i, hi))
			add(i, x.joined[strings.TrimSuffix(s, k)])
		}
		if len(v.Matches) > 0 {
			v.Class = TLDKept
			v.Reason = fmt.Sprintf("label %q keeps the TLD %q of %s", last, k, v.Matches[0].Protected)
			return v, true
		}
	}
	for i := max(lo, hi-4); i < hi; i++ {
		if s := join(n.text(i, hi)); len(s) >= 4 {
			for _, id := range x.joined[s] {
				core := x.names[id].core
				if strings.ContainsAny(core, ".-") && separators(core) >= separators(n.text(i, hi)) {
					add(i, []int{id})
				}
			}
		}
	}
	if len(v.Matches) > 0 {
		v.Class = Separator
		v.Reason = fmt.Sprintf("%q is %q but for dots and hyphens", n.text(lo, hi), v.Matches[0].Protected)
		return v, true
	}
	return nil, false
}

func separators(s string) int { return strings.Count(s, ".") + strings.Count(s, "-") }

// Explain returns, step by step and for people, why qname matches or not.
func (x *Index) Explain(qname string) []string {
	if !x.Watched(qname) {
		return []string{"the name lies under no lookalike TLD"}
	}
	v, ok := x.Match(qname)
	if !ok {
		return []string{"the name resembles no protected name"}
	}
	return []string{v.Reason}
}
