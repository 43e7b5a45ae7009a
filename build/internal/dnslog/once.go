package dnslog

import "github.com/lookalike-dns/lookalike/build/internal/event"

// maxHeld is how many replies wait for the first query.
const maxHeld = 1024

// once counts each query once in a log of queries, replies or both. From the first
// query on, it drops replies: they repeat queries. Before that, replies wait, since
// the log may begin between a query and its reply.
type once struct {
	sides map[string]*side // by the host that logged
}

type side struct {
	queries bool // the log has queries
	replies bool // it has replies alone
	held    []event.Event
}

// maxSides is how many hosts once tells apart.
const maxSides = 1024

func (o *once) of(host string) *side {
	s := o.sides[host]
	if s == nil {
		if o.sides == nil {
			o.sides = map[string]*side{}
		}
		if len(o.sides) >= maxSides {
			host = ""
			if s = o.sides[host]; s != nil {
				return s
			}
		}
		s = &side{}
		o.sides[host] = s
	}
	return s
}

// query notes that the host logs queries.
func (o *once) query(host string) {
	if s := o.of(host); !s.replies {
		s.queries, s.held = true, nil
	}
}

// pending reports whether a reply of the host may stand for its query.
func (o *once) pending(host string) bool { return !o.of(host).queries }

// reply takes a reply. Once too many wait, it emits them: the log has no queries.
func (o *once) reply(host string, e *event.Event, emit func(*event.Event)) {
	s := o.of(host)
	if s.replies {
		emit(e)
		return
	}
	if s.held = append(s.held, *e); len(s.held) >= maxHeld {
		s.release(emit)
	}
}

// flush emits the replies that wait.
func (o *once) flush(emit func(*event.Event)) {
	for _, s := range o.sides {
		if !s.queries {
			s.release(emit)
		}
	}
	o.sides = nil
}

func (s *side) release(emit func(*event.Event)) {
	for i := range s.held {
		emit(&s.held[i])
	}
	s.replies, s.held = true, nil
}
