package group

import (
	"slices"
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// maxFull is the number of records that are full of envelopes and wait for the
// flusher, in a shard.
const maxFull = 32

// shard is the part of the table whose hashes begin with its index.
type shard struct {
	mu       sync.Mutex
	groups   map[uint64]*group // by hash; groups of one hash are chained
	announce []announcement
	full     []fullRecord
	pending  uint64 // detections that no record has carried yet
	closed   bool
	_        [64]byte // keeps neighbours off this cache line
}

// announcement is the first detection of a group, on its way into a record.
type announcement struct {
	det   record.Detection
	group *group
}

// fullRecord is a record that was made before its time, since it has as many
// envelopes as a record may have.
type fullRecord struct {
	record *record.Record
	group  *group
}

// group is what is known of one key. What every query reads or writes comes
// first, so that it takes few cache lines.
type group struct {
	next  *group // with the same hash
	dirty bool   // has changed since the last checkpoint
	State
	hash uint64
}

func (s *shard) find(hash uint64, k *key) *group {
	for g := s.groups[hash]; g != nil; g = g.next {
		if g.Name == k.Name && g.Client == k.Client && g.Class == k.Class && g.Action == k.Action {
			return g
		}
	}
	return nil
}

// create makes the group k with its first detection, which waits to be
// announced.
func (s *shard) create(k key, hash uint64, d *record.Detection) {
	g := &group{hash: hash, State: State{
		key: k, Interval: 2 * firstInterval, Due: d.Time.Add(firstInterval), First: d.Time, Last: d.Time, Urgent: urgent(d), Det: *d,
	}}
	g.news(d)
	if d.SMTP == nil {
		g.Total = 1
		s.pending++
	}
	s.insert(g)
	s.announce = append(s.announce, announcement{*d, g})
}

func (s *shard) insert(g *group) {
	g.next = s.groups[g.hash]
	s.groups[g.hash] = g
}

// remove takes g out of the shard.
func (s *shard) remove(g *group) {
	at := s.groups[g.hash]
	if at == g {
		if g.next == nil {
			delete(s.groups, g.hash)
		} else {
			s.groups[g.hash] = g.next
		}
		return
	}
	for ; at != nil; at = at.next {
		if at.next == g {
			at.next = g.next
			return
		}
	}
}

// add counts d in g.
func (s *shard) add(t *Table, g *group, d *record.Detection, h hashes) {
	if d.Time.After(g.Last) {
		g.Last = d.Time
	}
	g.dirty = true
	if d.SMTP != nil {
		g.addWay(d)
		g.Window.addVerdict(d.Verdict)
		s.addEnvelope(t, g, d)
		return
	}
	w := &g.Window
	if !w.hasDet || !sameWay(d, &g.Det) {
		g.addWay(d)
	}
	if !w.hasDet || !sameVerdict(d.Verdict, g.Det.Verdict) {
		w.addVerdict(d.Verdict)
		w.addName(t, d.Verdict.Name, h.name)
	}
	if w.Count == 0 {
		g.Det, w.hasDet = *d, true
	}
	s.pending++
	g.Total++
	w.Count++
	w.addType(d.Qtype)
	if !g.Client.IsValid() {
		w.addClient(d.Client.Addr(), h.client)
	}
}

// addWay notes how d came.
func (g *group) addWay(d *record.Detection) {
	if g.Window.Start.IsZero() {
		g.Window.Start = d.Time
	}
	g.Window.addWay(d)
	if g.news(d) {
		g.announceSoon(d.Time)
	}
}

// sameWay reports whether two queries came in the same way.
func sameWay(a, b *record.Detection) bool {
	return a.Protocol == b.Protocol && a.Context == b.Context && a.Via == b.Via &&
		a.ServerBlock == b.ServerBlock && a.View == b.View && (a.Exception == nil) == (b.Exception == nil)
}

// sameVerdict reports whether two verdicts of one group are about the same names.
func sameVerdict(a, b *detect.Verdict) bool {
	return a == b || a.Name == b.Name && slices.Equal(a.Matches, b.Matches)
}

// news notes what somebody has to hear of soon, and reports whether d has such.
func (g *group) news(d *record.Detection) bool {
	ended := d.Exception != nil && !g.Ended // more than the group's records have told of
	g.Ended = g.Ended || ended
	return g.newVia(d.Via) || ended
}

// newVia notes a name that led to the group's, and reports whether it is new.
// Such news is that another domain uses the lookalike as its mail server.
func (g *group) newVia(via string) bool {
	known := len(g.Vias)
	g.Vias = addFew(g.Vias, via, maxKnownVias)
	return len(g.Vias) > known
}

// announceSoon brings the group's next record forward.
func (g *group) announceSoon(now time.Time) {
	if soon := now.Add(newsDelay); soon.Before(g.Due) {
		g.Due = soon
	}
}

// addEnvelope joins a refused message to g, which then has its next record
// soon: somebody has to be told while the message is still of use. A window
// that is full of envelopes becomes a record at once. Only a flood that outruns
// the flusher loses envelopes, and those are counted.
func (s *shard) addEnvelope(t *Table, g *group, d *record.Detection) {
	w := &g.Window
	g.announceSoon(d.Time)
	if len(w.Envelopes) >= maxEnvelopes {
		w.More++
		envelopesLeftOut.Inc()
		return
	}
	w.Envelopes = append(w.Envelopes, *d.SMTP)
	if len(w.Envelopes) < maxEnvelopes || len(s.full) >= maxFull {
		return
	}
	phase := record.Update
	if g.rollup() {
		phase = record.Storm
	}
	s.full = append(s.full, fullRecord{newRecord(g, phase), g})
	g.Window = window{}
	t.fresh()
}

func (s *shard) takeAnnouncements(records []Entry) []Entry {
	for i := range s.announce {
		a := &s.announce[i]
		r := newFirst(&a.group.key, &a.det)
		s.pending -= r.Count
		records = append(records, Entry{r, a.group.state()})
	}
	for _, f := range s.full {
		s.pending -= f.record.Count
		records = append(records, Entry{f.record, f.group.state()})
	}
	clear(s.announce) // lets go of the verdicts
	s.announce = s.announce[:0]
	s.full = nil
	return records
}
