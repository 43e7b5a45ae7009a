package format

import (
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// leef is the Log Event Extended Format, version 2.0. Its delimiter is a
// caret, since many syslog servers change the tab that is customary.
var leef = &Format{name: "leef", append: appendLEEF}

const leefDelimiter = "^"

func appendLEEF(b []byte, r *record.Record) []byte {
	b = append(b, "LEEF:2.0|lookalike|coredns-lookalike|"...)
	b = append(b, visible(plainText(r.Version), "|")...)
	b = append(b, '|')
	b = append(b, visible(EventName(r), "|")...)
	b = append(b, "|"+leefDelimiter+"|"...)
	sep := ""
	for i := range fields {
		key := fields[i].leef
		if key == "" {
			continue
		}
		v := fields[i].flat(textStyle{}, r)
		if v == "" {
			continue
		}
		b = append(b, sep+key+"="...)
		b = append(b, visible(v, leefDelimiter)...)
		sep = leefDelimiter
	}
	return b
}
