package presentation

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/miekg/dns"
)

func TestValid(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, row := range []struct {
		name, in string
		want     bool
	}{
		{"a name", "example.ml", true},
		{"with the final dot", "example.ml.", true},
		{"the root", ".", true},
		{"a label of 63 octets", long + ".ml", true},
		{"a label of 64", long + "a.ml", false},
		{"63 octets, some of them escaped", `\032\.` + long[2:] + ".ml", true},
		{"a name of 255 octets", strings.Repeat(long+".", 3) + long[2:], true},
		{"a name of 256", strings.Repeat(long+".", 3) + long[1:], false},
		{"escapes", `a\032b\"c\\.example.ml`, true},
		{"an escape of too much", `a\256.ml`, false},
		{"an escape of two digits", `a\03.ml`, false},
		{"a backslash at the end", `example.ml\`, false},
		{"a dot that is escaped at the end", `example.ml\.`, true},
		{"nothing", "", false},
		{"an empty label", "example..ml", false},
		{"a dot in front", ".example.ml", false},
		{"two dots", "..", false},
		{"a space", "a b.ml", false},
		{"a control character", "a\x7f.ml", false},
		{"letters beyond ASCII, as some logs have them", "еxample.ml", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := Valid([]byte(row.in)); got != row.want {
				t.Errorf("Valid(%q) = %t, want %t", row.in, got, row.want)
			}
		})
	}
}

func TestType(t *testing.T) {
	for in, want := range map[string]string{
		"MX": "MX", "mx": "MX", "65": "HTTPS", "TYPE65": "HTTPS", "type=65": "HTTPS", "type65": "HTTPS", "TYPE64999": "TYPE64999",
		"NSAP-PTR": "NSAP-PTR", "65536": "65536", "M X": "", "A\x00": "", "A_VERY_LONG_TYPE_": "",
	} {
		if got := Type(in); got != want {
			t.Errorf("Type(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEnd(t *testing.T) {
	for _, row := range []struct {
		in, end string
		want    int
	}{
		{`example.ml. udp`, " ", 11},
		{`a\ b.ml. udp`, " ", 8},
		{`a\\ b`, " ", 3},
		{`a|b|=c`, "|=", 3},
		{`a\`, " ", -1},
		{``, " ", -1},
		{`abc`, "", 3},
	} {
		if got := End([]byte(row.in), row.end); got != row.want {
			t.Errorf("End(%q, %q) = %d, want %d", row.in, row.end, got, row.want)
		}
	}
}

// FuzzLabel writes labels and has the DNS library read them, as an oracle.
func FuzzLabel(f *testing.F) {
	f.Add([]byte("example"))
	f.Add([]byte(`a b"c\.'();@$`))
	f.Add([]byte{0, 9, 127, 128, 255})
	f.Fuzz(func(t *testing.T, label []byte) {
		if len(label) == 0 || len(label) > MaxLabel {
			return
		}
		name := AppendLabel(nil, label)
		if !Valid(name) {
			t.Errorf("%q from %q is not valid", name, label)
		}
		wire := make([]byte, MaxName+1)
		n, err := dns.PackDomainName(string(name), wire, 0, nil, false)
		if err != nil || string(wire[1:n-1]) != string(label) {
			t.Errorf("%q from %q becomes %q, %v", name, label, wire[1:max(n-1, 1)], err)
		}
	})
}

// FuzzValid has no name pass that the DNS library refuses.
func FuzzValid(f *testing.F) {
	for _, seed := range []string{"example.ml", `a\032b\.c\\.`, strings.Repeat("a.", 127), "..", `\`, "."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !Valid([]byte(name)) {
			return
		}
		ascii := strings.Map(func(c rune) rune { // beyond ASCII, the library does not find the end
			if c >= utf8.RuneSelf {
				return 'x'
			}
			return c
		}, name)
		if _, err := dns.PackDomainName(dns.Fqdn(ascii), make([]byte, MaxName), 0, nil, false); err != nil {
			t.Errorf("%q is no name: %v", name, err)
		}
	})
}
