package soctest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Condition evaluates text: leaves joined by and, or, not and parentheses,
// where not binds closest, then and. Words may be in upper case; two terms side
// by side are joined by and. The pattern of a leaf begins with ^.
func Condition(text string, leaf *regexp.Regexp, holds func(leaf string) (bool, error)) (bool, error) {
	c := condition{rest: text, leaf: leaf, holds: holds}
	result := c.or()
	if c.skip(); c.err == nil && c.rest != "" {
		c.fail("nothing more")
	}
	return result, c.err
}

// condition is what remains of a condition. After an error, results mean
// nothing.
type condition struct {
	rest  string
	leaf  *regexp.Regexp
	holds func(string) (bool, error)
	err   error
}

func (c *condition) or() bool {
	result := c.and()
	for c.err == nil && c.word("or") {
		right := c.and()
		result = result || right
	}
	return result
}

func (c *condition) and() bool {
	result := c.term()
	for c.err == nil {
		joined := c.word("and")
		if c.skip(); !joined && (c.rest == "" || c.rest[0] == ')' || c.begins("or")) {
			break
		}
		right := c.term()
		result = result && right
	}
	return result
}

func (c *condition) term() bool {
	switch {
	case c.word("not"):
		return !c.term()
	case c.symbol("("):
		result := c.or()
		if !c.symbol(")") {
			c.fail(")")
		}
		return result
	}
	found := c.leaf.FindString(c.rest)
	if found == "" || c.begins("and") || c.begins("or") {
		c.fail("a term")
		return false
	}
	c.rest = c.rest[len(found):]
	result, err := c.holds(found)
	if err != nil && c.err == nil {
		c.err = err
	}
	return result
}

func (c *condition) skip() { c.rest = strings.TrimLeft(c.rest, " \t\n") }

func (c *condition) symbol(s string) bool {
	c.skip()
	rest, found := strings.CutPrefix(c.rest, s)
	c.rest = rest
	return found
}

// begins reports whether a word comes next.
func (c *condition) begins(word string) bool {
	c.skip()
	n := len(word)
	return len(c.rest) >= n && strings.EqualFold(c.rest[:n], word) && (len(c.rest) == n || strings.ContainsRune(" \t\n()", rune(c.rest[n])))
}

func (c *condition) word(word string) bool {
	found := c.begins(word)
	if found {
		c.rest = c.rest[len(word):]
	}
	return found
}

func (c *condition) fail(want string) {
	if c.err == nil {
		c.err = fmt.Errorf("got %q, want %s", c.rest, want)
	}
}

// Matches reports whether a field has a value that a pattern with * matches, in
// any case of letters.
func (r Record) Matches(path, pattern string) bool {
	parts := strings.Split(pattern, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	whole := regexp.MustCompile("(?is)^" + strings.Join(parts, ".*") + "$")
	return slices.ContainsFunc(r[path], whole.MatchString)
}
