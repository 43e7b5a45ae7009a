package console

import "time"

// activity counts what happened, minute by minute, for a week.
type activity map[int64]*counts // by minutes since 1970

// counts are queries and incidents in a stretch of time.
type counts struct {
	Incidents uint64 // that began
	Stopped   uint64 // queries that were blocked
	Passed    uint64 // queries that were only reported
}

func (c *counts) add(o *counts) {
	c.Incidents += o.Incidents
	c.Stopped += o.Stopped
	c.Passed += o.Passed
}

// keepActivity is how long counts are kept.
const keepActivity = 7*24*time.Hour + time.Hour

// mostMinutes bounds the map where clocks are wrong.
const mostMinutes = 2 * int(keepActivity/time.Minute)

func minute(t time.Time) int64 { return t.Unix() / 60 }

// add counts queries whose last was at t. Those of a record are not told apart.
func (a activity) add(t time.Time, queries uint64, stopped, incident bool) {
	c := a[minute(t)]
	if c == nil {
		if len(a) >= mostMinutes {
			a.trim(t)
		}
		c = new(counts)
		a[minute(t)] = c
	}
	if incident {
		c.Incidents++
	}
	if stopped {
		c.Stopped += queries
	} else {
		c.Passed += queries
	}
}

// trim drops what is too old, and what lies in the future.
func (a activity) trim(now time.Time) {
	for m := range a {
		if m < minute(now.Add(-keepActivity)) || m > minute(now) {
			delete(a, m)
		}
	}
}

// series returns the counts of a window that ends at now, bucket by bucket, and
// their sum.
func (a activity) series(w window, now time.Time) (buckets []counts, sum counts) {
	step := int64(w.Bucket / time.Minute)
	last := minute(now) / step
	n := int64(w.Length / w.Bucket)
	buckets = make([]counts, n)
	for m := (last - n + 1) * step; m < (last+1)*step; m++ {
		if c := a[m]; c != nil {
			buckets[m/step-(last-n+1)].add(c)
			sum.add(c)
		}
	}
	return buckets, sum
}
