// Package directive parses what the directives of our plugins share: a table of
// properties, and checks for mistakes that caddy lets pass.
package directive

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/pkg/durations"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// A Property is one row of a directive's table. T is what reads the directive.
type Property[T any] struct {
	name  string
	once  bool // it may stand once in a block
	free  bool // its arguments may have blanks
	block bool // it may have a block of its own
	parse func(T, Line) error
}

// Once returns a property that may stand once in a block. An error of parse
// gets the place of the line, unless it is Placed.
func Once[T any](name string, parse func(T, Line) error) Property[T] {
	return Property[T]{name: name, once: true, parse: parse}
}

// Many returns a property that may stand several times.
func Many[T any](name string, parse func(T, Line) error) Property[T] {
	return Property[T]{name: name, parse: parse}
}

// Text returns a property like Once, whose arguments are words of a text.
func Text[T any](name string, parse func(T, Line) error) Property[T] {
	return Property[T]{name: name, once: true, free: true, parse: parse}
}

// WithBlock returns a property like p that may have a block behind its arguments.
func (p Property[T]) WithBlock() Property[T] {
	p.block = true
	return p
}

// Line is the line of one property.
type Line struct {
	Name  string
	Args  []string
	Where string // "Corefile:7"
	Block []Line // what stands between braces behind the arguments; nil: there are none
}

// Placed is an error that says where it is.
type Placed struct{ Err error }

func (p Placed) Error() string { return p.Err.Error() }

// Unwrap returns the error.
func (p Placed) Unwrap() error { return p.Err }

// Begin returns an error where the current word is not the directive name.
// Caddy passes as directives the words behind a '}', and a '{' on a line of its
// own with all that follows.
func Begin(d *caddyfile.Dispenser, name string) error {
	switch d.Val() {
	case name:
		return nil
	case "{":
		return d.Errf("'{' begins a line: write it at the end of the line above, behind %s", name)
	}
	return d.Errf("'%s' follows the '}' of %s: begin a new line for it", d.Val(), name)
}

// Words returns the words behind the name of a directive.
func Words(d *caddyfile.Dispenser) ([]string, error) {
	name, args := d.Val(), d.RemainingArgs()
	for _, arg := range args {
		if err := OneWord(arg); err != nil {
			return nil, d.Errf("%s: %v", name, err)
		}
	}
	return args, nil
}

// Block reads the block of the directive name, if it has one, and gives each
// line to the row of the table that it names.
func Block[T any](d *caddyfile.Dispenser, name string, table []Property[T], t T) error {
	seen := make(map[string]string)
	for d.NextBlock() {
		word := d.Val()
		i := slices.IndexFunc(table, func(p Property[T]) bool { return p.name == word })
		if i < 0 {
			return unknown(d, name, table)
		}
		p := table[i]
		line := Line{Name: word, Where: Where(d)}
		var err error
		if line.Args, line.Block, err = arguments(d, p.free, p.block); err != nil {
			return err
		}
		if first, again := seen[word]; again && p.once {
			return d.Errf("%s is given twice, first at %s: remove one", word, first)
		}
		seen[word] = line.Where
		var placed Placed
		if err := p.parse(t, line); errors.As(err, &placed) {
			return err
		} else if err != nil {
			return d.Err(err.Error())
		}
	}
	return nil
}

// Root returns the argument of a server block's root directive, below which
// relative paths are found, or the empty string.
func Root(block caddyfile.ServerBlock) string {
	d := caddyfile.NewDispenserTokens("", block.Tokens["root"])
	if d.Next() && d.NextArg() {
		return d.Val()
	}
	return ""
}

// Where returns the place of the current word: "Corefile:7".
func Where(d *caddyfile.Dispenser) string { return fmt.Sprintf("%s:%d", d.File(), d.Line()) }

// WhereOf returns the place of a block's first directive, which is all that
// the parser keeps of lines.
func WhereOf(path string, block caddyfile.ServerBlock) string {
	var first caddyfile.Token
	for _, tokens := range block.Tokens {
		if t := tokens[0]; cmp.Or(t.File, path) == path && (first.Line == 0 || t.Line < first.Line) {
			first = t
		}
	}
	if first.Line == 0 {
		return path
	}
	return fmt.Sprintf("%s:%d", path, first.Line)
}

// ours are the directives that CoreDNS does not know by itself.
var ours = []string{"lookalike", "rpz", "smtpreject"}

// Known reports whether word is a directive of CoreDNS or of this module.
func Known(word string) bool {
	return slices.Contains(ours, word) || slices.Contains(dnsserver.Directives, word)
}

// unknown is the error of a word that is not in the table. One that is a plugin
// stands there because a '}' is missing.
func unknown[T any](d *caddyfile.Dispenser, name string, table []Property[T]) error {
	if Known(d.Val()) {
		return d.Errf("'%s' is in the block of %s: its '}' is missing above", d.Val(), name)
	}
	if err := OneWord(d.Val()); err != nil {
		return d.Err(err.Error())
	}
	names := make([]string, len(table))
	for i, p := range table {
		names[i] = p.name
	}
	return d.Errf("unknown property '%s': want %s", d.Val(), text.Join(names, "or"))
}

// arguments returns the arguments of the property that is the current word, and
// its block.
func arguments(d *caddyfile.Dispenser, free, mayBlock bool) (args []string, block []Line, err error) {
	property := d.Val()
	args = d.RemainingArgs()
	if slices.Contains(args, "}") {
		return nil, nil, d.Errf("'}' follows %s: write each property on a line of its own, and the '}' below the last", property)
	}
	for _, arg := range args {
		if err := OneWord(arg); err != nil && !free {
			return nil, nil, d.Errf("%s: %v", property, err)
		}
	}
	if d.NextArg() { // only a brace ends the arguments of a line
		if !mayBlock {
			return nil, nil, d.Errf("%s takes no block: remove the '{' and its '}'", property)
		}
		block, err = inner(d, property)
	}
	return args, block, err
}

// inner returns the lines of the block that the current word, a brace, opens. A
// semicolon ends a line, too, so that a short block fits on one.
func inner(d *caddyfile.Dispenser, property string) ([]Line, error) {
	lines, last, ended := []Line{}, Where(d), true
	for d.Next() {
		word := d.Val()
		switch {
		case word == "}":
			return lines, nil
		case word == "{":
			return nil, d.Errf("a block within that of %s: remove the '{' and its '}'", property)
		case Where(d) != last:
			last, ended = Where(d), true
		}
		word, semicolon := strings.CutSuffix(word, ";")
		switch {
		case word == "":
		case OneWord(word) != nil:
			return nil, d.Errf("%s: %v", property, OneWord(word))
		case ended:
			lines, ended = append(lines, Line{Name: word, Where: last}), false
		default:
			l := &lines[len(lines)-1]
			l.Args = append(l.Args, word)
		}
		ended = ended || semicolon
	}
	return nil, d.Errf("the '}' that ends the block of %s is missing", property)
}

// OneWord returns an error where a word of a Corefile is empty or has blanks,
// which no property but one of Text wants.
func OneWord(word string) error {
	switch {
	case word == "":
		return errors.New(`"" is an empty word: set the {$VARIABLE} that it comes from, or remove it`)
	case strings.ContainsFunc(word, unicode.IsSpace):
		return fmt.Errorf("%q is one word with a blank in it: a {$VARIABLE} or quotes make one word, so write several in the Corefile itself",
			text.Shorten(word, 64))
	}
	return nil
}

// Arg returns the only argument of a line.
func (l Line) Arg() (string, error) {
	if len(l.Args) != 1 {
		return "", fmt.Errorf("%s needs one argument, got %d", l.Name, len(l.Args))
	}
	return l.Args[0], nil
}

// Duration reads the only argument of a line: a duration from least to most, in
// whole seconds where least is one or more. A bare number is seconds.
func (l Line) Duration(least, most time.Duration) (time.Duration, error) {
	if len(l.Args) != 1 {
		return 0, fmt.Errorf("%s needs one duration, such as '%s %s', got %d", l.Name, l.Name, Duration(min(max(least, time.Minute), most)), len(l.Args))
	}
	d, err := durations.NewDurationFromArg(l.Args[0])
	whole := least >= time.Second
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s: %q is not a duration such as 60s, 5m or 1h", l.Name, l.Args[0])
	case d >= least && d <= most && (!whole || d%time.Second == 0):
		return d, nil
	case whole:
		return 0, fmt.Errorf("%s %s: want whole seconds from %s to %s", l.Name, l.Args[0], Duration(least), Duration(most))
	}
	return 0, fmt.Errorf("%s %s: want a duration from %s to %s", l.Name, l.Args[0], Duration(least), Duration(most))
}

// Duration returns d without the zeros that its String has: 1h, not 1h0m0s.
func Duration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-len("0s")]
		}
	}
	return s
}
