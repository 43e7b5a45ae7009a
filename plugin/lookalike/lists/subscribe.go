package lists

import (
	"iter"
	"net/netip"
	"sync"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// AllowedNames yields the names that the allow list in force lets pass now, for
// every client and class, in no order.
func (l *Lists) AllowedNames() iter.Seq[string] { return l.current.Load().allow.Each(l.Now()) }

// Passes reports whether an exception lets everybody's queries for qname pass now,
// a lookalike of this class. Unlike Exception it counts no use.
func (l *Lists) Passes(qname string, class detect.Class) bool {
	_, passes := l.current.Load().allow.Exception(qname, netip.Addr{}, class, l.Now())
	return passes
}

// subscribers are told when the names in force change.
type subscribers struct {
	mu  sync.Mutex
	all map[chan<- struct{}]struct{}
}

// Subscribe has c told whenever other names come into force, or an exception ends,
// until cancel: of these lists, or of a peer whose names these spare. A send that would
// block is left out, so c needs room for one.
func (l *Lists) Subscribe(c chan<- struct{}) (cancel func()) {
	s := &l.subscribers
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = make(map[chan<- struct{}]struct{})
	}
	s.all[c] = struct{}{}
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.all, c)
	}
}

func (s *subscribers) tell() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.all {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
