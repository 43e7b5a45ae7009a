package lookalike

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// summary describes the directive in one line.
func (p *Policy) summary() string {
	s := fmt.Sprintf("%s: guards %s below %s; %s; clients: %s; alerts to %s",
		p.where, count(p.Index().Len(), "protected name"), tldsForPeople(p.tlds), p.mode(), p.scope(), p.receivers())
	if allowed := p.lists.Exceptions(); allowed != "" {
		s += "; " + allowed
	}
	if p.Verifies() {
		s += "; verify"
	}
	if p.Inspects() {
		s += "; inspect"
	}
	return s
}

// tldsForPeople lists lookalike TLDs.
func tldsForPeople(tlds []string) string {
	if slices.Contains(tlds, detect.AnyTLD) {
		return "every TLD"
	}
	return text.Join(tlds, "and")
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

// mode is the action for each confidence, and for the classes that have one of
// their own.
func (p *Policy) mode() string {
	var parts []string
	base := make(map[detect.Confidence]string)
	for _, confidence := range []detect.Confidence{detect.High, detect.Medium, detect.Low} {
		times := make(map[string]int)
		for _, class := range detect.Classes() {
			a := p.Action(class, confidence).String()
			if times[a]++; times[a] > times[base[confidence]] || base[confidence] == "" {
				base[confidence] = a
			}
		}
		parts = append(parts, confidence.String()+" "+base[confidence])
	}
	for _, class := range detect.Classes() {
		own := p.Action(class, detect.High).String()
		if own == p.Action(class, detect.Medium).String() && own == p.Action(class, detect.Low).String() &&
			(own != base[detect.High] || own != base[detect.Medium] || own != base[detect.Low]) {
			parts = append(parts, class.String()+" "+own)
		}
	}
	return strings.Join(parts, ", ")
}

// maxListed is how many items of a kind a summary lists.
const maxListed = 4

// scope describes the clients of the directive.
func (p *Policy) scope() string {
	if len(p.clients) == 0 {
		return "all"
	}
	var clients []string
	for _, prefix := range p.clients {
		clients = append(clients, prefix.String())
	}
	return some(clients)
}

// receivers describes the destinations of the alerts.
func (p *Policy) receivers() string {
	var names []string
	for _, d := range p.alerts.Destinations {
		if name := d.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "stdout"
	}
	return some(names)
}

// some lists the first items, and says how many others there are.
func some(items []string) string {
	if more := len(items) - maxListed; more > 1 {
		items = append(slices.Clone(items[:maxListed]), fmt.Sprintf("%d more", more))
	}
	return text.Join(items, "and")
}
