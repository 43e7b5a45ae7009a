package report

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// fields returns the names of all fields of a type, as JSON has them.
func fields(t reflect.Type, into map[string]bool) {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() || t == reflect.TypeFor[time.Location]() {
		return
	}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if !f.Anonymous {
			into[name] = true
		}
		fields(f.Type, into)
	}
}

// TestSchema: every field stands in SCHEMA.md, and every field there exists.
func TestSchema(t *testing.T) {
	page, err := os.ReadFile("SCHEMA.md")
	if err != nil {
		t.Fatal(err)
	}
	json, _, _ := strings.Cut(string(page), "## CSV")
	words := make(map[string]bool)
	for _, m := range regexp.MustCompile("`([a-z_.0-9\\[\\]]+)`").FindAllStringSubmatch(json, -1) {
		for part := range strings.SplitSeq(m[1], ".") {
			words[strings.TrimSuffix(part, "[]")] = true
		}
	}
	have := make(map[string]bool)
	fields(reflect.TypeFor[Page](), have)
	if have[""] {
		t.Error("A field has no name in JSON")
	}
	for name := range have {
		if !words[name] {
			t.Errorf("SCHEMA.md does not have the field %s", name)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| (`[^|]+) \\|").FindAllStringSubmatch(json, -1) {
		for _, name := range regexp.MustCompile("`([a-z_.0-9]+)(?:\\[\\])?`").FindAllStringSubmatch(m[1], -1) {
			last := name[1][strings.LastIndexByte(name[1], '.')+1:]
			if !have[last] {
				t.Errorf("SCHEMA.md has the field %s, which does not exist", name[1])
			}
		}
	}
}
