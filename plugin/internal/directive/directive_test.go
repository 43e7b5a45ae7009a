package directive

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy/caddyfile"
)

// guard is what reads the directives of these tests.
type guard struct{ got []string }

var guardTable = []Property[*guard]{
	Many("x", (*guard).line),
	Many("rules", (*guard).rules).WithBlock(),
	Once("y", (*guard).line),
	Text("say", (*guard).line),
	Once("wait", (*guard).wait),
	Once("pause", (*guard).pause),
	Once("bad", func(*guard, Line) error { return errors.New("bad as can be") }),
	Once("placed", func(*guard, Line) error { return fmt.Errorf("so: %w", Placed{errors.New("elsewhere:1: bad")}) }),
}

func (g *guard) line(l Line) error {
	g.got = append(g.got, strings.Join(append([]string{l.Name}, l.Args...), " "))
	return nil
}

func (g *guard) rules(l Line) error {
	if err := g.line(l); l.Block == nil {
		return err
	}
	g.got = append(g.got, "{")
	for _, rule := range l.Block {
		g.got = append(g.got, strings.Join(append([]string{rule.Name}, rule.Args...), " ")+" at "+rule.Where)
	}
	g.got = append(g.got, "}")
	return nil
}

func (g *guard) wait(l Line) error  { return g.duration(l, time.Second, time.Hour) }
func (g *guard) pause(l Line) error { return g.duration(l, 10*time.Millisecond, time.Second) }

func (g *guard) duration(l Line, least, most time.Duration) error {
	d, err := l.Duration(least, most)
	g.got = append(g.got, l.Name+" "+Duration(d)+" at "+l.Where)
	return err
}

// read reads all directives named "guard" as a plugin does, and returns the
// properties of each with their arguments.
func read(d *caddyfile.Dispenser) (string, error) {
	g := new(guard)
	for d.Next() {
		if err := Begin(d, "guard"); err != nil {
			return "", err
		}
		words, err := Words(d)
		if err != nil {
			return "", err
		}
		g.got = append(g.got, strings.Join(append([]string{"guard"}, words...), " "))
		if err := Block(d, "guard", guardTable, g); err != nil {
			return "", err
		}
	}
	return strings.Join(g.got, ", "), nil
}

func TestDirective(t *testing.T) {
	t.Setenv("ONE", "1")
	t.Setenv("TWO", "1 2")
	const at = "Corefile:%d - Error during parsing: "
	tests := []struct {
		name     string
		corefile string // from the second line on
		want     string
		line     int // of the error
		err      string
	}{
		{"no block", "guard a", "guard a", 0, ""},
		{"empty block", "guard a {\n}\nguard b { }", "guard a, guard b", 0, ""},
		{"block", "guard a {\n x 1 2\n y\n}\nguard b", "guard a, x 1 2, y, guard b", 0, ""},
		{"several times", "guard {\n x 1\n y 1\n x 2\n}\nguard {\n y 2\n}", "guard, x 1, y 1, x 2, guard, y 2", 0, ""},
		{"text", "guard {\n say \"see you\" again\n}", "guard, say see you again", 0, ""},
		{"variable", "guard {\n x {$ONE}\n}", "guard, x 1", 0, ""},
		{"durations", "guard {\n wait 90\n pause 1s\n}", "guard, wait 1m30s at Corefile:3, pause 1s at Corefile:4", 0, ""},

		{"inner block", "guard {\n rules a b {\n  one 1 2\n  two\n }\n x 1\n}", "guard, rules a b, {, one 1 2 at Corefile:4, two at Corefile:5, }, x 1", 0, ""},
		{"inner block on one line", "guard {\n rules { one 1; two 2 }\n x 1\n}", "guard, rules, {, one 1 at Corefile:3, two 2 at Corefile:3, }, x 1", 0, ""},
		{"inner block with semicolons", "guard {\n rules {\n  one 1 ;\n  two;\n }\n}", "guard, rules, {, one 1 at Corefile:4, two at Corefile:5, }", 0, ""},
		{"empty inner block", "guard {\n rules a {\n }\n}", "guard, rules a, {, }", 0, ""},
		{"no inner block", "guard {\n rules a\n x\n}", "guard, rules a, x", 0, ""},
		{"block in an inner block", "guard {\n rules {\n  one {\n  }\n }\n}", "", 4, "a block within that of rules: remove the '{' and its '}'"},
		{"variable in an inner block", "guard {\n rules {\n  one {$TWO}\n }\n}", "", 4, "rules: \"1 2\" is one word with a blank in it"},
		{"inner block of another property", "guard {\n x {\n  one\n }\n}", "", 3, "x takes no block: remove the '{' and its '}'"},

		{"block on one line", "guard a { x 1 }", "", 2, "'}' follows x: write each property on a line of its own"},
		{"'}' behind the last property", "guard {\n x 1\n y }", "", 4, "'}' follows y: write each property"},
		{"'{' on a line of its own", "guard a\n{\n x 1\n}", "", 3, "'{' begins a line: write it at the end of the line above, behind guard"},
		{"word behind the block", "guard {\n x 1\n} y", "", 4, "'y' follows the '}' of guard: begin a new line for it"},
		{"unknown property", "guard {\n zz 1\n}", "", 3, "unknown property 'zz': want x, rules, y, say, wait, pause, bad or placed"},
		{"unknown property with a block", "guard {\n zz {\n y\n }\n}", "", 3, "unknown property 'zz': want x, rules, y, say"},
		{"'}' that is missing", "guard {\n x 1\nforward . 192.0.2.53", "", 4, "'forward' is in the block of guard: its '}' is missing above"},
		{"'}' that is missing above a plugin with a block", "guard {\n x 1\ncache {\n success 10\n}", "", 4, "'cache' is in the block of guard: its '}' is missing above"},
		{"block in a block", "guard {\n x 1 {\n y\n }\n}", "", 3, "x takes no block: remove the '{' and its '}'"},
		{"twice", "guard {\n y 1\n x 1\n y 1\n}", "", 5, "y is given twice, first at Corefile:3: remove one"},
		{"error of a row", "guard {\n bad\n}", "", 3, "bad as can be"},

		{"variable that is not set", "guard {\n x {$NONE}\n}", "", 3, `x: "" is an empty word: set the {$VARIABLE} that it comes from, or remove it`},
		{"variable of two words", "guard {\n x {$TWO}\n}", "", 3, `x: "1 2" is one word with a blank in it: a {$VARIABLE} or quotes make one word, so write several in the Corefile itself`},
		{"variable behind the name", "guard {$TWO}", "", 2, `guard: "1 2" is one word with a blank in it: a {$VARIABLE} or quotes make one word`},
		{"variable behind the name that is not set", "guard {$NONE} {\n x\n}", "", 2, `guard: "" is an empty word`},
		{"variable of a whole line", "guard {\n {$TWO}\n}", "", 3, `"1 2" is one word with a blank in it`},
		{"quotes", "guard {\n x \"\t\"\n}", "", 3, `x: "\t" is one word with a blank in it`},

		{"no duration", "guard {\n wait\n}", "", 3, "wait needs one duration, such as 'wait 1m', got 0"},
		{"two durations", "guard {\n pause 1s 1s\n}", "", 3, "pause needs one duration, such as 'pause 1s', got 2"},
		{"word for a duration", "guard {\n wait long\n}", "", 3, `wait: "long" is not a duration such as 60s, 5m or 1h`},
		{"duration too long", "guard {\n wait 61m\n}", "", 3, "wait 61m: want whole seconds from 1s to 1h"},
		{"duration too short", "guard {\n pause 1ms\n}", "", 3, "pause 1ms: want a duration from 10ms to 1s"},
		{"duration below zero", "guard {\n wait -1\n}", "", 3, "wait -1: want whole seconds from 1s to 1h"},
		{"duration of a fraction", "guard {\n wait 1500ms\n}", "", 3, "wait 1500ms: want whole seconds from 1s to 1h"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := read(dispenser(t, tc.corefile))
			switch {
			case tc.err == "" && (err != nil || got != tc.want):
				t.Errorf("Got %q and error %v, want %q", got, err, tc.want)
			case tc.err != "" && (err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf(at, tc.line)+tc.err)):
				t.Errorf("Got error %v, want %q", err, tc.err)
			}
		})
	}
}

// dispenser returns the words of guard as a plugin gets them from the server.
func dispenser(t *testing.T, corefile string) *caddyfile.Dispenser {
	t.Helper()
	blocks, err := caddyfile.Parse("Corefile", strings.NewReader(". {\n"+corefile+"\n}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	d := caddyfile.NewDispenserTokens("Corefile", blocks[0].Tokens["guard"])
	return &d
}

func TestPlacedError(t *testing.T) {
	_, err := read(dispenser(t, "guard {\n placed\n}"))
	if err == nil || err.Error() != "so: elsewhere:1: bad" {
		t.Errorf("Got error %v, want it as it is", err)
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
