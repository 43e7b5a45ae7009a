package main

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/address"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// filterFlags defines the flags that choose alerts.
func filterFlags(fs *flag.FlagSet, f *alertlog.Filter) {
	fs.Func("client", "", func(s string) (err error) {
		if f.Client, err = address.ParsePrefix(s); err != nil {
			err = errors.New("want an address or a network such as 192.0.2.0/24")
		}
		return err
	})
	fs.Func("class", "", func(s string) (err error) {
		if f.Class, err = detect.ParseClass(s); err != nil {
			err = fmt.Errorf("%w: want %s", err, namesOf(detect.Classes()))
		}
		return err
	})
	fs.Func("action", "", func(s string) error {
		var ok bool
		if f.Action, ok = record.ParseAction(s); !ok || f.Action == record.Off {
			return fmt.Errorf("unknown action %q: want %s", s, namesOf(record.Actions()[1:]))
		}
		return nil
	})
	for name, value := range map[string]*string{"name": &f.Name, "protected": &f.Protected} {
		fs.Func(name, "", func(s string) error {
			*value = strings.ToLower(strings.TrimSuffix(s, "."))
			return nil
		})
	}
	timeFlag(fs, "since", &f.Since)
}

// namesOf are the names of the values, for a message.
func namesOf[T fmt.Stringer](values []T) string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = v.String()
	}
	return text.Join(all, "or")
}

// timeFlag defines a flag for a time.
func timeFlag(fs *flag.FlagSet, name string, at *time.Time) {
	fs.Func(name, "", func(s string) (err error) {
		*at, _, err = parseTime(s, time.Now())
		return err
	})
}

// timeLayouts are the forms of a time, all without a zone but the first.
var timeLayouts = []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly}

// parseTime reads a time, in the zone of now where it names none, or how long before
// now it was. It reports whether the time is the beginning of a day that s names.
func parseTime(s string, now time.Time) (t time.Time, day bool, err error) {
	for _, layout := range timeLayouts {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, layout == time.DateOnly, nil
		}
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n uint16
		if _, err := fmt.Sscanf(days+";", "%d;", &n); err == nil {
			return now.AddDate(0, 0, -int(n)), false, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), false, nil
	}
	return time.Time{}, false, errors.New("want a date such as 2026-11-25, a time such as 2026-11-25T21:54, or how long ago, such as 36h or 7d")
}
