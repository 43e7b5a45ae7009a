package digest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/exceptions"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

// soon is how long before its end an exception is pointed out.
const soon = 30 * 24 * time.Hour

// Exceptions returns the entries of a Corefile's allow lists, those that end soonest
// first. With a spool, it adds the days on which the server has used them.
func Exceptions(policies []*lookalike.Policy, now time.Time) ([]report.Exception, error) {
	var all []report.Exception
	filter := exceptions.Filter{Now: now}
	for _, p := range policies {
		_, err := filter.Each(p.Lists(), func(l *exceptions.Listed) error {
			where := l.Directive
			if l.File != "" {
				where = l.File
				if l.Line > 0 {
					where = fmt.Sprintf("%s:%d", l.File, l.Line)
				}
			}
			all = append(all, report.Exception{
				Name: l.Name, Where: where, Owner: l.Owner, Reason: l.Reason, Until: l.Until,
				Used: uint64(max(0, l.Used.Days)), Note: remark(l, now),
			})
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(all, func(x, y report.Exception) int {
		if x.Until.IsZero() != y.Until.IsZero() {
			if x.Until.IsZero() {
				return 1
			}
			return -1
		}
		return cmp.Or(x.Until.Compare(y.Until), cmp.Compare(x.Name, y.Name))
	})
	return all, nil
}

// remark says what an administrator may have to do about an exception.
func remark(l *exceptions.Listed, now time.Time) string {
	switch {
	case l.Ended(now):
		return "has ended"
	case !l.Until.IsZero() && l.Until.Sub(now) <= soon:
		days := uint64(l.Until.Sub(now)/(24*time.Hour)) + 1 //nolint:gosec // it has not ended
		return "ends within " + report.Some(days, "day")
	case l.Recorded && l.Used.Days == 0:
		return "never used"
	}
	return ""
}
