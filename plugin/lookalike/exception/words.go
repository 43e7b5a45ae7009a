package exception

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/address"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// maxText is the most characters of an owner, a reason or a ticket. All three
// fit into an alert, and a log line stays readable.
const maxText = 200

// word is a word that may follow a name.
type word struct {
	key     string
	example string
	set     func(e *Entry, value string) error
	get     func(e *Entry) string // as Parse reads it; empty: not given
}

// words lists them in the order in which String writes them.
var words = []word{
	{"until", "until=2027-03-31",
		func(e *Entry, value string) (err error) { e.Until, e.Day, err = parseEnd(value); return err },
		(*Entry).End},
	{"owner", "owner=mail-team@example.net",
		func(e *Entry, value string) error { return setText(&e.Owner, value) },
		func(e *Entry) string { return e.Owner }},
	{"reason", `reason="pension payments"`,
		func(e *Entry, value string) error { return setText(&e.Reason, value) },
		func(e *Entry) string { return e.Reason }},
	{"ticket", "ticket=SEC-1234",
		func(e *Entry, value string) error { return setText(&e.Ticket, value) },
		func(e *Entry) string { return e.Ticket }},
	{"added", "added=2026-11-26",
		func(e *Entry, value string) (err error) { e.Added, _, err = parseTime(value); return err },
		func(e *Entry) string { return formatAdded(e.Added) }},
	{"clients", "clients=192.0.2.25",
		(*Entry).setClients,
		func(e *Entry) string { return strings.Join(prefixes(e.Clients), ",") }},
	{"class", "class=typo",
		(*Entry).setClasses,
		func(e *Entry) string { return strings.Join(e.Classes.list(), ",") }},
}

func wordOf(key string) *word {
	for i := range words {
		if words[i].key == key {
			return &words[i]
		}
	}
	return nil
}

// Keys returns the keys of the words, in the order in which String writes them.
func Keys() []string {
	keys := make([]string, len(words))
	for i, w := range words {
		keys[i] = w.key
	}
	return keys
}

// Example returns a word with this key, as written in an allow file.
func Example(key string) string { return wordOf(key).example }

// Get returns the value of a word in the form that Parse reads, or the empty
// string if it is not given.
func (e *Entry) Get(key string) string { return wordOf(key).get(e) }

// Begins reports whether s, the text after a name, begins with a word rather
// than a note.
func Begins(s string) bool {
	key, _, ok := strings.Cut(strings.TrimSpace(s), "=")
	key = strings.TrimRightFunc(key, unicode.IsSpace) // Parse says that no blanks belong there
	return ok && key != "" && strings.Trim(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-") == ""
}

// Parse reads the words after a name: KEY=VALUE in any order. A value with
// blanks, a # or quotes needs double quotes around it, and a backslash before
// each of its own quotes. A comment may follow. Errors name the cure.
func Parse(name, s string) (*Entry, error) {
	e := &Entry{Name: name}
	seen := make(map[string]bool, len(words))
	for {
		key, value, rest, err := next(s)
		if err != nil || key == "" {
			if err == nil {
				err = e.check()
			}
			return e, err
		}
		if s = rest; seen[key] {
			return nil, fmt.Errorf("%s is given twice: remove one", key)
		}
		seen[key] = true
		if err := e.Set(key, value); err != nil {
			return nil, err
		}
	}
}

// Set sets a word. Its errors are like those of Parse.
func (e *Entry) Set(key, value string) error {
	w := wordOf(key)
	switch {
	case w == nil:
		return fmt.Errorf("unknown word %q: want %s", text.Shorten(key, 32), text.Join(Keys(), "or"))
	case strings.TrimSpace(value) == "":
		return fmt.Errorf("%s has no value: write, for example, %s, with quotes around a # or blanks, or leave it out", key, w.example)
	}
	if err := w.set(e, value); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return nil
}

// check returns an error if words contradict each other.
func (e *Entry) check() error {
	if !e.Added.IsZero() && !e.Until.IsZero() && !e.Added.Before(e.Until) {
		return fmt.Errorf("added=%s is not before until=%s: correct one of them", formatAdded(e.Added), e.End())
	}
	return nil
}

// next returns the first word of s and the rest. The key is empty if only a
// comment is left.
func next(s string) (key, value, rest string, err error) {
	s = strings.TrimLeftFunc(s, unicode.IsSpace)
	if s == "" || s[0] == '#' {
		return "", "", "", nil
	}
	end := strings.IndexFunc(s, func(c rune) bool { return c == '=' || c == '#' || c == '"' || unicode.IsSpace(c) })
	if end > 0 && unicode.IsSpace(rune(s[end])) {
		value, apart := strings.CutPrefix(strings.TrimLeftFunc(s[end:], unicode.IsSpace), "=")
		if w := wordOf(s[:end]); w != nil && apart {
			return "", "", "", w.spaced(value)
		}
	}
	if end <= 0 || s[end] != '=' {
		if end <= 0 {
			end = len(s)
		}
		return "", "", "", fmt.Errorf("%q is not KEY=VALUE: write words such as %s, and notes after a #", text.Shorten(s[:end], 32), words[0].example)
	}
	key, s = s[:end], s[end+1:]
	if strings.HasPrefix(s, `"`) {
		value, rest, err = quoted(key, s[1:])
		return key, value, rest, err
	}
	end = strings.IndexFunc(s, func(c rune) bool { return c == '#' || c == '"' || unicode.IsSpace(c) })
	if end < 0 {
		return key, s, "", nil
	}
	if s[end] == '"' {
		return "", "", "", fmt.Errorf(`%s has quotes within its value: put them around all of it, %[1]s="..."`, key)
	}
	return key, s[:end], s[end:], nil
}

// spaced is the error of a word with blanks before its =, and value behind that.
func (w *word) spaced(value string) error {
	cure := w.key + "=" + text.Shorten(strings.TrimSpace(value), 64)
	if strings.HasSuffix(cure, "=") || strings.ContainsFunc(cure, text.Unsafe) {
		cure = w.example
	}
	return fmt.Errorf("blanks before the = of %s: write %s", w.key, cure)
}

// quoted reads a value up to the closing quotes, and returns the rest.
func quoted(key, s string) (value, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\'):
			i++
			b.WriteByte(s[i])
		case c == '"':
			rest = s[i+1:]
			if first, _ := utf8.DecodeRuneInString(rest); rest != "" && first != '#' && !unicode.IsSpace(first) {
				return "", "", fmt.Errorf(`%s continues after its quotes: put them around the whole value, and write \" for quotes in it`, key)
			}
			return b.String(), rest, nil
		default:
			b.WriteByte(c)
		}
	}
	return "", "", fmt.Errorf(`the quotes of %s are not closed: write %[1]s="..." on one line`, key)
}

func setText(field *string, value string) error {
	switch n := utf8.RuneCountInString(value); {
	case !utf8.ValidString(value):
		return errors.New("not UTF-8: save the file as UTF-8")
	case strings.ContainsFunc(value, text.Unsafe):
		return errors.New("has an invisible character: remove it")
	case n > maxText:
		return fmt.Errorf("%d characters: write at most %d, and put the rest into the ticket", n, maxText)
	}
	*field = strings.Clone(value)
	return nil
}

const day = 24 * time.Hour

// errTime is the error for a text that is not a time.
var errTime = errors.New("not a calendar day: write YYYY-MM-DD, such as 2027-03-31, or a time with its zone, such as 2027-03-31T12:00:00Z")

// parseTime reads a day, as its first moment in UTC, or a time of RFC 3339.
func parseTime(s string) (t time.Time, isDay bool, err error) {
	if t, err = time.Parse(time.DateOnly, s); err == nil {
		isDay = true
	} else if t, err = time.Parse(time.RFC3339, s); err != nil {
		return t, false, fmt.Errorf("%q is %w", text.Shorten(s, 32), errTime)
	}
	if t = t.UTC(); t.Year() < 2000 || t.Year() > 9998 {
		return t, false, fmt.Errorf("%q is out of range: write a year such as %d", text.Shorten(s, 32), 2027)
	}
	return t, isDay, nil
}

// parseEnd reads the end of an entry. A day counts to its end.
func parseEnd(s string) (t time.Time, isDay bool, err error) {
	t, isDay, err = parseTime(s)
	if isDay {
		t = t.Add(day)
	}
	return t, isDay, err
}

// formatEnd is the inverse of parseEnd.
func formatEnd(t time.Time, isDay bool) string {
	switch {
	case t.IsZero():
		return ""
	case isDay:
		return t.Add(-day).Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}

// formatAdded writes a time in the form that parseTime reads: as a day if it is
// the first moment of one.
func formatAdded(t time.Time) string {
	switch {
	case t.IsZero():
		return ""
	case t.Equal(t.Truncate(day)):
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}

// list splits the value of a word that may name several items.
func list(value string) []string {
	return strings.FieldsFunc(value, func(c rune) bool { return c == ',' || unicode.IsSpace(c) })
}

func (e *Entry) setClients(value string) error {
	for _, s := range list(value) {
		prefix, err := address.ParsePrefix(s)
		if err != nil {
			return fmt.Errorf("%q is not a CIDR or an IP address: write, for example, 192.0.2.0/24 or 2001:db8::25, with commas between several", text.Shorten(s, 64))
		}
		e.Clients = append(e.Clients, prefix)
	}
	if len(e.Clients) == 0 {
		return errors.New("names no client: write, for example, 192.0.2.25, with commas between several")
	}
	return nil
}

func (e *Entry) setClasses(value string) error {
	for _, s := range list(value) {
		class, err := detect.ParseClass(s)
		if err != nil || class == detect.None {
			all := make([]string, len(detect.Classes()))
			for i, c := range detect.Classes() {
				all[i] = c.String()
			}
			return fmt.Errorf("%q is not a class: want %s, with commas between several", text.Shorten(s, 32), text.Join(all, "or"))
		}
		e.Classes |= 1 << class
	}
	if e.Classes == 0 {
		return errors.New("names no class: write, for example, typo, with commas between several")
	}
	return nil
}

func prefixes(all []netip.Prefix) []string {
	list := make([]string, len(all))
	for i, p := range all {
		if list[i] = p.String(); p.IsSingleIP() {
			list[i] = p.Addr().String()
		}
	}
	return list
}

// String returns the entry as a line of an allow file, without a line end.
func (e *Entry) String() string {
	var b strings.Builder
	b.WriteString(e.Name)
	if !strings.Contains(e.Name, ".") {
		b.Reset()
		b.WriteString("*." + e.Name)
	}
	for _, w := range words {
		value := w.get(e)
		if value == "" {
			continue
		}
		b.WriteString(" " + w.key + "=")
		if strings.ContainsFunc(value, func(c rune) bool { return c == '#' || c == '"' || unicode.IsSpace(c) }) {
			value = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
		}
		b.WriteString(value)
	}
	return b.String()
}
