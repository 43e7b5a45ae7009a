package exception

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/internal/directive"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// maxDays is the longest duration that Rules may set, in days.
const maxDays = 3650

// Rules are the requirements of the Corefile for the entries of an allow file.
type Rules struct {
	where    string   // in the Corefile
	required []string // keys of words
	days     int      // longest duration of an entry; 0: any
}

// ParseRules reads the block after the files of an allow line.
func ParseRules(where string, lines []directive.Line) (*Rules, error) {
	r := &Rules{where: where}
	seen := make(map[string]bool)
	for _, l := range lines {
		var err error
		switch {
		case seen[l.Name]:
			err = errors.New("given twice: remove one")
		case l.Name == "require":
			err = r.require(l.Args)
		case l.Name == "max":
			err = r.max(l.Args)
		default:
			err = errors.New("unknown: want require WORD... or max DAYSd")
		}
		if err != nil {
			return nil, fmt.Errorf("%s: allow: %s: %w", l.Where, l.Name, err)
		}
		seen[l.Name] = true
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s: allow has an empty block: write 'require owner reason until' or 'max 365d' into it, or remove it", where)
	}
	return r, nil
}

func (r *Rules) require(keys []string) error {
	for i, key := range keys {
		if slices.Contains(keys[:i], key) {
			return fmt.Errorf("%s is named twice: remove one", key)
		}
		if wordOf(key) == nil {
			return fmt.Errorf("%q is not a word of an exception: want %s", text.Shorten(key, 32), text.Join(Keys(), "or"))
		}
	}
	if r.required = keys; len(keys) == 0 {
		return errors.New("names no word: write, for example, 'require owner reason until'")
	}
	return nil
}

func (r *Rules) max(args []string) (err error) {
	if len(args) == 1 {
		digits, ok := strings.CutSuffix(args[0], "d")
		if r.days, err = strconv.Atoi(digits); ok && err == nil && r.days >= 1 && r.days <= maxDays {
			return nil
		}
	}
	return fmt.Errorf("want one number of days from 1d to %dd, such as 365d, got %q", maxDays, strings.Join(args, " "))
}

// Check returns an error if an entry breaks the rules. The allowed days count
// from the added word of the entry or, without one, from the time now. A nil
// Rules requires nothing.
func (r *Rules) Check(e *Entry, at time.Time) error {
	if r == nil {
		return nil
	}
	var missing []string
	for _, key := range r.required {
		if wordOf(key).get(e) == "" {
			missing = append(missing, wordOf(key).example)
		}
	}
	if r.days > 0 && e.Until.IsZero() && !slices.Contains(r.required, "until") {
		missing = append(missing, wordOf("until").example)
	}
	if len(missing) > 0 {
		return fmt.Errorf("lacks words that %s requires: write, for example, %s after the name", r.where, strings.Join(missing, " "))
	}
	if r.days == 0 {
		return nil
	}
	from, last := at, e.Until
	if !e.Added.IsZero() && e.Added.Before(from) {
		from = e.Added
	}
	if e.Day {
		last = last.Add(-day)
	}
	if most := from.Add(time.Duration(r.days) * day); last.After(most) {
		return fmt.Errorf("until=%s exceeds the %d days that %s allows: write until=%s, or an earlier day", e.End(), r.days, r.where, most.UTC().Format(time.DateOnly))
	}
	return nil
}
