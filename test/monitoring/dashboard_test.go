package monitoring

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const dashboardFile = soc + "/grafana/lookalike.json"

// dashboard has what these tests look at.
type dashboard struct {
	UID, Title string
	Editable   *bool
	Templating struct{ List []variable }
	Panels     []panel
}

type variable struct {
	Name, Type, Label, AllValue string
	Datasource                  datasource
	Query                       json.RawMessage
	Refresh                     int
	Multi, IncludeAll           bool
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               datasource
	Targets                  []json.RawMessage
	FieldConfig              struct{ Defaults struct{ Unit string } }
}

type datasource struct{ Type, UID string }

// query is one of Prometheus, with all the keys that it may have.
type query struct {
	Datasource                                    datasource
	EditorMode, Expr, Format, LegendFormat, RefID string
	Instant, Range                                bool
}

// readDashboard reads the dashboard. TestDashboardSchema looks at the rest of it.
func readDashboard(tb testing.TB) (d dashboard) {
	tb.Helper()
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		tb.Fatal(err)
	}
	if err := json.Unmarshal(text, &d); err != nil {
		tb.Fatalf("%s: %v", dashboardFile, err)
	}
	d.Panels = slices.DeleteFunc(d.Panels, func(p panel) bool { return p.Type == "row" })
	if len(d.Panels) < 20 {
		tb.Fatalf("%s has %d panels, there are more", dashboardFile, len(d.Panels))
	}
	return d
}

// queries are what a panel asks Prometheus. A key that Grafana does not know is an
// error: it would pass over it.
func (p *panel) queries(tb testing.TB) []query {
	tb.Helper()
	var all []query
	for _, target := range p.Targets {
		var q query
		decoder := json.NewDecoder(bytes.NewReader(target))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&q); err != nil {
			tb.Fatalf("%s: %v in the query %s", p.Title, err, target)
		}
		all = append(all, q)
	}
	return all
}

// TestDashboard follows the rules of Grafana's dashboard-linter.
func TestDashboard(t *testing.T) {
	d := readDashboard(t)
	if d.UID != "lookalike" || d.Title == "" {
		t.Error("The dashboard has no fixed uid and title")
	}
	if d.Editable == nil || *d.Editable {
		t.Error("The dashboard can be edited, and the next import would undo that")
	}
	ids := make(map[int]string)
	for _, p := range d.Panels {
		name := p.Title
		if before := ids[p.ID]; before != "" {
			t.Errorf("%s and %s have the same id", before, name)
		}
		ids[p.ID] = name
		for _, problem := range panelProblems(p) {
			t.Errorf("%s: %s", name, problem)
		}
		for _, q := range p.queries(t) {
			for _, problem := range queryProblems(q) {
				t.Errorf("%s: %s: %s", name, problem, q.Expr)
			}
		}
	}
}

// panelProblems are the rules panel-datasource, panel-title-description, panel-units
// and panel-no-targets.
func panelProblems(p panel) (all []string) {
	if p.Datasource != ours {
		all = append(all, "the data source is not the variable")
	}
	if p.Title == "" || !strings.HasSuffix(p.Description, ".") {
		all = append(all, "no title, or no description")
	}
	if !slices.Contains(knownUnits, p.FieldConfig.Defaults.Unit) {
		all = append(all, "no unit, or one that Grafana does not have")
	}
	if len(p.Targets) == 0 {
		all = append(all, "no query")
	}
	return all
}

// knownUnits are those that the dashboard uses, as Grafana writes them.
var knownUnits = []string{"none", "short", "qps", "ops", "s", "percentunit", "bytes"}

// ours is the data source that the reader of the dashboard chooses.
var ours = datasource{"prometheus", "${datasource}"}

var (
	selector = regexp.MustCompile(`\b((?:coredns|process|go)_\w+|up)\b(\{[^}]*\})?`)
	ranges   = regexp.MustCompile(`(\w+)\([^()\[]*\[([^\]]+)\]`)
	counters = regexp.MustCompile(`(\w*)\(?\b\w+_(?:total|bucket|count)\b`)
)

// queryProblems are the rules target-job, target-instance, target-rate-interval and
// target-counter-agg.
func queryProblems(q query) (all []string) {
	if q.Datasource != ours {
		all = append(all, "the data source is not the variable")
	}
	for _, m := range selector.FindAllStringSubmatch(q.Expr, -1) {
		if !strings.Contains(m[2], `job=~"$job"`) || !strings.Contains(m[2], `instance=~"$instance"`) {
			all = append(all, m[1]+" is not limited to the chosen jobs and instances")
		}
	}
	for _, m := range ranges.FindAllStringSubmatch(q.Expr, -1) {
		if m[2] != "$__rate_interval" && (m[1] != "increase" || m[2] != "$__range") {
			all = append(all, fmt.Sprintf("%s over %s", m[1], m[2]))
		}
	}
	for _, m := range counters.FindAllStringSubmatch(q.Expr, -1) {
		if m[1] != "rate" && m[1] != "increase" {
			all = append(all, "a counter without rate or increase")
		}
	}
	return all
}

// TestDashboardVariables has the rules template-datasource, template-job,
// template-instance, template-label-promql and template-on-time-change-reload.
func TestDashboardVariables(t *testing.T) {
	const onTimeChange = 2
	all := func(name, label, query string) variable {
		text := fmt.Sprintf(`{"query":%q,"refId":%q}`, query, name)
		return variable{name, "query", label, ".+", ours, json.RawMessage(text), onTimeChange, true, true}
	}
	want := []variable{
		{Name: "datasource", Type: "datasource", Label: "Data source", Query: json.RawMessage(`"prometheus"`), Refresh: 1},
		all("job", "Job", "label_values(coredns_lookalike_build_info, job)"),
		all("instance", "Instance", `label_values(coredns_lookalike_build_info{job=~"$job"}, instance)`),
	}
	got := readDashboard(t).Templating.List
	if len(got) != len(want) {
		t.Fatalf("%d variables, want %d", len(got), len(want))
	}
	for i, v := range got {
		var compact bytes.Buffer
		if err := json.Compact(&compact, v.Query); err != nil {
			t.Fatal(err)
		}
		v.Query = compact.Bytes()
		if !reflect.DeepEqual(v, want[i]) {
			t.Errorf("Got the variable %+v, want %+v", v, want[i])
		}
	}
}
