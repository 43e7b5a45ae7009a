package smtpreject

import (
	"strings"
	"testing"
)

func TestParsePath(t *testing.T) {
	tests := []struct {
		arg   string
		want  string // mailbox
		ascii string // domain
		ok    bool
	}{
		{"TO:<bob@army.ml>", "bob@army.ml", "army.ml", true},
		{"to:<bob@ARMY.ML>", "bob@ARMY.ML", "army.ml", true},
		{"TO: <bob@army.ml>", "bob@army.ml", "army.ml", true},
		{"TO:bob@army.ml", "bob@army.ml", "army.ml", true},
		{"TO:bob@army.ml NOTIFY=NEVER", "bob@army.ml", "army.ml", true},
		{"TO:<bob@army.ml> NOTIFY=NEVER ORCPT=rfc822;bob@army.ml", "bob@army.ml", "army.ml", true},
		{"TO:<bob@army.ml.>", "bob@army.ml.", "army.ml.", true},
		{"TO:<@a.example,@b.example:bob@army.ml>", "bob@army.ml", "army.ml", true},
		{`TO:<"bob smith"@army.ml>`, `"bob smith"@army.ml`, "army.ml", true},
		{`TO:<"b@x>y\""@army.ml>`, `"b@x>y\""@army.ml`, "army.ml", true},
		{"TO:<bob@münchen.example>", "bob@münchen.example", "xn--mnchen-3ya.example", true},
		{"TO:<bob@army。ml>", "bob@army。ml", "army.ml", true},
		{"TO:<bob@a_b.army.ml>", "bob@a_b.army.ml", "a_b.army.ml", true},
		{"TO:<bob@[IPv6:2001:db8::1]>", "bob@[IPv6:2001:db8::1]", "[ipv6:2001:db8::1]", true},
		{"TO:<postmaster>", "postmaster", "", true},
		{"TO:<>", "", "", true},
		{"TO:", "", "", false},
		{"TO", "", "", false},
		{"", "", "", false},
		{"FROM:<bob@army.ml>", "", "", false},
		{"TO:<bob@army.ml", "", "", false},
		{"TO:<bob@army.ml>x", "", "", false},
		{"TO:<bob@@army.ml>", "", "", false},
		{"TO:<bob@a@army.ml>", "", "", false},
		{"TO:<@army.ml>", "", "", false},
		{"TO:<bob@>", "", "", false},
		{"TO:<bob@army .ml>", "", "", false},
		{"TO:<bob@ar\\my.ml>", "", "", false},
		{"TO:<bob@army.ml\x00>", "", "", false},
		{"TO:<bob@army.ml\u0085>", "", "", false},
		{"TO:<b\xffb@army.ml>", "", "", false},
		{`TO:<"bob@army.ml>`, "", "", false},
		{"TO:<bob@" + strings.Repeat("a", 511) + ">", "", "", false},
	}
	for _, tc := range tests {
		p, ok := parsePath(tc.arg, "TO:")
		if ok != tc.ok || ok && (p.String() != tc.want || p.ascii != tc.ascii) {
			t.Errorf("%q: got %q, %q, %v", tc.arg, p.String(), p.ascii, ok)
		}
	}
}
