package names

import (
	"bytes"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
)

// foreign are the lines of lists that other products read. Each gets an error
// of its own. Read as a name or a comment, it would guard nothing or leave half
// a list, and "more than one word" tells nobody why.
//
// A pattern holds for the whole line, without the blanks around it, but with its
// comment. Its group, where it has one, is the name in the line.
var foreign = []struct {
	what    string // as the message calls it
	pattern *regexp.Regexp
}{
	{"an exception of an ad blocker's list (AdBlock)", regexp.MustCompile(`^@@\|{0,2}(?:[a-z]+://)?([^/^|$*]*)`)},
	{adBlock, regexp.MustCompile(`^\|{1,2}(?:[a-z]+://)?([^/^|$*]*)`)},
	{adBlock, regexp.MustCompile(`^([^\s#/^]+)\^(?:\$.*)?$`)},
	{"a comment of an ad blocker's list (AdBlock)", regexp.MustCompile(`^!`)},
	{"the head of an ad blocker's list (AdBlock)", regexp.MustCompile(`(?i)^\[Adblock`)},
	{"a comment of a zone file (RPZ)", regexp.MustCompile(`^;`)},
	{"a comment of a zone file (RPZ)", regexp.MustCompile(`^([^\s#;]+)\s*;`)},
	{"a line of a zone file (RPZ)", regexp.MustCompile(`(?i)^\$(?:TTL|ORIGIN|INCLUDE|GENERATE)\b`)},
	{"a record of a zone file (RPZ)", regexp.MustCompile(`(?i)^(?:\*\.)?(\S+?)\.?\s+(?:(?:\d+[smhdw]?|IN|CH|HS)\s+){0,2}` +
		`(?:(?:SOA|NS|CNAME|DNAME|TXT|PTR|SRV)\s+\S|(?:A|MX)\s+\d|AAAA\s+\S*:)`)},
	{"a line of dnsmasq's configuration", regexp.MustCompile(`^[a-z-]+=/?([^/,]*)`)},
	{"a line of Unbound's configuration", regexp.MustCompile(`^(?:[a-z-]+-(?:zone|data|insecure|addr|include)|server|name):(?:\s*"?([\w.-]*)|$)`)},
	{"a line of BIND's configuration", regexp.MustCompile(`^zone\s+"?([\w.-]+)"?`)},
	{"a line of a mail server's table", regexp.MustCompile(`^(\S+)\s+(?:OK|REJECT|DISCARD|DUNNO|PERMIT|\w+:\S*)(?:\s|$)`)},
	{"a rule of a proxy", regexp.MustCompile(`^(?i:[A-Z]+(?:-[A-Z]+)?)\s*[:,]\s*([\w-]+\.[\w.-]+)`)},
	{"HTML or XML, as the error page of a web server is", regexp.MustCompile(`^<`)},
	{"a regular expression", regexp.MustCompile(`^/.*/$|^\^|^\(|\$$`)},
	{"JSON", regexp.MustCompile(`^[\[{\]}]|^"[^"]*"\s*[:,]`)},
	{"YAML", regexp.MustCompile(`^---$|^-\s+["']?([\w.-]+)`)},
	{"a name in quotes", regexp.MustCompile(`^["']([^"']*)["']$`)},
	{"CSV", regexp.MustCompile(`^["']?([\w.-]+)["']?\s*[,;|\t]`)},
	{"a comment of a programming language", regexp.MustCompile(`^(?://|/\*|--(?:\s|$))`)},
}

const adBlock = "a rule of an ad blocker's list (AdBlock)"

// cosmetic reports whether a line is a rule of an ad blocker's list for a part of
// a page: "example.org##.banner". It is the one kind of foreign line that would
// be read as a name, with a comment behind it.
func cosmetic(line []byte) bool {
	before, after, _ := bytes.Cut(bytes.TrimSpace(line), []byte{'#'})
	if len(after) > 0 && bytes.IndexByte([]byte("@?$%"), after[0]) >= 0 {
		after = after[1:]
	}
	return len(before) > 0 && !bytes.ContainsAny(before, " \t") && bytes.HasPrefix(after, []byte{'#'})
}

// checkForeign returns an error where line, without blanks around it, is one of
// another product's list.
func checkForeign(line string) error {
	if words := strings.Fields(line); len(words) > 1 {
		if _, err := netip.ParseAddr(words[0]); err == nil {
			return errForeign("a line of a hosts file", words[1])
		}
	}
	for _, f := range foreign {
		if m := f.pattern.FindStringSubmatch(line); m != nil {
			return errForeign(f.what, m[len(m)-1])
		}
	}
	return nil
}

// errForeign says what the line is and how the name in it is written here.
func errForeign(what, name string) error {
	if name, err := Parse(strings.TrimPrefix(name, "*.")); err == nil {
		return fmt.Errorf("%s: write the name alone, %s", what, name)
	}
	return fmt.Errorf("%s: write plain names, one per line, and comments after a #", what)
}
