package names

import (
	"fmt"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func TestSetContains(t *testing.T) {
	label63 := strings.Repeat("a", 63)
	long := strings.Join([]string{label63, label63, label63, strings.Repeat("b", 57), "ml"}, ".") // 252 characters
	set := NewSet([]string{"army.ml", "mail.example.ml", "xn--bcher-kva.ml", "corp", long, "army.ml"})
	tests := []struct {
		name, qname string
		want        bool
	}{
		{"itself", "army.ml.", true},
		{"without trailing dot", "army.ml", true},
		{"any case", "aRmY.mL.", true},
		{"below", "mx1.us.army.ml.", true},
		{"above", "example.ml.", false},
		{"TLD", "ml.", false},
		{"deeper entry", "x.mail.example.ml.", true},
		{"below a listed TLD", "a.b.corp.", true},
		{"no label boundary", "usarmy.ml.", false},
		{"other TLD", "army.ml.example.", false},
		{"escaped dot is no boundary", `us\.army.ml.`, false},
		{"escaped dot as number", `us\046army.ml.`, false},
		{"dot within a label below", `u\.s.army.ml.`, true},
		{"escaped letters", `\097\R\109y.ml.`, true},
		{"escaped backslash", `a\\.army.ml.`, true},
		{"octets below", `\000\255.army.ml.`, true},
		{"number beyond an octet", `\999.army.ml.`, true},
		{"A-label", "www.xn--bcher-kva.ml.", true},
		{"A-label in upper case", "XN--BCHER-KVA.ML.", true},
		{"raw UTF-8", "bücher.ml", true},
		{"raw UTF-8, escaped", `b\195\188cher.ml.`, true},
		{"NUL is not a dot", `army\000ml.`, false},
		{"root", ".", false},
		{"empty", "", false},
		{"backslash at the end", `army.ml\`, false},
		{"longest", long + ".", true},
		{"longer than DNS allows", "a." + long + ".", false},
		{"127 labels", strings.Repeat("a.", 123) + "army.ml.", true},
		{"endless", strings.Repeat("a.", 100000) + "army.ml.", false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := set.Contains(tc.qname); got != tc.want {
				t.Errorf("Contains(%q) = %t", tc.qname, got)
			}
			if n := testing.AllocsPerRun(10, func() { set.Contains(tc.qname) }); n != 0 {
				t.Errorf("Contains(%q) allocates %v times", tc.qname, n)
			}
		})
	}
	if set.Len() != 5 {
		t.Errorf("Len() = %d, want 5", set.Len())
	}
}

func TestSetEmpty(t *testing.T) {
	for _, set := range []*Set{nil, NewSet(nil)} {
		if set.Len() != 0 || set.Contains("army.ml.") || set.Contains(".") {
			t.Errorf("%v is not empty", set)
		}
	}
}

// TestSetOwnsNothing: the slice may change once the set is made.
func TestSetOwnsNothing(t *testing.T) {
	list := []string{"army.ml"}
	set := NewSet(list)
	list[0] = "navy.ml"
	if !set.Contains("army.ml.") || set.Contains("navy.ml.") {
		t.Error("The set changed with the slice")
	}
}

// FuzzSetContains compares the set, for names as the DNS library writes them,
// with a comparison of labels on the wire.
func FuzzSetContains(f *testing.F) {
	f.Add([]byte("\x02us\x04army\x02ml\x00"))
	f.Add([]byte("\x07us.army\x02ml\x00"))
	f.Add([]byte("\x04ArMY\x02mL\x00"))
	f.Add([]byte("\x01\\\x04army\x02ml\x00"))
	f.Add([]byte("\x07b\xc3\xbccher\x02ml\x00"))
	f.Add([]byte("\x00"))
	set := NewSet([]string{"army.ml", "us.af.ml", "xn--bcher-kva.ml"})
	listed := [][]string{{"army", "ml"}, {"us", "af", "ml"}, {"xn--bcher-kva", "ml"}, {"b\xc3\xbccher", "ml"}}
	f.Fuzz(func(t *testing.T, wire []byte) {
		set.Contains(string(wire)) // any bytes do no harm
		qname, n, err := dns.UnpackDomainName(wire, 0)
		if err != nil || n > len(wire) {
			return
		}
		var labels []string
		for off := 0; off < len(wire) && wire[off] != 0; off += 1 + int(wire[off]) {
			if wire[off] > 63 {
				return // a pointer
			}
			labels = append(labels, asciiLower(wire[off+1:off+1+int(wire[off])]))
		}
		want := false
		for _, l := range listed {
			want = want || len(labels) >= len(l) && equal(labels[len(labels)-len(l):], l)
		}
		if got := set.Contains(qname); got != want {
			t.Errorf("Contains(%q) = %t, want %t", qname, got, want)
		}
	})
}

func asciiLower(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		s.WriteByte(c)
	}
	return s.String()
}

func equal(a, b []string) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return len(a) == len(b)
}

func BenchmarkSetContains(b *testing.B) {
	many := make([]string, 1_000_000)
	for i := range many {
		many[i] = fmt.Sprintf("host%d.example.ml", i)
	}
	sets := []struct {
		name string
		set  *Set
	}{
		{"none", NewSet(nil)},
		{"ten", NewSet(many[:10])},
		{"million", NewSet(many)},
	}
	qnames := []struct{ name, qname string }{
		{"hit", "host7.example.ml."},
		{"miss", "mx1.army.ml."},
		{"longest", strings.Repeat("a.", 123) + "army.ml."},
	}
	for _, s := range sets {
		for _, q := range qnames {
			b.Run(s.name+"/"+q.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					s.set.Contains(q.qname)
				}
			})
		}
	}
}
