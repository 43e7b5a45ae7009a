// Package format encodes records: ECS and OCSF as JSON, CEF, LEEF, and the
// structured data of syslog. One table maps each fact of a record to all
// formats.
package format

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// Format encodes records. The formats are independent of the sinks.
type Format struct {
	name   string
	append func(b []byte, r *record.Record) []byte
}

// String returns the format as it is written in Corefiles.
func (f *Format) String() string { return f.name }

// formats are those that a Corefile may name.
var formats = []*Format{ecs, ocsf, cef, leef, structured}

// ECS is the default format: one JSON object in the Elastic Common Schema.
func ECS() *Format { return ecs }

// Structured is the default format of plain syslog: structured data and a
// message in words, as RFC 5424 has them.
func Structured() *Format { return structured }

// JSONFormats are those that databases can read.
func JSONFormats() []*Format { return []*Format{ecs, ocsf} }

var ecs = &Format{name: "ecs", append: jsonStyle{}.format(func(f *field) string { return f.ecs })}

// Parse finds a format by name.
func Parse(name string) (*Format, error) {
	if i := slices.IndexFunc(formats, func(f *Format) bool { return f.name == name }); i >= 0 {
		return formats[i], nil
	}
	return nil, fmt.Errorf("unknown format %q (known: %s)", name, Names(formats))
}

// Names lists formats, for messages.
func Names(all []*Format) string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}
