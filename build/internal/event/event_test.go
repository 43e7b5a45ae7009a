package event

import (
	"slices"
	"testing"
)

func TestDomains(t *testing.T) {
	for _, row := range []struct {
		name string
		e    Event
		want []string
	}{
		{"a recipient", Event{Recipient: "bob@example.ml"}, []string{"example.ml"}},
		{"as typed, not as delivered", Event{Recipient: "bob@example.net", Original: "bob@example.ml"}, []string{"example.net", "example.ml"}},
		{"the same name in another case", Event{Recipient: "bob@example.ml", Original: "Bob@Example.ML"}, []string{"example.ml"}},
		{"two users of one domain", Event{Recipient: "bob@example.ml", Original: "eve@example.ml."}, []string{"example.ml"}},
		{"a final dot", Event{Recipient: "bob@example.ml."}, []string{"example.ml"}},
		{"an @ in a quoted local part", Event{Recipient: `"a@b"@example.ml`}, []string{"example.ml"}},
		{"a quoted local part alone", Event{Recipient: `"a@b"`}, nil},
		{"a local address, and one that was typed", Event{Recipient: "bob", Original: "bob@example.ml"}, []string{"example.ml"}},
		{"an address literal", Event{Recipient: "bob@[192.0.2.1]"}, nil},
		{"letters beyond ASCII", Event{Recipient: "bob@еxample.ml"}, []string{"еxample.ml"}},
		{"a query", Event{Name: "Example.ml.", Qtype: "MX"}, []string{"Example.ml"}},
		{"a query for the root", Event{Name: "."}, []string{"."}},
		{"a label that ends in a dot", Event{Name: `example.ml\.`}, []string{`example.ml\.`}},
		{"a label that ends in a backslash", Event{Name: `example.ml\\.`}, []string{`example.ml\\`}},
		{"a query whose name nobody wants", Event{Name: ".", Bare: true}, nil},
		{"nothing", Event{}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.e.Domains(); !slices.Equal(got, row.want) {
				t.Errorf("Domains() = %q, want %q", got, row.want)
			}
		})
	}
}

func TestOutcomes(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range Outcomes() {
		if o.String() == "" || o.Text() == "" || seen[o.String()] {
			t.Errorf("outcome %d has name %q and text %q: want a name of its own, and a text", o, o.String(), o.Text())
		}
		seen[o.String()] = true
	}
	if !seen["delivered"] || !seen["rejected"] {
		t.Errorf("Outcomes() = %v, want all", Outcomes())
	}
}
