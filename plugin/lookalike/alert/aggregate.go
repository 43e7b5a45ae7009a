package alert

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Alerts are state, not messages: a detection increments a number in a
// bounded table, and records are made from the table's groups at the pace
// that a person can use. Nothing that is slow or full can lose a count.
const (
	maxGroups        = 16384 // groups of one client and one name
	maxClientRollups = 1024  // groups of one client and many names

	firstInterval = time.Minute // between a group's first record and its first update
	maxInterval   = time.Hour
	stormDelay    = time.Second     // from a roll-up's first detection to its first record
	envelopeDelay = 5 * time.Second // from a refused message to its record, at most
	idleTime      = 10 * time.Minute

	maxSamples   = 5
	maxQtypes    = 8
	maxEnvelopes = 8  // in a record
	maxFull      = 32 // records of a shard that are full of envelopes and wait for the flusher
)

// key identifies a group. A roll-up over a client's names has the name
// record.Any; a roll-up over all clients has the zero client as well.
type key struct {
	class  detect.Class
	client netip.Addr
	name   string // the registrable lookalike
	action record.Action
}

func (k *key) rollup() bool { return k.name == record.Any }

// table counts detections in groups. It is safe for concurrent use.
type table struct {
	seed    maphash.Seed
	base    time.Time // for clock
	limiter limiter
	fresh   func() // called when a group wants to be announced; must not block

	ended []string // groups that the last sweep removed without a record; the flusher's

	groups        atomic.Int64
	clientRollups atomic.Int64

	shards [tableShards]shard
}

const tableShards = 64

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
	key   key
	det   Detection
	group *group
}

// fullRecord is a record that was made before its time, since it has as many
// envelopes as a record may have.
type fullRecord struct {
	record *Record
	group  *group
}

// group is the state of one key.
type group struct {
	key  key
	hash uint64
	next *group // with the same hash

	first, last time.Time // detections
	total       uint64
	interval    time.Duration // from the next record to the one after it
	due         time.Time     // no record before this
	det         Detection     // the first query since the last record, or the last one known
	window      window
	dirty       bool // has changed since the last checkpoint
}

// window is what happened to a group since its last record.
type window struct {
	count      uint64
	start, end time.Time

	qtypes [maxQtypes]typeCount
	others uint64 // queries of types that did not fit

	samples   []string // different names, oldest first
	names     *sketch  // of all names, once samples are full
	clients   []netip.Addr
	addrs     *sketch // of all clients; roll-ups over clients only
	envelopes []SMTP
	more      uint64 // envelopes that did not fit
}

type typeCount struct {
	qtype uint16
	count uint64
}

func newTable(fresh func()) *table {
	t := &table{seed: maphash.MakeSeed(), base: time.Now(), fresh: fresh}
	for i := range t.shards {
		t.shards[i].groups = make(map[uint64]*group)
	}
	return t
}

// clock is a time for the limiter: nanoseconds from a point long ago, by the
// monotonic clock, so that a wall clock that is set back does not keep groups
// from being announced.
func (t *table) clock(at time.Time) int64 { return int64(at.Sub(t.base)) + 1<<61 }

// hashes are those of a detection, made before a lock is taken: all clients of
// a storm wait for the lock of one group.
type hashes struct{ registrable, name, client uint64 }

func (t *table) hashes(d *Detection) hashes {
	v := d.Verdict
	h := hashes{registrable: t.hashName(v.Registrable), client: t.hashClient(d.Client.Addr())}
	h.name = h.registrable
	if v.Name != v.Registrable {
		h.name = t.hashName(v.Name)
	}
	return h
}

func (t *table) hashName(name string) uint64 { return maphash.String(t.seed, name) }

func (t *table) hashClient(client netip.Addr) uint64 {
	b := client.As16()
	return maphash.Bytes(t.seed, b[:])
}

func (t *table) hash(k *key) uint64 {
	return k.hash(t.hashName(k.name), t.hashClient(k.client))
}

// hash mixes the hashes of k's name and client with the rest of it. Those are
// keyed, so nobody who chooses names and addresses can make groups share a
// chain.
func (k *key) hash(name, client uint64) uint64 {
	rest := uint64(k.class)<<8 | uint64(k.action)
	return bits.RotateLeft64(name, 32) ^ client ^ rest*0x9e3779b97f4a7c15
}

func (t *table) shard(hash uint64) *shard { return &t.shards[hash>>58] }

func (s *shard) find(hash uint64, k *key) *group {
	for g := s.groups[hash]; g != nil; g = g.next {
		if g.key.name == k.name && g.key.client == k.client && g.key.class == k.class && g.key.action == k.action {
			return g
		}
	}
	return nil
}

// observe counts d, whose Time is set. It reports false, and has counted
// nothing, when the table is closed.
func (t *table) observe(d *Detection) bool {
	v := d.Verdict
	k := key{class: v.Class, client: d.Client.Addr(), name: v.Registrable, action: d.Action}
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
	why := t.admit(&k, d)
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
func (t *table) admit(k *key, d *Detection) admission {
	if why := t.limiter.admit(k.client, t.clock(d.Time)); why != admitted {
		return why
	}
	if t.groups.Add(1) > maxGroups {
		t.groups.Add(-1)
		return clientBusy
	}
	return admitted
}

// observeRollup counts d in the group of its client, or in that of all
// clients when there are too many of those, or too many clients.
func (t *table) observeRollup(k key, d *Detection, h hashes, why admission) bool {
	k.name = record.Any
	if why == clientBusy {
		if ok, closed := t.addRollup(k, d, h, &t.clientRollups, maxClientRollups); ok || closed {
			return ok
		}
	}
	k.client = netip.Addr{}
	ok, _ := t.addRollup(k, d, h, nil, 0)
	return ok
}

// addRollup counts d in the roll-up k. It makes the group when it is missing
// and n, which may be nil, is below limit.
func (t *table) addRollup(k key, d *Detection, h hashes, n *atomic.Int64, limit int64) (ok, closed bool) {
	hash := t.hash(&k)
	s := t.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, true
	}
	g := s.find(hash, &k)
	if g == nil {
		if n != nil && n.Add(1) > limit {
			n.Add(-1)
			return false, false
		}
		g = &group{key: k, hash: hash, interval: firstInterval, due: d.Time.Add(stormDelay), first: d.Time, det: *d}
		s.insert(g)
	}
	s.add(t, g, d, h)
	return true, false
}

// create makes the group k with its first detection, which waits to be
// announced.
func (s *shard) create(k key, hash uint64, d *Detection) {
	g := &group{
		key: k, hash: hash, interval: 2 * firstInterval, due: d.Time.Add(firstInterval),
		first: d.Time, last: d.Time, det: *d,
	}
	if d.SMTP == nil {
		g.total = 1
		s.pending++
	}
	s.insert(g)
	s.announce = append(s.announce, announcement{key: k, det: *d, group: g})
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
func (s *shard) add(t *table, g *group, d *Detection, h hashes) {
	if d.Time.After(g.last) {
		g.last = d.Time
	}
	g.dirty = true
	w := &g.window
	if w.start.IsZero() {
		w.start = d.Time
	}
	if d.SMTP != nil {
		s.addEnvelope(t, g, d)
		return
	}
	if w.count == 0 {
		g.det = *d
	} else if moreTelling(d.Context, g.det.Context) {
		g.det.Context = d.Context
	}
	s.pending++
	g.total++
	w.count++
	w.end = g.last
	w.addType(d.Qtype)
	w.addName(t, d.Verdict.Name, h.name)
	if !g.key.client.IsValid() {
		w.addClient(d.Client.Addr(), h.client)
	}
}

// moreTelling reports whether a query's context says more than what is known of
// its group: a check of incoming mail begins with the questions of a delivery.
func moreTelling(context, known string) bool {
	return context != "" && (known == "" || known == "delivery")
}

// addEnvelope joins a refused message to g, which then has its next record
// soon: somebody has to be told while the message is still of use. A window
// that is full of envelopes becomes a record at once. Only a flood that is
// faster than the flusher has envelopes left out, and those are counted.
func (s *shard) addEnvelope(t *table, g *group, d *Detection) {
	w := &g.window
	w.end = g.last
	if soon := d.Time.Add(envelopeDelay); soon.Before(g.due) {
		g.due = soon
	}
	if len(w.envelopes) >= maxEnvelopes {
		w.more++
		envelopesLeftOut.Inc()
		return
	}
	w.envelopes = append(w.envelopes, *d.SMTP)
	if len(w.envelopes) < maxEnvelopes || len(s.full) >= maxFull {
		return
	}
	phase := Update
	if g.key.rollup() {
		phase = Storm
	}
	s.full = append(s.full, fullRecord{newRecord(g, phase), g})
	g.window = window{}
	t.fresh()
}

func (w *window) addType(qtype uint16) { w.addTypes(qtype, 1) }

func (w *window) addTypes(qtype uint16, n uint64) {
	for i := range w.qtypes {
		c := &w.qtypes[i]
		if c.qtype == qtype || c.count == 0 {
			c.qtype = qtype
			c.count += n
			return
		}
	}
	w.others += n
}

func (w *window) addName(t *table, name string, hash uint64) {
	if w.names != nil {
		w.names.add(hash)
		return
	}
	if slices.Contains(w.samples, name) {
		return
	}
	if len(w.samples) < maxSamples {
		w.samples = append(w.samples, name)
		return
	}
	w.names = new(sketch)
	for _, s := range w.samples {
		w.names.add(t.hashName(s))
	}
	w.names.add(hash)
}

func (w *window) addClient(client netip.Addr, hash uint64) {
	if w.addrs == nil {
		w.addrs = new(sketch)
	}
	w.addrs.add(hash)
	if len(w.clients) < maxSamples && !slices.Contains(w.clients, client) {
		w.clients = append(w.clients, client)
	}
}

// distinctNames is exact up to maxSamples, an estimate beyond.
func (w *window) distinctNames() uint64 {
	if w.names != nil {
		return max(w.names.estimate(), maxSamples+1)
	}
	return uint64(len(w.samples))
}

func (w *window) distinctClients() uint64 {
	if w.addrs == nil {
		return 0
	}
	return max(w.addrs.estimate(), uint64(len(w.clients)))
}

// pending is the number of detections that no record has carried yet.
func (t *table) pending() uint64 {
	var n uint64
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += s.pending
		s.mu.Unlock()
	}
	return n
}

// announcements returns the records that cannot wait, in the order of their
// detections: of the groups that are new, and of those that are full of
// envelopes.
func (t *table) announcements() []entry {
	var records []entry
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		records = s.takeAnnouncements(records)
		s.mu.Unlock()
	}
	sortByTime(records)
	return records
}

func (s *shard) takeAnnouncements(records []entry) []entry {
	for i := range s.announce {
		r := newFirst(&s.announce[i])
		s.pending -= r.Count
		records = append(records, entry{r, s.announce[i].group.state()})
	}
	for _, f := range s.full {
		s.pending -= f.record.Count
		records = append(records, entry{f.record, f.group.state()})
	}
	clear(s.announce) // lets go of the verdicts
	s.announce = s.announce[:0]
	s.full = nil
	return records
}

// sweep returns the records that are due at now, and removes the groups that
// have been idle; those that had nothing more to tell are in ended.
func (t *table) sweep(now time.Time) []entry {
	t.limiter.forget(t.clock(now))
	t.ended = nil
	records := t.announcements()
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for _, chain := range s.groups {
			for g := chain; g != nil; g = g.next {
				if r, ok := t.step(s, g, now); ok {
					records = append(records, r)
				}
			}
		}
		s.mu.Unlock()
	}
	sortByTime(records)
	return records
}

// step makes g's record if one is due, and removes g when it has been idle.
func (t *table) step(s *shard, g *group, now time.Time) (r entry, ok bool) {
	idle := now.Sub(g.last) >= idleTime
	due := !g.window.start.IsZero() && !now.Before(g.due)
	switch {
	case g.key.rollup() && (due || idle && !g.window.start.IsZero()):
		r, ok = t.record(s, g, Storm, now), true
		if idle {
			r.state = nil
		}
	case g.key.rollup():
	case idle:
		r, ok = t.record(s, g, Final, now), true
	case due:
		r, ok = t.record(s, g, Update, now), true
	}
	if idle {
		t.drop(s, g)
		if !ok {
			t.ended = append(t.ended, groupID(&g.key))
		}
	}
	return r, ok
}

func (t *table) drop(s *shard, g *group) {
	s.remove(g)
	switch {
	case !g.key.rollup():
		t.groups.Add(-1)
	case g.key.client.IsValid():
		t.clientRollups.Add(-1)
	}
}

// record turns g's window into a record and begins the next one.
func (t *table) record(s *shard, g *group, phase Phase, now time.Time) entry {
	r := entry{Record: newRecord(g, phase)}
	s.pending -= r.Count
	g.window = window{}
	g.due = now.Add(g.interval)
	g.interval = min(2*g.interval, maxInterval)
	g.dirty = false
	if phase != Final {
		r.state = g.state()
	}
	return r
}

// close ends the table: it returns the last records of all groups, and every
// observe after it reports false.
func (t *table) close(now time.Time) []entry {
	var records []entry
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.closed = true
		records = s.takeAnnouncements(records)
		for _, chain := range s.groups {
			for g := chain; g != nil; g = g.next {
				switch {
				case !g.key.rollup():
					records = append(records, t.record(s, g, Final, now))
				case !g.window.start.IsZero():
					r := t.record(s, g, Storm, now)
					r.state = nil
					records = append(records, r)
				}
			}
		}
		s.groups = nil
		s.mu.Unlock()
	}
	t.groups.Store(0)
	t.clientRollups.Store(0)
	sortByTime(records)
	return records
}

// sortByTime orders records by their last detection; a group's first record
// stays before its others.
func sortByTime(records []entry) {
	slices.SortStableFunc(records, func(a, b entry) int {
		return cmp.Or(a.End.Compare(b.End), cmp.Compare(a.Phase, b.Phase))
	})
}
