// Package elastic tests the content for Elasticsearch and Kibana on records that
// a running server has written. Neither product runs in the tests.
package elastic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/soc/soctest"
)

// read decodes a file of one JSON value or more, strictly.
func read[T any](t *testing.T, file string) []T {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []T
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		d.DisallowUnknownFields()
		var v T
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) && len(all) > 0 {
			return all
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, v)
	}
}

// mapping is a field of the component template, or an object of fields.
type mapping struct {
	Type        string
	IgnoreAbove int `json:"ignore_above"`
	Dynamic     *bool
	Properties  map[string]mapping
}

// types adds the type of each field by its path.
func (m *mapping) types(path string, into map[string]string) {
	if m.Type != "" {
		into[path] = m.Type
	}
	for name, child := range m.Properties {
		child.types(strings.TrimPrefix(path+"."+name, "."), into)
	}
}

type meta struct {
	Description string
	ManagedBy   string `json:"managed_by"`
}

type component struct {
	Template struct {
		Settings struct {
			Index struct {
				FinalPipeline string `json:"final_pipeline"`
			}
		}
		Mappings mapping
	}
	Version int
	Meta    meta `json:"_meta"`
}

type pipeline struct {
	Description string
	Processors  []struct {
		Set struct {
			Field, Value string
		}
	}
	Version int
	Meta    meta `json:"_meta"`
}

type index struct {
	IndexPatterns []string  `json:"index_patterns"`
	DataStream    *struct{} `json:"data_stream"`
	Priority      int
	ComposedOf    []string `json:"composed_of"`
	IgnoreMissing []string `json:"ignore_missing_component_templates"`
	Version       int
	Meta          meta `json:"_meta"`
}

// ingested is what the pipeline adds to a record.
const ingested = "event.ingested"

// mapped are the types of all fields.
func mapped(t *testing.T) map[string]string {
	t.Helper()
	types := make(map[string]string)
	read[component](t, "component-template.json")[0].Template.Mappings.types("", types)
	return types
}

// fits holds for values that a field of a type takes.
var fits = map[string]func(string) error{
	"keyword":         func(string) error { return nil },
	"match_only_text": func(string) error { return nil },
	"date":            func(s string) error { _, err := time.Parse(time.RFC3339, s); return err },
	"long":            func(s string) error { _, err := strconv.ParseInt(s, 10, 64); return err },
	"float":           func(s string) error { _, err := strconv.ParseFloat(s, 64); return err },
	"ip":              func(s string) error { _, err := netip.ParseAddr(s); return err },
	"boolean":         func(s string) error { _, err := strconv.ParseBool(s); return err },
}

// TestMappings holds that each field of a record has a mapping that takes its
// values, and that there is no other mapping.
func TestMappings(t *testing.T) {
	types := mapped(t)
	for _, r := range soctest.ECS() {
		for path, values := range r {
			for _, v := range values {
				fit := fits[types[path]]
				if fit == nil {
					t.Fatalf("%s has the type %q", path, types[path])
				}
				if err := fit(v); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
		}
	}
	for path := range types {
		if !soctest.IsField(path) && path != ingested {
			t.Errorf("%s has a mapping, and no record has it", path)
		}
	}
}

// TestTemplates holds what makes the templates work together.
func TestTemplates(t *testing.T) {
	c, p, i := read[component](t, "component-template.json")[0], read[pipeline](t, "pipeline.json")[0], read[index](t, "index-template.json")[0]
	if own := c.Template.Mappings.Properties["lookalike"]; own.Dynamic == nil || *own.Dynamic {
		t.Error("lookalike.* takes fields that have no mapping")
	}
	if set := p.Processors[0].Set; set.Field != ingested || set.Value != "{{{_ingest.timestamp}}}" {
		t.Errorf("Got pipeline %+v, want one that sets %s", p, ingested)
	}
	if got := c.Template.Settings.Index.FinalPipeline; got != "lookalike@pipeline" {
		t.Errorf("Got final pipeline %q", got)
	}
	if i.Priority <= 100 || i.DataStream == nil || !slices.Equal(i.IndexPatterns, []string{pattern}) {
		t.Errorf("Got index template %+v, want a data stream for %s that takes precedence over the stock templates", i, pattern)
	}
	for _, name := range []string{"logs@mappings", "logs@settings", "ecs@mappings", "lookalike@mappings", "logs@custom"} {
		if !slices.Contains(i.ComposedOf, name) {
			t.Errorf("The index template lacks %s", name)
		}
	}
}

// pattern is of the indices that the rules and the dashboard search.
const pattern = "logs-lookalike.alert-*"

// rule is a detection rule, with the fields that Kibana's import knows.
type rule struct {
	RuleID            string `json:"rule_id"`
	Name, Description string
	Enabled           bool
	Type, Language    string
	Index             []string
	Query, Severity   string
	RiskScore         int `json:"risk_score"`
	From, To          string
	Interval          string
	MaxSignals        int    `json:"max_signals"`
	TimestampOverride string `json:"timestamp_override"`
	Threat            []threat
	Tags, References  []string
	FalsePositives    []string `json:"false_positives"`
	Note              string
	Author            []string
	Version           int
	Threshold         *struct {
		Field       []string
		Value       int
		Cardinality []struct {
			Field string
			Value int
		}
	}
}

type threat struct {
	Framework string
	Tactic    reference
	Technique []struct {
		reference
		Subtechnique []reference
	}
}

type reference struct{ ID, Name, Reference string }

// TestRules evaluates each rule on the sample, and holds that it is complete.
func TestRules(t *testing.T) {
	uuid4 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	risk := map[string]int{"low": 21, "medium": 47, "high": 73}
	found := make(map[string]bool)
	for _, r := range read[rule](t, "rules.ndjson") {
		name := ""
		for _, tag := range r.Tags {
			if s, ok := strings.CutPrefix(tag, "Situation: "); ok {
				name = s
			}
		}
		t.Run(name, func(t *testing.T) {
			if found[name] || found[r.RuleID] || !uuid4.MatchString(r.RuleID) {
				t.Errorf("The rule's situation or id is taken, or %q is no UUIDv4", r.RuleID)
			}
			found[name], found[r.RuleID] = true, true
			if !slices.Equal(r.Index, []string{pattern}) || r.Language != "kuery" || r.TimestampOverride != ingested || r.Enabled {
				t.Errorf("Got rule %+v, want one for %s in KQL by %s, not enabled", r, pattern, ingested)
			}
			if risk[r.Severity] != r.RiskScore || len(r.Threat) == 0 || r.Note == "" || len(r.FalsePositives) == 0 {
				t.Errorf("Got rule %+v, want Kibana's score of its severity, a threat, a note and false positives", r)
			}
			if want := map[string]string{"query": "now-9m", "threshold": "now-65m"}[r.Type]; r.From != want {
				t.Errorf("Got from %q in a rule of type %q, want %q", r.From, r.Type, want)
			}
			soctest.Finds(t, name, func(record soctest.Record) (bool, error) { return kql(r.Query, record) })
			if r.Threshold != nil && (!soctest.IsField(r.Threshold.Field[0]) || !soctest.IsField(r.Threshold.Cardinality[0].Field)) {
				t.Errorf("No record has a field of %+v", r.Threshold)
			}
		})
	}
	for _, name := range soctest.Situations() {
		if !found[name] {
			t.Errorf("There is no rule for %s", name)
		}
	}
}

var (
	// leaf is FIELD : VALUE of Kibana's query language, where VALUE is a word, a text in
	// quotes, or some of these in parentheses.
	leaf  = regexp.MustCompile(`^([a-z_.@]+) : ("[^"]*"|\([^()]*\)|[^\s()]+)`)
	value = regexp.MustCompile(`^("[^"]*"|[^\s()]+)`)
)

// kql evaluates a query in Kibana's language on a record.
func kql(query string, record soctest.Record) (bool, error) {
	return soctest.Condition(query, leaf, func(text string) (bool, error) {
		parts := leaf.FindStringSubmatch(text)
		if !soctest.IsField(parts[1]) {
			return false, fmt.Errorf("no record has the field %q", parts[1])
		}
		return soctest.Condition(parts[2], value, func(v string) (bool, error) {
			if quoted, ok := strings.CutPrefix(v, `"`); ok {
				return record.Has(parts[1], strings.TrimSuffix(quoted, `"`)), nil
			}
			return record.Matches(parts[1], v), nil
		})
	})
}

func TestKQL(t *testing.T) {
	record := soctest.Record{"event.kind": {"alert"}, "event.type": {"denied"}, "lookalike.test": {"false"}}
	tests := []struct {
		query string
		want  bool
		wrong string
	}{
		{`event.kind : "alert"`, true, ""},
		{`event.kind : alert`, true, ""},
		{`event.kind : "al*"`, false, ""},
		{`event.kind : al*`, true, ""},
		{`event.type : ("info" or "denied")`, true, ""},
		{`event.type : (info or allowed) or not lookalike.test : true`, true, ""},
		{`lookalike.exception.name : *`, false, ""},
		{`event.type : "denied" and lookalike.test : true`, false, ""},
		{`event.knd : "alert"`, false, `"event.knd"`},
		{`event.kind = "alert"`, false, "want a term"},
	}
	for _, tc := range tests {
		got, err := kql(tc.query, record)
		switch {
		case tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)):
			t.Errorf("%s: got error %v, want %q", tc.query, err, tc.wrong)
		case tc.wrong == "" && (err != nil || got != tc.want):
			t.Errorf("%s: got %v, %v, want %v", tc.query, got, err, tc.want)
		}
	}
}

// object is a saved object of Kibana.
type object struct {
	ID, Type   string
	Attributes map[string]any
	References []struct{ ID, Type, Name string }
}

// TestDashboard holds that the saved objects refer to one another, to fields of
// the records, and to columns of their own.
func TestDashboard(t *testing.T) {
	objects := read[object](t, "dashboard.ndjson")
	types := make(map[string]string)
	for _, o := range objects {
		types[o.ID] = o.Type
	}
	panels := 0
	for _, o := range objects {
		names := make(map[string]bool)
		for _, r := range o.References {
			names[r.Name] = true
			if types[r.ID] != r.Type {
				t.Errorf("%s refers to the %s %s, which is a %q", o.ID, r.Type, r.ID, types[r.ID])
			}
		}
		refersTo := func(name string) {
			if !names[name] {
				t.Errorf("%s names the reference %q, which it lacks", o.ID, name)
			}
		}
		walk(t, o.Attributes, func(key string, v any) {
			switch key {
			case "sourceField", "sortField":
				if v != "___records___" {
					known(t, o.ID, v)
				}
			case "title":
				if o.Type == "index-pattern" && v != pattern {
					t.Errorf("Got data view %v, want %s", v, pattern)
				}
			case "query":
				if text, ok := v.(string); ok && text != "" {
					holds(t, o.ID, text)
				}
			case "indexRefName":
				refersTo(v.(string))
			case "panelRefName":
				panels++
				refersTo(strings.TrimPrefix(v.(string), "panel_") + ":" + v.(string))
			case "columns":
				if o.Type == "search" {
					for _, c := range v.([]any) {
						known(t, o.ID, c)
					}
				}
			}
		})
		if o.Type == "lens" {
			columns(t, &o)
			refersTo("indexpattern-datasource-layer-layer")
		}
	}
	if panels != len(objects)-2 { // all but the dashboard itself and the data view
		t.Errorf("The dashboard shows %d of %d objects", panels, len(objects)-2)
	}
}

// walk visits the members of all objects in v. Kibana keeps some objects as text.
func walk(t *testing.T, v any, visit func(key string, v any)) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			if text, ok := child.(string); ok && strings.HasSuffix(key, "JSON") {
				var inner any
				if err := json.Unmarshal([]byte(text), &inner); err != nil {
					t.Errorf("%s: %v", key, err)
				}
				child = inner
			}
			visit(key, child)
			walk(t, child, visit)
		}
	case []any:
		for _, child := range v {
			walk(t, child, visit)
		}
	}
}

func known(t *testing.T, id string, field any) {
	t.Helper()
	if name, ok := field.(string); !ok || !soctest.IsField(name) {
		t.Errorf("%s: no record has the field %v", id, field)
	}
}

// holds fails unless a query can be read, and finds records of the sample.
func holds(t *testing.T, id, query string) {
	t.Helper()
	found := false
	for _, r := range soctest.ECS() {
		ok, err := kql(query, r)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		found = found || ok
	}
	if !found {
		t.Errorf("%s: %s finds no record of the sample", id, query)
	}
}

// columns holds that what a panel shows, and orders by, is a column of its layer.
func columns(t *testing.T, o *object) {
	t.Helper()
	text, err := json.Marshal(o.Attributes["state"])
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		DatasourceStates struct {
			FormBased struct {
				Layers map[string]struct {
					ColumnOrder []string
					Columns     map[string]any
				}
			}
		}
		Visualization any
	}
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	layer := state.DatasourceStates.FormBased.Layers["layer"]
	if got, want := slices.Sorted(slices.Values(layer.ColumnOrder)), slices.Sorted(maps.Keys(layer.Columns)); !slices.Equal(got, want) {
		t.Errorf("%s orders the columns %q, and has %q", o.ID, got, want)
	}
	used := make(map[string]bool)
	check := func(key string, v any) {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		if !slices.Contains([]string{"columnId", "metricAccessor", "xAccessor", "splitAccessor", "accessors"}, key) {
			return
		}
		for _, name := range list {
			used[fmt.Sprint(name)] = true
			if layer.Columns[fmt.Sprint(name)] == nil {
				t.Errorf("%s: %s names the column %v, which is not there", o.ID, key, name)
			}
		}
	}
	walk(t, state.Visualization, check)
	walk(t, layer.Columns, check)
	for name := range layer.Columns {
		if !used[name] {
			t.Errorf("%s does not show its column %s", o.ID, name)
		}
	}
}
