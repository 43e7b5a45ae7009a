package alert

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// groupState is a group as the spool keeps it over a crash: after it, the
// group goes on, with what it had counted and without a second first record.
type groupState struct {
	Class    detect.Class
	Client   netip.Addr
	Name     string
	Action   record.Action
	First    time.Time
	Last     time.Time
	Due      time.Time
	Interval time.Duration
	Total    uint64
	Det      Detection
	Window   windowState
}

// windowState leaves out the sketches, which are keyed anew by each process:
// after a crash a window's estimates begin again.
type windowState struct {
	Count      uint64
	Start, End time.Time
	Qtypes     map[uint16]uint64
	Others     uint64
	Samples    []string
	Clients    []netip.Addr
	Envelopes  []SMTP
	More       uint64
}

// state returns g's state.
func (g *group) state() *groupState {
	w := &g.window
	qtypes := make(map[uint16]uint64)
	for _, c := range w.qtypes {
		if c.count > 0 {
			qtypes[c.qtype] = c.count
		}
	}
	return &groupState{
		Class: g.key.class, Client: g.key.client, Name: g.key.name, Action: g.key.action,
		First: g.first, Last: g.last, Due: g.due, Interval: g.interval, Total: g.total, Det: g.det,
		Window: windowState{
			Count: w.count, Start: w.start, End: w.end, Qtypes: qtypes, Others: w.others,
			Samples: w.samples, Clients: w.clients, Envelopes: w.envelopes, More: w.more,
		},
	}
}

// restore puts a group back into the table, from its state as JSON, and returns
// its id and how many detections of it no record has carried.
func (t *table) restore(encoded []byte) (id string, count uint64, err error) {
	var state groupState
	if err := json.Unmarshal(encoded, &state); err != nil {
		return "", 0, err
	}
	if state.Det.Verdict == nil || state.Class == detect.None {
		return "", 0, errors.New("the group has no class")
	}
	state.Det.Verdict.Class = state.Class
	k := key{class: state.Class, client: state.Client, name: state.Name, action: state.Action}
	g := &group{
		key: k, hash: t.hash(&k), first: state.First, last: state.Last, due: state.Due, interval: state.Interval,
		total: state.Total, det: state.Det,
	}
	w := &g.window
	w.count, w.start, w.end, w.others = state.Window.Count, state.Window.Start, state.Window.End, state.Window.Others
	w.samples, w.clients, w.envelopes = state.Window.Samples, state.Window.Clients, state.Window.Envelopes
	w.more = state.Window.More
	i := 0
	for qtype, n := range state.Window.Qtypes {
		if i < len(w.qtypes) {
			w.qtypes[i] = typeCount{qtype, n}
			i++
		}
	}
	s := t.shard(g.hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending += w.count
	if known := s.find(g.hash, &k); known != nil {
		known.join(g)
		return groupID(&k), w.count, nil
	}
	s.insert(g)
	switch {
	case !k.rollup():
		t.groups.Add(1)
	case k.client.IsValid():
		t.clientRollups.Add(1)
	}
	return groupID(&k), w.count, nil
}

// join adds another group's counts, of the same key, to g's.
func (g *group) join(other *group) {
	g.total += other.total
	g.dirty = true
	if other.first.Before(g.first) {
		g.first = other.first
	}
	if other.last.After(g.last) {
		g.last = other.last
	}
	w, o := &g.window, &other.window
	if o.start.IsZero() {
		return
	}
	if w.start.IsZero() || o.start.Before(w.start) {
		w.start = o.start
	}
	if o.end.After(w.end) {
		w.end = o.end
	}
	w.count += o.count
	w.others += o.others
	for _, c := range o.qtypes {
		w.addTypes(c.qtype, c.count)
	}
	w.samples = joinFew(w.samples, o.samples)
	w.clients = joinFew(w.clients, o.clients)
	room := min(maxEnvelopes-len(w.envelopes), len(o.envelopes))
	w.envelopes = append(w.envelopes, o.envelopes[:room]...)
	left := o.envelopes[room:]
	w.more += o.more + uint64(len(left))
	envelopesLeftOut.Add(float64(len(left)))
}

// joinFew adds to a list of different samples what it has not, while there is
// room.
func joinFew[T comparable](list, more []T) []T {
	for _, x := range more {
		if len(list) < maxSamples && !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	return list
}

// checkpoint returns the groups that have counted something since the last
// one, by id.
func (t *table) checkpoint() map[string]*groupState {
	dirty := make(map[string]*groupState)
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, chain := range s.groups {
			for g := chain; g != nil; g = g.next {
				if g.dirty {
					g.dirty = false
					dirty[groupID(&g.key)] = g.state()
				}
			}
		}
		s.mu.Unlock()
	}
	return dirty
}

// soil has the next checkpoint return all groups.
func (t *table) soil() {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, chain := range s.groups {
			for g := chain; g != nil; g = g.next {
				g.dirty = true
			}
		}
		s.mu.Unlock()
	}
}
