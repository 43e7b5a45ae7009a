package names

import (
	"bytes"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
	"golang.org/x/net/idna"
)

// Set is an immutable set of names, each with all names below it. It is safe
// for concurrent use; a nil Set is empty.
type Set struct {
	names map[string]struct{}
	depth int // labels of the longest name
	count int

	worded             // the names that words follow
	bare   bareEntries // those that none follow, as far as they were asked for
}

// NewSet returns the set of the given names, which are in canonical form. A
// name with A-labels is also found by its U-labels, as some clients send them.
func NewSet(names []string) *Set {
	s := &Set{names: make(map[string]struct{}, len(names))}
	for _, name := range names {
		s.names[name] = struct{}{}
		s.depth = max(s.depth, strings.Count(name, ".")+1)
	}
	s.count = len(s.names)
	for _, name := range names {
		if !strings.Contains(name, "xn--") {
			continue
		}
		if u, err := idna.Punycode.ToUnicode(name); err == nil {
			s.names[u] = struct{}{}
		}
	}
	return s
}

// Len returns the number of names that the set was made of, duplicates aside.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return s.count
}

// Contains reports whether qname, or a name that it is below, is in the set,
// whatever words follow it. qname is in presentation form (RFC 1035 section 5.1),
// of any case, with or without a trailing dot; no set contains a name that is too
// long for DNS. It does not allocate.
func (s *Set) Contains(qname string) bool {
	var buf [maxName + 1]byte // and a trailing dot
	name := s.relevant(buf[:0], qname)
	return s.next(name, len(name)+1) >= 0
}

// relevant appends the labels of qname that matter here to buf, which is empty.
func (s *Set) relevant(buf []byte, qname string) []byte {
	if s.Len() == 0 {
		return nil
	}
	name, ok := decode(buf, qname)
	if !ok {
		return nil
	}
	start := len(name) + 1
	for range s.depth {
		if start = 1 + bytes.LastIndexByte(name[:start-1], '.'); start == 0 {
			return name
		}
	}
	return name[start:]
}

// next returns where the shortest part of name begins that is in the set and
// longer than the one that begins at from, or -1.
func (s *Set) next(name []byte, from int) int {
	for from > 0 && len(name) > 0 {
		from = 1 + bytes.LastIndexByte(name[:from-1], '.')
		if _, found := s.names[string(name[from:])]; found {
			return from
		}
	}
	return -1
}

// notDot stands for a dot within a label. No name in a set contains it, so such
// a label never matches.
const notDot = 0

// decode appends qname to buf in lower case, without escapes and trailing dot.
// It reports false where buf is too small.
func decode(buf []byte, qname string) ([]byte, bool) {
	for i := 0; i < len(qname); i++ {
		c := qname[i]
		if c == '\\' {
			octet, n := text.Unescape(qname[i+1:])
			if n > 0 { // else the escape is broken, and stands for itself
				c = octet
			}
			i += n
			if c == '.' {
				c = notDot
			}
		}
		if len(buf) == cap(buf) {
			return nil, false
		}
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		buf = append(buf, c)
	}
	if n := len(buf); n > 0 && buf[n-1] == '.' {
		buf = buf[:n-1]
	}
	return buf, true
}
