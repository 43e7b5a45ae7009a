package format

import (
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// structured is RFC 5424 structured data and a message in words, as they
// stand at the end of a syslog message.
var structured = &Format{name: "rfc5424-sd", append: appendStructured}

// structuredID is made with the enterprise number of documentation (RFC 5612).
const structuredID = "lookalike@32473"

// structuredValue escapes a PARAM-VALUE (RFC 5424 section 6.3.3).
var structuredValue = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`)

func appendStructured(b []byte, r *record.Record) []byte {
	b = append(b, "["+structuredID...)
	for i := range fields {
		if fields[i].sd == "" {
			continue
		}
		if v := fields[i].flat(textStyle{}, r); v != "" {
			b = appendParam(b, fields[i].sd, v)
		}
	}
	b = append(b, "][origin"...)
	b = appendParam(b, "software", "coredns-lookalike")
	b = appendParam(b, "swVersion", plainText(r.Version))
	if a := r.Server.Addr(); a.IsValid() {
		b = appendParam(b, "ip", a.String())
	}
	b = append(b, "] "...)
	return append(b, ascii(visible(r.Message(), ""))...)
}

func appendParam(b []byte, name, value string) []byte {
	b = append(b, " "+name+`="`...)
	b = append(b, structuredValue.Replace(visible(value, ""))...)
	return append(b, '"')
}

// ascii replaces characters beyond ASCII. A message with such characters would
// have to begin with a byte order mark, which not every receiver accepts.
func ascii(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= 0x80 {
			return '?'
		}
		return c
	}, s)
}
