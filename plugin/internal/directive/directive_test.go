package directive

import (
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy/caddyfile"
)

// words reads all directives named "guard" as a plugin does, and returns the
// properties of each with their arguments.
func words(d *caddyfile.Dispenser) (string, error) {
	var all []string
	for d.Next() {
		if err := Begin(d, "guard"); err != nil {
			return "", err
		}
		all = append(all, strings.Join(append([]string{"guard"}, d.RemainingArgs()...), " "))
		for d.NextBlock() {
			property := d.Val()
			if len(property) > 1 {
				return "", Unknown(d, "guard", property, "x or y")
			}
			args, err := Args(d)
			if err != nil {
				return "", err
			}
			all = append(all, strings.Join(append([]string{property}, args...), " "))
		}
	}
	return strings.Join(all, ", "), nil
}

func TestDirective(t *testing.T) {
	tests := []struct {
		name     string
		corefile string // from the second line on
		want     string
		err      string
	}{
		{"no block", "guard a", "guard a", ""},
		{"empty block", "guard a {\n}\nguard b { }", "guard a, guard b", ""},
		{"block", "guard a {\n x 1 2\n y\n}\nguard b", "guard a, x 1 2, y, guard b", ""},

		{"block on one line", "guard a { x 1 }", "", "Corefile:2 - Error during parsing: '}' stands behind x: write each property on a line of its own"},
		{"'}' behind the last property", "guard {\n x 1\n y }", "", "Corefile:4 - Error during parsing: '}' stands behind y: write each property"},
		{"'{' on a line of its own", "guard a\n{\n x 1\n}", "", "Corefile:3 - Error during parsing: '{' begins a line: write it at the end of the line above, behind guard"},
		{"word behind the block", "guard {\n x 1\n} y", "", "Corefile:4 - Error during parsing: 'y' stands behind the '}' of guard: begin a new line for it"},
		{"unknown property", "guard {\n zz 1\n}", "", "Corefile:3 - Error during parsing: unknown property 'zz': want x or y"},
		{"'}' that is missing", "guard {\n x 1\nforward . 192.0.2.53", "", "Corefile:4 - Error during parsing: 'forward' stands in the block of guard: the '}' of that is missing above it"},
		{"block in a block", "guard {\n x 1 {\n y\n }\n}", "", "Corefile:3 - Error during parsing: x takes no block: remove the '{' and its '}'"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			// As the server does, so that the words are those that a plugin gets.
			blocks, err := caddyfile.Parse("Corefile", strings.NewReader(". {\n"+tc.corefile+"\n}\n"), nil)
			if err != nil {
				t.Fatal(err)
			}
			d := caddyfile.NewDispenserTokens("Corefile", blocks[0].Tokens["guard"])
			got, err := words(&d)
			switch {
			case tc.err == "" && (err != nil || got != tc.want):
				t.Errorf("Got %q and error %v, want %q", got, err, tc.want)
			case tc.err != "" && (err == nil || !strings.HasPrefix(err.Error(), tc.err)):
				t.Errorf("Got error %v, want %q", err, tc.err)
			}
		})
	}
}

func TestDuration(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{10 * time.Millisecond, "10ms"},
		{10 * time.Second, "10s"},
		{time.Minute, "1m"},
		{10*time.Minute + 10*time.Second, "10m10s"},
		{time.Hour, "1h"},
		{time.Hour + 30*time.Minute, "1h30m"},
		{24 * time.Hour, "24h"},
		{0, "0s"},
	}
	for _, tc := range tests {
		if got := Duration(tc.d); got != tc.want {
			t.Errorf("Got %s, want %s", got, tc.want)
		}
	}
}
