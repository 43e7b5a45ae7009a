package monitoring

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// Where the SOC's files are.
const (
	rulesFile     = soc + "/prometheus/rules.yaml"
	ruleTestsFile = soc + "/prometheus/tests.yaml"
	soc           = "../../build/soc"
)

// rule is an alerting rule of Prometheus.
type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

// rules reads the alerting rules.
func rules(tb testing.TB) []rule {
	tb.Helper()
	text, err := os.ReadFile(rulesFile)
	if err != nil {
		tb.Fatal(err)
	}
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(text, &file); err != nil {
		tb.Fatalf("%s: %v", rulesFile, err)
	}
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) < 20 {
		tb.Fatalf("%s has %d rules, there are more", rulesFile, len(all))
	}
	return all
}

// TestRules checks what promtool does not: that each rule has what the person on
// duty needs, and a unit test.
func TestRules(t *testing.T) {
	tests, err := os.ReadFile(ruleTestsFile)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, r := range rules(t) {
		if seen[r.Alert] {
			t.Errorf("%s: two rules have this name", r.Alert)
		}
		seen[r.Alert] = true
		if !strings.HasPrefix(r.Alert, "Lookalike") {
			t.Errorf("%s: the name does not begin with Lookalike", r.Alert)
		}
		switch r.Labels["severity"] {
		case "critical", "warning", "info":
		default:
			t.Errorf("%s: severity %q, want critical, warning or info", r.Alert, r.Labels["severity"])
		}
		for _, name := range []string{"summary", "description"} {
			if s := r.Annotations[name]; !strings.HasSuffix(s, ".") {
				t.Errorf("%s: the %s is no sentence: %q", r.Alert, name, s)
			}
		}
		if strings.Contains(r.Annotations["summary"], "{{") {
			t.Errorf("%s: the summary differs from alert to alert, so they cannot be grouped by it", r.Alert)
		}
		if !strings.Contains(string(tests), `{alertname="`+r.Alert+`"}`) {
			t.Errorf("%s: no unit test in %s has it fire", r.Alert, ruleTestsFile)
		}
	}
}

// single are the rules that must see one event. Their counters may begin with it.
var single = regexp.MustCompile(`increase\((\w+(?:\{[^}]*\})?)\[10m\]\) > 0`)

// TestFirstEvent: increase() does not see the first value of a counter, so each
// rule for a single event has a part that does. A rule with a duration waits for
// more events anyway.
func TestFirstEvent(t *testing.T) {
	found := 0
	for _, r := range rules(t) {
		m := single.FindStringSubmatch(r.Expr)
		if m == nil || r.For != "" {
			continue
		}
		found++
		if expr := strings.Join(strings.Fields(r.Expr), " "); !strings.Contains(expr, m[1]+" unless "+m[1]+" offset 10m") {
			t.Errorf("%s misses the event that a counter begins with: %s", r.Alert, expr)
		}
	}
	if found < 5 {
		t.Errorf("%d rules are for single events, there are more", found)
	}
}
