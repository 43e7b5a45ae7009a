package alert

import (
	"fmt"
	"slices"
	"strings"
)

// Format gives records a form. The formats are independent of the sinks.
type Format struct {
	name   string
	append func(b []byte, r *Record) []byte
}

// String returns the format as it is written in Corefiles.
func (f *Format) String() string { return f.name }

// Append appends r, on one line and without a line end, to b.
func (f *Format) Append(b []byte, r *Record) []byte { return f.append(b, r) }

// formats are those that a Corefile may name.
var formats = []*Format{ecs, ocsf, cef, leef, structured}

// ECS is the default format: one JSON object in the Elastic Common Schema.
func ECS() *Format { return ecs }

var ecs = &Format{name: "ecs", append: jsonStyle{}.format(func(f *field) string { return f.ecs })}

// parseFormat finds a format by name.
func parseFormat(name string) (*Format, error) {
	if i := slices.IndexFunc(formats, func(f *Format) bool { return f.name == name }); i >= 0 {
		return formats[i], nil
	}
	return nil, fmt.Errorf("unknown format %q (known: %s)", name, joinFormats(formats))
}

func joinFormats(all []*Format) string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}
