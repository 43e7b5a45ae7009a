package format

import (
	"strconv"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// cef is the Common Event Format, version 0.
var cef = &Format{name: "cef", append: appendCEF}

var (
	cefHeader = strings.NewReplacer(`\`, `\\`, `|`, `\|`)
	cefValue  = strings.NewReplacer(`\`, `\\`, `=`, `\=`)
)

func appendCEF(b []byte, r *record.Record) []byte {
	b = append(b, "CEF:0|lookalike|coredns-lookalike|"...)
	b = append(b, cefHeader.Replace(visible(plainText(r.Version), ""))...)
	b = append(b, '|')
	b = append(b, cefHeader.Replace(EventName(r))...)
	b = append(b, '|')
	b = append(b, cefHeader.Replace(eventTitle(r))...)
	b = append(b, '|')
	b = strconv.AppendInt(b, int64(cefSeverity[r.Level()]), 10)
	sep := byte('|')
	style := textStyle{milliseconds: true}
	for i := range fields {
		key, label, _ := strings.Cut(fields[i].cef, ":")
		if key == "" {
			continue
		}
		v := fields[i].flat(style, r)
		if v == "" {
			continue
		}
		if label != "" {
			b = append(append(b, sep), key+"Label="+label...)
			sep = ' '
		}
		b = append(append(b, sep), key+"="...)
		b = append(b, cefValue.Replace(visible(v, ""))...)
		sep = ' '
	}
	return b
}

// EventName is the rule that a record is about, or what else it is about.
func EventName(r *record.Record) string {
	if s := r.Class.String(); s != "" {
		return s
	}
	return r.Phase.String()
}

// eventTitle is EventName in words.
func eventTitle(r *record.Record) string {
	switch r.Phase {
	case record.Lost:
		return "Alerts lost"
	case record.Test:
		return "Test alert"
	}
	return r.Class.Title()
}
