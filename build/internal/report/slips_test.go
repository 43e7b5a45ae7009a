package report

import (
	"strings"
	"testing"
)

// drawing writes cells as two lines, with a third that marks the slips.
func drawing(cells []Cell) string {
	var over, under, marks strings.Builder
	put := func(b *strings.Builder, s string) {
		if s == "" {
			s = "·"
		}
		b.WriteString(s)
	}
	for _, c := range cells {
		put(&over, c.Over)
		put(&under, c.Under)
		if c.Slip == "" {
			marks.WriteByte(' ')
		} else {
			marks.WriteByte('^')
		}
	}
	return over.String() + "\n" + under.String() + "\n" + strings.TrimRight(marks.String(), " ")
}

func TestCells(t *testing.T) {
	tests := []struct{ name, protected, want string }{
		{"army.ml", "army.mil", "army.mil\narmy.m·l\n      ^"},
		{"amry.ml", "army.mil", "army.mil\namry.m·l\n ^^   ^"},
		{"arrny.ml", "army.mil", "arm·y.mil\narrny.m·l\n  ^^   ^"},
		{"mail.army.ml", "army.mil", "·····army.mil\nmail.army.m·l\n^^^^^      ^"},
		{"army.mil.ml", "army.mil", "army.mil···\narmy.mil.ml\n        ^^^"},
		{"us-af.ml", "us.af.mil", "us.af.mil\nus-af.m·l\n  ^    ^"},
		{"xn--rmy-5cd.ml", "army.mil", "army.mil\nаrmy.m·l\n^     ^"},
		{"example.de", "example.com", "example.com\nexample.de·\n        ^^^"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := drawing(Draw(tc.protected, tc.name, SlipsOf(tc.name, tc.protected)).Cells); got != tc.want {
				t.Errorf("Got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func TestCellsThatDoNotFit(t *testing.T) {
	tests := []struct {
		name  string
		slips []Slip
	}{
		{"beyond the end", []Slip{{"omission", 7, "il", ""}}},
		{"another letter", []Slip{{"omission", 0, "b", ""}}},
		{"one over the other", []Slip{{"omission", 0, "arm", ""}, {"omission", 1, "r", ""}}},
		{"before the beginning", []Slip{{"omission", -1, "", "a"}}},
		{"none", nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := Draw("army.mil", "army.ml", tc.slips); got != nil {
				t.Errorf("Got %v", got)
			}
		})
	}
	if got := SlipsOf("example.ml", "army.mil"); got != nil {
		t.Errorf("Got slips %v of a name that resembles nothing", got)
	}
}
