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

// Contains reports whether qname, or a name that it is below, is in the set.
// qname is in presentation form (RFC 1035 section 5.1), of any case, with or
// without a trailing dot; no set contains a name that is too long for DNS. It
// does not allocate.
func (s *Set) Contains(qname string) bool {
	if s.Len() == 0 {
		return false
	}
	var buf [maxName + 1]byte // and a trailing dot
	name, ok := decode(buf[:0], qname)
	if !ok {
		return false
	}
	start := len(name)
	for range s.depth {
		start = bytes.LastIndexByte(name[:start], '.')
		if _, found := s.names[string(name[start+1:])]; found {
			return true
		}
		if start < 0 {
			return false
		}
	}
	return false
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
