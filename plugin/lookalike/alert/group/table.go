// Package group counts detections. They are state, not messages: a detection
// increments a number in a bounded table, and records are made from the table's
// groups at the pace that a person can use. Nothing that is slow or full can
// lose a count.
package group

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

const (
	maxUrgentGroups  = 12288 // of one client and one name, blocked or high
	maxOtherGroups   = 4096  // of one client and one name
	maxClientRollups = 512   // of one client and many names, in a budget

	firstInterval = time.Minute // between a group's first record and its first update
	maxInterval   = time.Hour
	stormDelay    = time.Second     // from a roll-up's first detection to its first record
	newsDelay     = 5 * time.Second // from a refused message, or a new way to a name, to its record, at most
	idleTime      = 10 * time.Minute
)

// key identifies a group. A roll-up over a client's names has the name
// record.Any; a roll-up over all clients has the zero client as well.
type key struct {
	Name   string // the registrable lookalike
	Client netip.Addr
	Class  detect.Class
	Action record.Action
}

func keyOf(d *record.Detection) key {
	return key{Class: d.Verdict.Class, Client: d.Client.Addr(), Name: d.Verdict.Registrable, Action: d.Action}
}

func (k *key) rollup() bool { return k.Name == record.Any }

// Table counts detections in groups. It is safe for concurrent use.
type Table struct {
	seed    maphash.Seed
	rollup  hashes // of what stands for all names, and for all clients
	fresh   func()
	budgets [2]budget

	shards [tableShards]shard
}

const tableShards = 64

// budget limits how many groups are announced one by one, and how fast. Blocked
// and high detections have a budget of their own, which no noise can use up.
type budget struct {
	limiter       limiter
	maxGroups     int64
	groups        atomic.Int64
	clientRollups atomic.Int64
}

// urgent reports whether d counts in the budget of blocked and high detections.
func urgent(d *record.Detection) bool {
	return d.Action.Blocks() || d.Verdict.Confidence == detect.High
}

func (t *Table) budget(urgent bool) *budget {
	if urgent {
		return &t.budgets[1]
	}
	return &t.budgets[0]
}

// Entry is a record on its way out of the table.
type Entry struct {
	*record.Record
	State *State // of the group, once the record is made; nil: it has ended
}

// New returns an empty table. It calls fresh, which must not block, when a group
// wants to be announced.
func New(fresh func()) *Table {
	t := &Table{seed: maphash.MakeSeed(), fresh: fresh}
	t.rollup = hashes{registrable: t.hashName(record.Any), client: t.hashClient(netip.Addr{})}
	for i := range t.budgets {
		t.budgets[i].limiter.init()
	}
	t.budget(false).maxGroups, t.budget(true).maxGroups = maxOtherGroups, maxUrgentGroups
	for i := range t.shards {
		t.shards[i].groups = make(map[uint64]*group)
	}
	return t
}

// hashes are those of a detection, made before a lock is taken: all clients of
// a storm wait for the lock of one group.
type hashes struct{ registrable, name, client uint64 }

func (t *Table) hashes(d *record.Detection) hashes {
	v := d.Verdict
	h := hashes{registrable: t.hashName(v.Registrable), client: t.hashClient(d.Client.Addr())}
	h.name = h.registrable
	if v.Name != v.Registrable {
		h.name = t.hashName(v.Name)
	}
	return h
}

func (t *Table) hashName(name string) uint64 { return maphash.String(t.seed, name) }

func (t *Table) hashClient(client netip.Addr) uint64 {
	b := client.As16()
	return maphash.Bytes(t.seed, b[:])
}

func (t *Table) hash(k *key) uint64 {
	return k.hash(t.hashName(k.Name), t.hashClient(k.Client))
}

// hash mixes the hashes of k's name and client with the rest of it. Those are
// keyed, so nobody who chooses names and addresses can make groups share a
// chain.
func (k *key) hash(name, client uint64) uint64 {
	rest := uint64(k.Class)<<8 | uint64(k.Action)
	return bits.RotateLeft64(name, 32) ^ client ^ rest*0x9e3779b97f4a7c15
}

func (t *Table) shard(hash uint64) *shard { return &t.shards[hash>>58] }

// Observe counts d, whose Time is set. It reports false, and has counted
// nothing, when the table is closed.
func (t *Table) Observe(d *record.Detection) bool {
	k := keyOf(d)
	h := t.hashes(d)
	hash := k.hash(h.registrable, h.client)
	s := t.shard(hash)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return false
	}
	if g := s.find(hash, &k); g != nil {
		s.add(t, g, d, h)
		s.mu.Unlock()
		return true
	}
	why := t.admit(d, h.client)
	if why == admitted {
		s.create(k, hash, d)
	}
	s.mu.Unlock()
	if why == admitted {
		t.fresh()
		return true
	}
	ok := t.observeRollup(k, d, h, why)
	if ok && d.SMTP == nil {
		rolledUpCount.Inc()
	}
	return ok
}

// admit decides whether a new group is announced on its own, and if so counts
// it among the table's groups.
func (t *Table) admit(d *record.Detection, client uint64) admission {
	b := t.budget(urgent(d))
	if why := b.limiter.admit(client, d.Time); why != admitted {
		return why
	}
	if b.groups.Add(1) > b.maxGroups {
		b.groups.Add(-1)
		return clientBusy
	}
	return admitted
}

// observeRollup counts d in the group of its client, or in that of all
// clients when there are too many of those, or too many clients.
func (t *Table) observeRollup(k key, d *record.Detection, h hashes, why admission) bool {
	k.Name = record.Any
	if why == clientBusy {
		hash := k.hash(t.rollup.registrable, h.client)
		if ok, closed := t.addRollup(&k, hash, d, h, &t.budget(urgent(d)).clientRollups, maxClientRollups); ok || closed {
			return ok
		}
	}
	k.Client = netip.Addr{}
	ok, _ := t.addRollup(&k, k.hash(t.rollup.registrable, t.rollup.client), d, h, nil, 0)
	return ok
}

// addRollup counts d in the roll-up k. It makes the group when it is missing
// and n, which may be nil, is below limit.
func (t *Table) addRollup(k *key, hash uint64, d *record.Detection, h hashes, n *atomic.Int64, limit int64) (ok, closed bool) {
	s := t.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, true
	}
	g := s.find(hash, k)
	if g == nil {
		if n != nil && n.Add(1) > limit {
			n.Add(-1)
			return false, false
		}
		g = &group{hash: hash, State: State{key: *k, Interval: firstInterval, Due: d.Time.Add(stormDelay), First: d.Time, Urgent: urgent(d), Det: *d}}
		s.insert(g)
	}
	s.add(t, g, d, h)
	return true, false
}

// Groups returns the number of groups of one client and one name.
func (t *Table) Groups() int {
	n := 0
	for i := range t.budgets {
		n += int(max(t.budgets[i].groups.Load(), 0))
	}
	return n
}

// Pending returns the number of detections that no record has carried yet.
func (t *Table) Pending() uint64 {
	var n uint64
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += s.pending
		s.mu.Unlock()
	}
	return n
}

// Announcements returns the records that cannot wait, in the order of their
// detections: of the groups that are new, and of those that are full of
// envelopes.
func (t *Table) Announcements() []Entry {
	var records []Entry
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		records = s.takeAnnouncements(records)
		s.mu.Unlock()
	}
	sortByTime(records)
	return records
}

// Sweep returns the records that are due at now, and removes the groups that
// have been idle. Those that had nothing more to tell are in ended, by id.
func (t *Table) Sweep(now time.Time) (records []Entry, ended []string) {
	for i := range t.budgets {
		t.budgets[i].limiter.forget(now)
	}
	records = t.Announcements()
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, chain := range s.groups {
			for g := chain; g != nil; g = g.next {
				r, told := t.step(s, g, now)
				if told {
					records = append(records, r)
				} else if now.Sub(g.Last) >= idleTime {
					ended = append(ended, g.id())
				}
			}
		}
		s.mu.Unlock()
	}
	sortByTime(records)
	return records, ended
}

// step makes g's record if one is due, and removes g when it has been idle.
func (t *Table) step(s *shard, g *group, now time.Time) (r Entry, told bool) {
	idle := now.Sub(g.Last) >= idleTime
	news := !g.Window.Start.IsZero()
	switch {
	case g.rollup() && news && (idle || !now.Before(g.Due)):
		r, told = t.record(s, g, record.Storm, now), true
		if idle {
			r.State = nil
		}
	case g.rollup():
	case idle:
		r, told = t.record(s, g, record.Final, now), true
	case news && !now.Before(g.Due):
		r, told = t.record(s, g, record.Update, now), true
	}
	if idle {
		t.drop(s, g)
	}
	return r, told
}

func (t *Table) drop(s *shard, g *group) {
	s.remove(g)
	switch {
	case !g.rollup():
		t.budget(g.Urgent).groups.Add(-1)
	case g.Client.IsValid():
		t.budget(g.Urgent).clientRollups.Add(-1)
	}
}

// record turns g's window into a record and begins the next one.
func (t *Table) record(s *shard, g *group, phase record.Phase, now time.Time) Entry {
	r := Entry{Record: newRecord(g, phase)}
	s.pending -= r.Count
	g.Window = window{}
	g.Due = now.Add(g.Interval)
	g.Interval = min(2*g.Interval, maxInterval)
	g.dirty = false
	if phase != record.Final {
		r.State = g.state()
	}
	return r
}

// Close ends the table: it returns the last records of all groups, and every
// Observe after it reports false.
func (t *Table) Close(now time.Time) []Entry {
	var records []Entry
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.closed = true
		records = s.takeAnnouncements(records)
		for _, chain := range s.groups {
			for g := chain; g != nil; g = g.next {
				switch {
				case !g.rollup():
					records = append(records, t.record(s, g, record.Final, now))
				case !g.Window.Start.IsZero():
					r := t.record(s, g, record.Storm, now)
					r.State = nil
					records = append(records, r)
				}
			}
		}
		s.groups = nil
		s.mu.Unlock()
	}
	for i := range t.budgets {
		t.budgets[i].groups.Store(0)
		t.budgets[i].clientRollups.Store(0)
	}
	sortByTime(records)
	return records
}

// sortByTime orders records by their last detection; a group's first record
// stays before its others.
func sortByTime(records []Entry) {
	slices.SortStableFunc(records, func(a, b Entry) int {
		return cmp.Or(a.End.Compare(b.End), cmp.Compare(a.Phase, b.Phase))
	})
}
