// Package soctest has what the tests of the SOC's content share: records that
// a running server has written, and readers of what the content asks about them.
//
// TestSOCSample in test/ makes the records, and holds that the server still
// writes the same fields.
package soctest

import (
	"bufio"
	_ "embed" // records.jsonl and records.cef
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

//go:embed records.jsonl
var ecs string

//go:embed records.cef
var cef string

// Record is a record with the paths of its fields for keys, such as
// lookalike.smtp.from. What stands in an array has the path of the array.
type Record map[string][]string

// ECS returns the sample in the format ecs: a record of every kind. The caller
// must not change it.
var ECS = sync.OnceValue(func() []Record { return must(ParseECS(ecs)) })

// CEF returns the sample in the format cef, which the caller must not change.
var CEF = sync.OnceValue(func() []Record { return must(ParseCEF(cef)) })

func must(all []Record, err error) []Record {
	if err != nil {
		panic(err) // the sample is part of the program
	}
	return all
}

// Objects returns the records of ECS, in the same order, as JSON objects.
func Objects() []map[string]any {
	var all []map[string]any
	for line := range lines(ecs) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			panic(err) // the sample is part of the program
		}
		all = append(all, v)
	}
	return all
}

// IsField reports whether a record of the sample in the format ecs has a field.
func IsField(path string) bool {
	return slices.ContainsFunc(ECS(), func(r Record) bool { return len(r[path]) > 0 })
}

// ParseECS reads records in the format ecs, one a line.
func ParseECS(text string) ([]Record, error) {
	var all []Record
	for line := range lines(text) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			return nil, fmt.Errorf("%w in %.80s", err, line)
		}
		r := make(Record)
		r.flatten("", v)
		all = append(all, r)
	}
	return all, nil
}

// lines are the lines that are not empty.
func lines(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
			if s.Text() != "" && !yield(s.Text()) {
				return
			}
		}
	}
}

func (r Record) flatten(path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			r.flatten(strings.TrimPrefix(path+"."+name, "."), child)
		}
	case []any:
		for _, child := range v {
			r.flatten(path, child)
		}
	case float64:
		r[path] = append(r[path], fmt.Sprintf("%.0f", v))
	default:
		r[path] = append(r[path], fmt.Sprint(v))
	}
}

// cefHeader names the parts of CEF's header, after the version.
var cefHeader = []string{"Device Vendor", "Device Product", "Device Version", "Device Event Class ID", "Name", "Severity"}

// ParseCEF reads records in the format cef, one a line. The parts of the header
// have their names in the format's description for keys.
func ParseCEF(text string) ([]Record, error) {
	var all []Record
	for line := range lines(text) {
		parts := strings.SplitN(line, "|", len(cefHeader)+2)
		if len(parts) != len(cefHeader)+2 || parts[0] != "CEF:0" {
			return nil, fmt.Errorf("no CEF: %.80s", line)
		}
		r := make(Record)
		for i, name := range cefHeader {
			r[name] = []string{parts[i+1]}
		}
		last := ""
		for word := range strings.FieldsSeq(parts[len(parts)-1]) {
			key, value, found := strings.Cut(word, "=")
			switch {
			case found && !strings.HasSuffix(key, `\`):
				last, r[key] = key, []string{value}
			case last == "":
				return nil, fmt.Errorf("no key before %q in %.80s", word, line)
			default:
				r[last][0] += " " + word
			}
		}
		all = append(all, r)
	}
	return all, nil
}

// Paths returns the paths of all fields of the records, in order.
func Paths(all []Record) []string {
	paths := make(map[string]bool)
	for _, r := range all {
		for path := range r {
			paths[path] = true
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// Has reports whether a field has a value.
func (r Record) Has(path, value string) bool { return slices.Contains(r[path], value) }

// Values returns the values that a field has in the records, in order.
func Values(all []Record, path string) []string {
	values := make(map[string]bool)
	for _, r := range all {
		for _, v := range r[path] {
			values[v] = true
		}
	}
	return slices.Sorted(maps.Keys(values))
}
