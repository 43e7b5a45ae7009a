package group

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// State is everything known about a group. It survives a crash, after which the
// group continues its counts, without a second first record.
type State struct {
	key
	Last     time.Time // detection
	Total    uint64
	Window   window
	Det      record.Detection // the first query since the last record, or the last one known
	First    time.Time        // detection
	Due      time.Time        // no record before this
	Interval time.Duration    // from the next record to the one after it
	Urgent   bool             // counts in the budget of what is blocked or high
	Vias     []string         `json:",omitempty"` // names that are known to lead to the group's
	Ended    bool             `json:",omitempty"` // an exception that has ended was told of
}

// Encode returns the state for Restore.
func (s *State) Encode() (json.RawMessage, error) { return json.Marshal(s) }

// state returns a copy of g's state. Lists that it shares with g only ever grow
// beyond the copy's end.
func (g *group) state() *State {
	s := g.State
	s.Window.names, s.Window.addrs = nil, nil
	return &s
}

// Restore puts a group back into the table. It returns the group's id, and how
// many of its detections no record has carried.
func (t *Table) Restore(encoded json.RawMessage) (id string, count uint64, err error) {
	g := new(group)
	if err := json.Unmarshal(encoded, &g.State); err != nil {
		return "", 0, err
	}
	if g.Det.Verdict == nil || g.Class == detect.None {
		return "", 0, errors.New("the group has no class")
	}
	g.hash = t.hash(&g.key)
	s := t.shard(g.hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending += g.Window.Count
	if known := s.find(g.hash, &g.key); known != nil {
		known.join(g)
		return g.id(), g.Window.Count, nil
	}
	s.insert(g)
	switch {
	case !g.rollup():
		t.budget(g.Urgent).groups.Add(1)
	case g.Client.IsValid():
		t.budget(g.Urgent).clientRollups.Add(1)
	}
	return g.id(), g.Window.Count, nil
}

// join adds another group's counts, of the same key, to g's.
func (g *group) join(other *group) {
	g.Total += other.Total
	for _, via := range other.Vias {
		g.newVia(via)
	}
	g.Ended = g.Ended || other.Ended
	g.dirty = true
	if other.First.Before(g.First) {
		g.First = other.First
	}
	if other.Last.After(g.Last) {
		g.Last = other.Last
	}
	w, o := &g.Window, &other.Window
	if o.Start.IsZero() {
		return
	}
	if w.Start.IsZero() || o.Start.Before(w.Start) {
		w.Start = o.Start
	}
	w.Count += o.Count
	w.Others = w.Others || o.Others
	for _, t := range o.Qtypes {
		if t != 0 {
			w.addType(t)
		}
	}
	w.Contexts, w.Protocols = joinFew(w.Contexts, o.Contexts), joinFew(w.Protocols, o.Protocols)
	w.Blocks, w.Views = joinFew(w.Blocks, o.Blocks), joinFew(w.Views, o.Views)
	w.Protected, w.DidYouMean = joinFew(w.Protected, o.Protected), joinFew(w.DidYouMean, o.DidYouMean)
	if w.Exception == nil {
		w.Exception = o.Exception
	}
	w.Vias, w.ViasMore = joinFew(w.Vias, o.Vias), w.ViasMore+o.ViasMore
	w.Samples = joinFew(w.Samples, o.Samples)
	w.Clients = joinFew(w.Clients, o.Clients)
	room := min(maxEnvelopes-len(w.Envelopes), len(o.Envelopes))
	w.Envelopes = append(w.Envelopes, o.Envelopes[:room]...)
	left := o.Envelopes[room:]
	w.More += o.More + uint64(len(left))
	envelopesLeftOut.Add(float64(len(left)))
}

// joinFew adds the samples that a list lacks, while there is room.
func joinFew[T comparable](list, more []T) []T {
	for _, x := range more {
		if len(list) < maxSamples && !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	return list
}

// Checkpoint returns the groups that have counted something since the last
// one, by id.
func (t *Table) Checkpoint() map[string]*State {
	dirty := make(map[string]*State)
	t.each(func(g *group) {
		if g.dirty {
			g.dirty = false
			dirty[g.id()] = g.state()
		}
	})
	return dirty
}

// MarkAllDirty has the next checkpoint return all groups.
func (t *Table) MarkAllDirty() { t.each(func(g *group) { g.dirty = true }) }

// each calls f for every group, whose shard is locked.
func (t *Table) each(f func(*group)) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, chain := range s.groups {
			for g := chain; g != nil; g = g.next {
				f(g)
			}
		}
		s.mu.Unlock()
	}
}
