package digest

import (
	"slices"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/build/internal/tally"
)

// span is a run of sequence numbers, both ends included.
type span struct{ from, to uint64 }

// sequence has the sequence numbers that came, of one run of a server. They have
// no gap where the server made them, so a gap is what did not come.
type sequence struct {
	sensor string
	spans  []span // in order, not touching
}

// add adds a number, and reports whether it is new. Without room, a hole is
// closed: what is missing is then counted too low, and never too high.
func (s *sequence) add(n uint64, room *tally.Room) bool {
	i, _ := slices.BinarySearchFunc(s.spans, n, func(sp span, n uint64) int {
		switch {
		case sp.to < n:
			return -1
		case sp.from > n:
			return 1
		}
		return 0
	})
	if i < len(s.spans) && s.spans[i].from <= n {
		return false
	}
	before := i > 0 && s.spans[i-1].to+1 == n
	behind := i < len(s.spans) && s.spans[i].from == n+1
	switch {
	case before && behind:
		s.spans[i-1].to = s.spans[i].to
		s.spans = slices.Delete(s.spans, i, i+1)
		*room++
	case before:
		s.spans[i-1].to = n
	case behind:
		s.spans[i].from = n
	case room.Take():
		s.spans = slices.Insert(s.spans, i, span{n, n})
	case i > 0:
		s.spans[i-1].to = n
	default:
		s.spans[i].from = n
	}
	return true
}

// missing returns how many numbers did not come between the first and the last
// that did. What is before the first may be in a file that was not read.
func (s *sequence) missing() (n uint64) {
	for i := 1; i < len(s.spans); i++ {
		n += s.spans[i].from - s.spans[i-1].to - 1
	}
	return n
}

// sensor is a server that raised alerts.
type sensor struct{ report.Sensor }

// seen counts an alert.
func (s *sensor) seen(r *alertlog.Record) {
	s.Records++
	if s.First.IsZero() || r.End.Before(s.First) {
		s.First = r.End
	}
	if !r.End.Before(s.Last) {
		s.Last = r.End
		s.Version = r.Version
	}
}
