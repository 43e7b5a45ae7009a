package alert

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Spool is a `spool` line of a Corefile: where alerts wait on disk for network
// destinations, and where the counts that no alert has carried yet survive a
// crash.
type Spool struct {
	Where string // line of the Corefile, for messages

	dir   string
	limit int64 // bytes
}

const (
	defaultSpoolSize = 256 << 20
	minSpoolSize     = 1 << 20
	maxSpoolSize     = 1 << 40
)

// ParseSpool reads the words after `spool`: DIRECTORY [SIZE]. It opens nothing.
func ParseSpool(args []string) (*Spool, error) {
	if len(args) == 0 || len(args) > 2 || args[0] == "" {
		return nil, errors.New("want DIRECTORY [SIZE]")
	}
	dir, err := filepath.Abs(args[0])
	if err != nil {
		return nil, err
	}
	s := &Spool{dir: dir, limit: defaultSpoolSize}
	if len(args) == 2 {
		if s.limit, err = parseSize(args[1]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// String returns the directory and the size.
func (s *Spool) String() string { return fmt.Sprintf("%s %d", s.dir, s.limit) }

// Dir returns the directory, the empty string of a nil Spool.
func (s *Spool) Dir() string {
	if s == nil {
		return ""
	}
	return s.dir
}

// CheckSpools returns an error if two of the configurations, which are in force
// at the same time, cannot share a spool directory: the network destinations of
// each would get the alerts of the other. Over a reload, the configuration of a
// directive may change, so Open cannot tell.
func CheckSpools(configs ...Config) error {
	type use struct{ keys, names []string }
	uses := make(map[string]use) // by directory
	for _, c := range configs {
		if c.Spool == nil {
			continue
		}
		var u use
		for _, d := range c.Destinations {
			if !d.to.Direct && !slices.Contains(u.keys, d.key) {
				u.keys, u.names = append(u.keys, d.key), append(u.names, d.to.Name)
			}
		}
		slices.Sort(u.keys)
		first, shared := uses[c.Spool.dir]
		if shared && !slices.Equal(first.keys, u.keys) {
			return at(c.Spool.Where, fmt.Errorf("spool %s: two directives with different alert destinations or options cannot share it (%s; %s): give each a directory of its own",
				c.Spool.dir, listNames(first.names), listNames(u.names)))
		}
		uses[c.Spool.dir] = u
	}
	return nil
}

func listNames(names []string) string {
	if len(names) == 0 {
		return "none on the network"
	}
	return strings.Join(names, ", ")
}

// units of a size; the longest suffixes stand first.
var units = []struct {
	suffix string
	bytes  int64
}{
	{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
	{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
	{"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"t", 1 << 40}, {"b", 1}, {"", 1},
}

// parseSize reads a number with or without a unit: 256MiB, 1G, 500000000.
func parseSize(s string) (int64, error) {
	lower := strings.ToLower(s)
	for _, u := range units {
		digits, ok := strings.CutSuffix(lower, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n < 1 || n > maxSpoolSize/u.bytes || n*u.bytes < minSpoolSize {
			break
		}
		return n * u.bytes, nil
	}
	return 0, fmt.Errorf("%q is not a size from 1MiB to 1TiB", s)
}
