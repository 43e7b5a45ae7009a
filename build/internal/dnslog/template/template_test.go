package template

import (
	"strings"
	"testing"
)

// FuzzTemplate has no format and no line make trouble, and a line that a format
// writes be read as it was meant.
func FuzzTemplate(f *testing.F) {
	f.Add("{common}", `192.0.2.25:60997 - 63605 "MX IN example.ml. udp 48 false 1232" NXDOMAIN qr,rd,ra 136 0.003250290s`)
	f.Add("{combined} {/a/b}", `[::1]:60997 - 63605 "MX IN a\ b.ml. udp 48 false 1232" - - 0 0.1s "0" x`)
	f.Add("{name}", `example.ml.`)
	f.Add("{/a}{name}", `a`)
	f.Add("}{{name} {", `}{a {`)
	f.Fuzz(func(t *testing.T, format, line string) {
		tmpl, err := Compile(format)
		if err != nil {
			return
		}
		tmpl.Match([]byte(line))
		written := strings.NewReplacer("{name}", `a\032b.example.ml.`, "{remote}", "192.0.2.25", "{type}", "MX", "{class}", "IN",
			"{local}", "192.0.2.53", "{rcode}", "NOERROR", "{proto}", "udp", "{port}", "1", "{size}", "2", "{rsize}", "3",
			"{duration}", "0.1s", "{>id}", "4", "{>opcode}", "0", "{>do}", "true", "{>bufsize}", "512", "{>rflags}", "qr,rd").Replace(plain(format))
		if strings.ContainsAny(written, "{}") || !separated(tmpl) {
			return // not all placeholders are replaced, or text between them looks like their values
		}
		q, ok := tmpl.Match([]byte(written))
		if !ok || string(q.Name) != `a\032b.example.ml.` {
			t.Errorf("%q in the format %q gives %q, %t", written, format, q.Name, ok)
		}
	})
}

// plain has the names of formats replaced.
func plain(format string) string {
	if format == "" {
		return "{common}"
	}
	return format
}

// separated reports whether no text after a placeholder could be a part of its
// value.
func separated(t *Template) bool {
	for _, p := range t.pieces {
		if p.after != "" && strings.IndexByte(" |\"<>/!", p.after[0]) < 0 {
			return false
		}
	}
	return true
}

func TestMatchDoesNotAllocate(t *testing.T) {
	tmpl, err := Compile("")
	if err != nil {
		t.Fatal(err)
	}
	line := []byte(`192.0.2.25:60997 - 63605 "MX IN example.ml. udp 48 false 1232" NXDOMAIN qr,rd,ra 136 0.003250290s`)
	if n := testing.AllocsPerRun(100, func() { tmpl.Match(line) }); n != 0 {
		t.Errorf("%v allocations for each line, want none", n)
	}
}
