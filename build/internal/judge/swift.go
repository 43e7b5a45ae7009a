package judge

import (
	"net/netip"
	"strings"

	"github.com/lookalike-dns/lookalike/build/internal/input"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Swift judges the names of a log, in which few names repeat often. It skips names below
// other TLDs and caches its results. It is not safe for concurrent use.
type Swift struct {
	judge *Judge
	all   bool            // every TLD is watched
	tlds  map[string]bool // that are watched, in lower case

	most        int                   // answers in each of the two memories
	now, before map[question]*Finding // what was asked last; of nil, the answer is nothing
}

type question struct {
	name   string
	client netip.Addr
}

// mostAnswers is how many answers one memory has: some 5 MB, where all of them
// are findings.
const mostAnswers = 1 << 13

// NewSwift returns a Swift that judges like j.
func NewSwift(j *Judge) *Swift {
	s := &Swift{judge: j, tlds: make(map[string]bool), most: mostAnswers, now: make(map[question]*Finding)}
	for _, p := range j.file.Policies {
		for _, tld := range p.TLDs() {
			s.all = s.all || tld == detect.AnyTLD
			s.tlds[strings.ToLower(tld)] = true
		}
	}
	return s
}

// Judge returns the finding about a name for which client asks, in the form in
// which a log has it. It is nil for a name that resembles nothing, and for a
// text that is no name.
func (s *Swift) Judge(name string, client netip.Addr) *Finding {
	if !s.Watches(name) {
		return nil
	}
	q := question{name, client}
	if f, known := s.now[q]; known {
		return f
	}
	f, known := s.before[q]
	if !known {
		if canonical, err := input.Name(name); err == nil {
			f = s.judge.Decide(canonical, client)
		}
	}
	if len(s.now) >= s.most {
		s.before, s.now = s.now, make(map[question]*Finding)
	}
	q.name = strings.Clone(name) // which may be a part of a long line
	s.now[q] = f
	return f
}

// Watches reports whether a name may lie below a watched TLD, in a few
// nanoseconds. Of a TLD beyond ASCII only Judge can tell.
func (s *Swift) Watches(name string) bool { return watches(s, name) }

// WatchesBytes is Watches for a name that is not a string yet.
func (s *Swift) WatchesBytes(name []byte) bool { return watches(s, name) }

func watches[S string | []byte](s *Swift, name S) bool {
	if s.all {
		return true
	}
	end := len(name)
	if end > 0 && name[end-1] == '.' {
		end--
	}
	start := end
	for start > 0 && name[start-1] != '.' {
		start--
	}
	tld := name[start:end]
	var lower [64]byte
	if len(tld) > len(lower) {
		return true
	}
	for i := range len(tld) {
		c := tld[i]
		if c >= 0x80 || c == '\\' {
			return true
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		lower[i] = c
	}
	return s.tlds[string(lower[:len(tld)])]
}
