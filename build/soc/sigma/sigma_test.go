// Package sigma tests the Sigma rules: against the schemas of the Sigma project,
// and by evaluating them on records that a running server has written.
package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/lookalike-dns/lookalike/build/soc/soctest"
)

// rule is a rule or a correlation of rules.
type rule struct {
	Title, ID, Name, Status, Level, Description string
	Author, Date                                string
	References, Tags, Falsepositives            []string
	Detection                                   map[string]any
	Correlation                                 *struct {
		Type, Timespan string
		Rules          []string
		GroupBy        []string `yaml:"group-by"`
		Condition      struct{ Field string }
	}

	document any // as the schema sees it
}

// situation is what the rules of a file are about, by its name.
var situation = regexp.MustCompile(`^net_dns_lookalike_([a-z_]+)\.yml$`)

// read returns the rules of each file by the name of their situation.
func read(t *testing.T) map[string][]rule {
	t.Helper()
	files, err := filepath.Glob("*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("No rules: %v", err)
	}
	all := make(map[string][]rule)
	for _, file := range files {
		name := situation.FindStringSubmatch(file)
		if name == nil || len(file) < 10+len(".yml") || len(file) > 70+len(".yml") {
			t.Fatalf("File %s, want a name like net_dns_lookalike_passed.yml of 10 to 70 letters", file)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[name[1]] = documents(t, file, text)
	}
	return all
}

func documents(t *testing.T, file string, text []byte) []rule {
	t.Helper()
	var all []rule
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var node yaml.Node
		err := d.Decode(&node)
		if errors.Is(err, io.EOF) {
			return all
		}
		var r rule
		if err := errors.Join(err, node.Decode(&r), node.Decode(&r.document)); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, r)
	}
}

// TestSchema validates the rules against the schemas of the Sigma specification.
func TestSchema(t *testing.T) {
	schemas := make(map[bool]*jsonschema.Schema)
	for correlation, file := range map[bool]string{false: "sigma-detection-rule-schema.json", true: "sigma-correlation-rules-schema.json"} {
		compiler := jsonschema.NewCompiler()
		compiler.AssertFormat()
		schema, err := compiler.Compile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		schemas[correlation] = schema
	}
	for name, rules := range read(t) {
		for _, r := range rules {
			if err := schemas[r.Correlation != nil].Validate(plain(r.document)); err != nil {
				t.Errorf("%s, %q: %v", name, r.Title, err)
			}
		}
	}
	bad := map[string]any{"title": "x", "id": "no UUID", "detection": map[string]any{"condition": "x"}, "logsource": map[string]any{}}
	if schemas[false].Validate(bad) == nil {
		t.Error("The schema takes an id that is no UUID")
	}
}

// plain has the dates as the text that they are in the file.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, child := range v {
			v[k] = plain(child)
		}
	case []any:
		for i, child := range v {
			v[i] = plain(child)
		}
	case interface{ Format(string) string }:
		return v.Format("2006-01-02")
	}
	return v
}

// TestComplete holds what the schema leaves free, and what we ask of our rules.
func TestComplete(t *testing.T) {
	uuid4 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	technique := regexp.MustCompile(`^attack\.t\d{4}(\.\d{3})?$`)
	titles := make(map[string]bool)
	for name, rules := range read(t) {
		for _, r := range rules {
			if !uuid4.MatchString(r.ID) || r.Status != "experimental" || r.Author != "lookalike" || r.Description == "" || r.Level == "" || r.Date == "" {
				t.Errorf("%s: got %+v, want a UUIDv4, status, author, description, level and date", name, r)
			}
			if len(r.References) == 0 || len(r.Falsepositives) == 0 || titles[r.Title] {
				t.Errorf("%s: rule %q lacks references or false positives, or its title is taken", name, r.Title)
			}
			if r.Correlation == nil && !slices.ContainsFunc(r.Tags, technique.MatchString) {
				t.Errorf("%s: got the tags %q, want a technique of ATT&CK", name, r.Tags)
			}
			titles[r.Title] = true
		}
	}
}

// TestDetection evaluates each rule on the sample.
func TestDetection(t *testing.T) {
	all := read(t)
	if got, want := slices.Sorted(maps.Keys(all)), soctest.Situations(); !slices.Equal(got, want) {
		t.Errorf("Got rules for %q, want %q", got, want)
	}
	for name, rules := range all {
		t.Run(name, func(t *testing.T) { soctest.Finds(t, name, rules[0].matches) })
	}
}

// TestCorrelation holds that correlations are about rules and fields that exist.
func TestCorrelation(t *testing.T) {
	names, found := make(map[string]bool), 0
	for _, rules := range read(t) {
		for _, r := range rules {
			names[r.Name] = true
		}
	}
	for file, rules := range read(t) {
		for _, r := range rules {
			if r.Correlation == nil {
				continue
			}
			found++
			for _, name := range r.Correlation.Rules {
				if !names[name] {
					t.Errorf("%s: no rule has the name %q", file, name)
				}
			}
			for _, field := range append(r.Correlation.GroupBy, r.Correlation.Condition.Field) {
				if !soctest.IsField(field) {
					t.Errorf("%s: no record has the field %q", file, field)
				}
			}
		}
	}
	if found == 0 {
		t.Error("There is no correlation")
	}
}

// leaf is a part of a condition: a selection, or a quantity of them.
var leaf = regexp.MustCompile(`^((1|all) of )?[a-z_]+\*?`)

// matches evaluates the rule's detection.
func (r *rule) matches(record soctest.Record) (bool, error) {
	condition, _ := r.Detection["condition"].(string)
	return soctest.Condition(condition, leaf, func(text string) (bool, error) {
		quantity, pattern, found := strings.Cut(text, " of ")
		if !found {
			pattern = text
		}
		matched, of := 0, 0
		for name, selection := range r.Detection {
			if same, err := filepath.Match(pattern, name); err != nil || !same || name == "condition" {
				continue
			}
			ok, err := selects(selection, record)
			if err != nil {
				return false, err
			}
			of++
			if ok {
				matched++
			}
		}
		if of == 0 {
			return false, fmt.Errorf("there is no selection %q", pattern)
		}
		return matched == of || quantity == "1" && matched > 0, nil
	})
}

// selects evaluates a selection: a map, all of whose fields have to match.
func selects(selection any, record soctest.Record) (bool, error) {
	fields, ok := selection.(map[string]any)
	if !ok {
		return false, fmt.Errorf("a selection is %T, want a map", selection)
	}
	all := true
	for key, want := range fields {
		ok, err := fieldMatches(key, want, record)
		if err != nil {
			return false, err
		}
		all = all && ok
	}
	return all, nil
}

// fieldMatches evaluates FIELD or FIELD|exists; one of several values will do.
func fieldMatches(key string, want any, record soctest.Record) (bool, error) {
	field, modifier, _ := strings.Cut(key, "|")
	if !soctest.IsField(field) {
		return false, fmt.Errorf("no record has the field %q", field)
	}
	if exists, ok := want.(bool); ok && modifier == "exists" {
		return exists == (len(record[field]) > 0), nil
	}
	if modifier != "" {
		return false, fmt.Errorf("unknown modifier in %q", key)
	}
	values, ok := want.([]any)
	if !ok {
		values = []any{want}
	}
	for _, v := range values {
		text := fmt.Sprint(v)
		if b, ok := v.(bool); ok {
			text = strconv.FormatBool(b)
		}
		if record.Matches(field, text) {
			return true, nil
		}
	}
	return false, nil
}

// TestMatches holds the matcher itself to the specification.
func TestMatches(t *testing.T) {
	record := soctest.Record{"event.kind": {"alert"}, "lookalike.test": {"false"}, "event.type": {"denied"}}
	tests := []struct {
		name, detection string
		want            bool
		wrong           string
	}{
		{"a value in another case", "{s: {event.kind: Alert}, condition: s}", true, ""},
		{"all fields have to match", "{s: {event.kind: alert, event.type: info}, condition: s}", false, ""},
		{"one of several values", "{s: {event.type: [info, denied]}, condition: s}", true, ""},
		{"a pattern", "{s: {event.type: 'den*'}, condition: s}", true, ""},
		{"a truth value", "{s: {lookalike.test: true}, condition: not s}", true, ""},
		{"a field that exists", "{s: {event.type|exists: true}, condition: s}", true, ""},
		{"a field that does not exist", "{s: {lookalike.exception.name|exists: true}, condition: s}", false, ""},
		{"one of the filters", "{s: {event.kind: alert}, f_a: {event.type: info}, f_b: {event.type: denied}, condition: s and not 1 of f_*}", false, ""},
		{"all of the filters", "{s: {event.kind: alert}, f_a: {event.type: info}, f_b: {event.type: denied}, condition: s and not all of f_*}", true, ""},
		{"a misspelt field", "{s: {event.knd: alert}, condition: s}", false, "event.knd"},
		{"a misspelt selection", "{s: {event.kind: alert}, condition: r}", false, `no selection "r"`},
		{"an unknown modifier", "{s: {event.kind|cased: alert}, condition: s}", false, "modifier"},
		{"no condition", "{s: {event.kind: alert}}", false, "want a term"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var r rule
			if err := yaml.Unmarshal([]byte(tc.detection), &r.Detection); err != nil {
				t.Fatal(err)
			}
			got, err := r.matches(record)
			switch {
			case tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)):
				t.Errorf("Got error %v, want %q", err, tc.wrong)
			case tc.wrong == "" && (err != nil || got != tc.want):
				t.Errorf("Got %v, %v, want %v", got, err, tc.want)
			}
		})
	}
}
