//go:build e2e

package monitoring

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// export is what a server exports: of each metric, its labels.
type export map[string][]string

// parseExport reads the text that Prometheus reads.
func parseExport(t *testing.T, text string) export {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	all := export{"up": nil}
	for name, family := range families {
		labels := make(map[string]bool)
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		names := slices.Sorted(maps.Keys(labels))
		if family.GetType() == dto.MetricType_HISTOGRAM {
			all[name+"_count"], all[name+"_sum"] = names, names
			all[name+"_bucket"] = append(slices.Clone(names), "le")
			continue
		}
		all[name] = names
	}
	return all
}

var (
	matcher   = regexp.MustCompile(`[{,]\s*(\w+)\s*[=!]`)
	modifiers = regexp.MustCompile(`\b(?:by|without|on|ignoring|group_left)\s*\(([^)]*)\)`)
	shown     = regexp.MustCompile(`\$labels\.(\w+)|\{\{\s*(\w+)\s*\}\}`)
)

// check reports the metrics of an expression that the server does not export, and
// the labels, of the expression or of a text that shows its result, that they do
// not have.
func (e export) check(t *testing.T, expr, texts string) {
	t.Helper()
	have := []string{"job", "instance"} // by Prometheus
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		labels, ok := e[m[1]]
		if !ok {
			t.Errorf("The server does not export %s of %s", m[1], expr)
		}
		have = append(have, labels...)
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(append(labels, "job", "instance"), l[1]) {
				t.Errorf("%s has no label %s: %s", m[1], l[1], expr)
			}
		}
	}
	var named []string
	for _, m := range modifiers.FindAllStringSubmatch(expr, -1) {
		named = append(named, strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	for _, m := range shown.FindAllStringSubmatch(texts, -1) {
		named = append(named, m[1]+m[2])
	}
	for _, l := range named {
		if !slices.Contains(have, l) {
			t.Errorf("No metric has the label %s: %s %s", l, expr, texts)
		}
	}
}

// checkRules looks at what Prometheus itself says of each rule.
func (p prometheus) checkRules(t *testing.T) {
	t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	p.get(t, "rules", &data)
	n := 0
	for _, g := range data.Groups {
		for _, r := range g.Rules {
			n++
			if r.Health != "ok" {
				t.Errorf("%s is %s: %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	if want := len(rules(t)); n != want {
		t.Errorf("Prometheus has %d rules, want %d", n, want)
	}
}

// checkRuleQueries asks for everything that the expressions of the rules select: a
// selector that finds nothing is misspelt. What they compare it with is for the
// unit tests.
func (p prometheus) checkRuleQueries(t *testing.T, e export) {
	t.Helper()
	for _, r := range rules(t) {
		e.check(t, r.Expr, r.Annotations["description"])
		for _, m := range selector.FindAllStringSubmatch(r.Expr, -1) {
			if len(p.query(t, m[0])) == 0 {
				t.Errorf("%s: nothing is %s", r.Alert, m[0])
			}
		}
	}
}

// checkDashboard asks what each panel asks. There must be an answer, also for what
// the reader chooses from, and each legend must name labels of it.
func (p prometheus) checkDashboard(t *testing.T, e export) {
	t.Helper()
	chosen := strings.NewReplacer("$job", ".+", "$instance", ".+", "$__rate_interval", "30s", "$__range", "1h")
	for _, panel := range readDashboard(t).Panels {
		for _, q := range panel.queries(t) {
			e.check(t, q.Expr, q.LegendFormat)
			series := p.query(t, chosen.Replace(q.Expr))
			if len(series) == 0 {
				t.Errorf("%s: no data for %s", panel.Title, q.Expr)
			}
			for _, m := range shown.FindAllStringSubmatch(q.LegendFormat, -1) {
				for _, labels := range series {
					if _, ok := labels[m[2]]; !ok && m[2] != "view" { // an empty label is none
						t.Errorf("%s: the legend names the label %s, which the answer lacks: %v", panel.Title, m[2], labels)
					}
				}
			}
		}
	}
}

// checkReadmes compares what the server exports with the list of each README, both
// ways.
func checkReadmes(t *testing.T, e export) {
	t.Helper()
	documented := make(export)
	for _, name := range []string{"lookalike", "rpz", "smtpreject"} {
		text, err := os.ReadFile("../../plugin/" + name + "/README.md")
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("`(coredns_"+name+`_\w+)(?:\{([\w, ]+)\})?`+"`").FindAllStringSubmatch(string(text), -1) {
			labels := strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ' ' })
			if documented[m[1]] == nil || len(labels) > 0 { // the text names some without their labels
				slices.Sort(labels)
				documented[m[1]] = labels
			}
		}
	}
	for name, labels := range documented {
		got, ok := e[name]
		switch {
		case !ok:
			t.Errorf("The README has %s, which the server does not export", name)
		case strings.Join(got, " ") != strings.Join(labels, " "):
			t.Errorf("%s has the labels %q, and in the README %q", name, got, labels)
		}
	}
	for name := range e {
		ours := strings.HasPrefix(name, "coredns_lookalike_") || strings.HasPrefix(name, "coredns_rpz_") || strings.HasPrefix(name, "coredns_smtpreject_")
		if _, ok := documented[name]; ours && !ok {
			t.Errorf("The server exports %s, of which no README tells", name)
		}
	}
}

// checkPages: a metric that a page of the runbook names exists. A name may be the
// beginning of several.
func checkPages(t *testing.T, e export) {
	t.Helper()
	for _, page := range pages(t) {
		for _, name := range regexp.MustCompile(`\bcoredns_\w+`).FindAllString(page.text, -1) {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(e)), func(m string) bool { return strings.HasPrefix(m, name) }) {
				t.Errorf("%s: no metric is or begins with %s", page.name, name)
			}
		}
	}
}
