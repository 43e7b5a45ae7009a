package csvline

import (
	"encoding/csv"
	"strings"
	"testing"
)

func TestRecord(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"plain", "a,b,,c", "a|b||c"},
		{"quoted", `"a, b","c ""d""",e`, `a, b|c "d"|e`},
		{"a line feed", "a,\"b\nc\",d", "a|b\nc|d"},
		{"empty", "", ""},
		{"a quote that does not end", `a,"b`, "not complete"},
		{"text behind a quote", `"a"x,b`, "a|b"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := read(row.text); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// read returns the fields of a record.
func read(text string) string {
	var r Record
	for line := range strings.SplitSeq(text, "\n") {
		if r.Read([]byte(line), ',') {
			var fields []string
			for _, f := range r.Fields {
				fields = append(fields, string(f))
			}
			return strings.Join(fields, "|")
		}
	}
	return "not complete"
}

func TestColumns(t *testing.T) {
	var r Record
	r.Read([]byte("a, b ,c"), ',')
	c := Columns{"first": 0, "second": 1, "ninth": 8}
	if got := string(c.Get(&r, "second")) + string(c.Get(&r, "ninth")) + string(c.Get(&r, "third")); got != "b" {
		t.Errorf("Get = %q, want b", got)
	}
	if !c.Has("first", "ninth") || c.Has("first", "third") {
		t.Error("Has knows other columns than there are")
	}
}

func TestEndlessRecord(t *testing.T) {
	var r Record
	line := `"` + strings.Repeat("x", 1000)
	for i := range 1000 {
		if r.Read([]byte(line), ',') {
			if i < maxRecord/1001/2 {
				t.Errorf("the record ended after %d lines", i)
			}
			return
		}
		line = strings.Repeat("x", 1000)
	}
	t.Error("a record without end takes memory without end")
}

// FuzzRecord compares with the standard library, where that takes the record.
func FuzzRecord(f *testing.F) {
	f.Add("a,\"b \"\"c\"\"\nd\",e")
	f.Add(`2026-11-25T21:54:52.103Z,192.0.2.5,"Re: plans, ""final""",,`)
	f.Fuzz(func(t *testing.T, text string) {
		text, _, _ = strings.Cut(text, "\r")
		std := csv.NewReader(strings.NewReader(text))
		want, err := std.Read()
		got := read(text)
		if err == nil && len(text) < maxRecord && !strings.HasPrefix(text, "\n") && got != strings.Join(want, "|") {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	})
}
