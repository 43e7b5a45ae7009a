package serving

import (
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
)

// TestAnswering: each block is known by its first key.
func TestAnswering(t *testing.T) {
	tests := []struct {
		name, corefile, qname string
		want                  string
	}{
		{"no block", "", "army.ml", ""},
		{"no zone", "example.org", "army.ml", ""},
		{"the longest zone", ".; ml; army.ml", "mx.ARMY.ml.", "army.ml"},
		{"two ports", ".:53; ml:54", "army.ml", ".:53 ml:54"},
		{"two addresses of one block", "./bind 192.0.2.1 192.0.2.2; ml/bind 192.0.2.1", "army.ml", "ml ."},
		{"a view leaves some to the next", "ml/view a; ml:53; .", "army.ml", "ml ml:53"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var text strings.Builder
			for block := range strings.SplitSeq(tc.corefile, "; ") {
				if keys, line, _ := strings.Cut(block, "/"); keys != "" {
					text.WriteString(keys + " {\n" + line + "\n}\n")
				}
			}
			parsed, err := caddyfile.Parse("Corefile", strings.NewReader(text.String()), nil)
			if err != nil {
				t.Fatal(err)
			}
			var blocks Blocks[string]
			for _, block := range parsed {
				if err := blocks.Add(block, block.Keys[0]); err != nil {
					t.Fatal(err)
				}
			}
			if got := blocks.Answering(tc.qname); !slices.Equal(got, strings.Fields(tc.want)) {
				t.Errorf("Got %q, want %q", got, tc.want)
			}
		})
	}
}
