package alert

import (
	"encoding/json"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/group"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// tick is how often due records are made and counts are checkpointed. A crash
// loses the counts of one tick at most.
const tick = time.Second

// A lone group is announced at once. In a storm, new groups share commits to
// the spool, since each commit occupies a processor and the disk. After a
// commit the flusher rests 299 times as long as the commit took (between 50 ms
// and one tick). Commits of new groups thus use at most 1/300 of the time. With
// the commits of the ticks, they overlap fewer than one query in a hundred.
const (
	leastRest = 50 * time.Millisecond
	restShare = 299
)

// wakeUp tells the flusher that a group is new.
func (p *Pipeline) wakeUp() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run is the flusher: it makes records and gives them to the outlets. The
// pipeline's end ends it.
func (p *Pipeline) run() {
	defer close(p.done)
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	wake := p.wake // nil while the spool rests
	var rested <-chan time.Time
	for {
		select {
		case <-wake:
			began := time.Now()
			safely(func() { p.emit(p.table.Announcements()) })
			safely(p.tellEvery)
			if p.spool != nil {
				wake, rested = nil, time.After(rest(time.Since(began)))
			}
		case <-rested:
			wake, rested = p.wake, nil
		case now := <-ticker.C:
			safely(func() { p.sweep(now) })
			safely(p.tellEvery)
			safely(func() { p.housekeep(now) })
		case <-p.quit:
			return
		}
	}
}

// safely runs f, whose panic must not end the server.
func safely(f func()) {
	defer guard.Recover("alerts")
	f()
}

// rest returns how long to wait after a commit of new groups that took this
// long.
func rest(took time.Duration) time.Duration {
	return min(max(restShare*took, leastRest), tick)
}

// sweep emits the records that are due. The spool takes them and a checkpoint
// in one commit.
func (p *Pipeline) sweep(now time.Time) {
	if p.spool == nil {
		entries, _ := p.table.Sweep(now)
		p.emit(entries)
		return
	}
	p.collect() // first: what a record brings of its group is newer
	entries, ended := p.table.Sweep(now)
	for _, id := range ended {
		p.unsaved[id] = nil
	}
	if len(entries) == 0 {
		p.save()
		return
	}
	p.emit(entries)
}

// housekeep does the periodic work of the spool and the outlets.
func (p *Pipeline) housekeep(now time.Time) {
	if p.spool != nil {
		p.adopt()
		p.spool.Look(now)
	}
	for _, o := range p.outlets {
		o.Measure(now)
	}
}

// emit numbers records, spools them, and gives them to every outlet.
func (p *Pipeline) emit(entries []group.Entry) {
	if len(entries) == 0 {
		return
	}
	now := time.Now()
	records := make([]*record.Record, len(entries))
	for i, e := range entries {
		e.ID, e.Created, e.Sensor, e.Version = record.NewID(), now, p.sensor, p.version
		records[i] = e.Record
		if p.spool != nil {
			p.unsaved[e.Group] = encode(e.State)
		}
	}
	p.number(records)
	for _, r := range records {
		recordCount.WithLabelValues(r.Phase.String()).Inc()
		reportedCount.Add(float64(r.Count))
	}
	for _, o := range p.outlets {
		if !o.every {
			o.Push(records)
		}
	}
}

// number gives records their sequence. A spool numbers them itself, and writes
// them along with the states that it has not taken yet.
func (p *Pipeline) number(records []*record.Record) {
	if p.spool != nil {
		if p.spool.Append(p.owner, records, p.unsaved) {
			clear(p.unsaved)
		}
		return
	}
	for _, r := range records {
		p.sequence++
		r.Epoch, r.Sequence = p.epoch, p.sequence
	}
}

// adopt continues the groups of the last run. On a bad disk, the spool may be
// read only some time after the start.
func (p *Pipeline) adopt() {
	if p.spool == nil {
		return
	}
	states := p.spool.Adopt(p.owner)
	if len(states) == 0 {
		return
	}
	for _, state := range states {
		id, count, err := p.table.Restore(state)
		if err != nil {
			log.Errorf("spool: a group's state is unreadable, its unreported count is lost: %v", err)
			continue
		}
		restoredCount.Add(float64(count))
		p.unsaved[id] = state
	}
	p.collect()
	p.save()
}

// collect gathers the groups that have changed, for the spool, or all groups
// after the spool has lost its state.
func (p *Pipeline) collect() {
	if n := p.spool.GivenUp(); n != p.givenUp {
		p.givenUp = n
		p.table.MarkAllDirty()
	}
	for id, state := range p.table.Checkpoint() {
		p.unsaved[id] = encode(state)
	}
}

// save writes a checkpoint.
func (p *Pipeline) save() {
	if p.spool.Checkpoint(p.owner, p.unsaved) {
		clear(p.unsaved)
	}
}

// encode returns a group's state as the spool keeps it; nil: the group has
// ended.
func encode(state *group.State) json.RawMessage {
	if state == nil {
		return nil
	}
	b, err := state.Encode()
	if err != nil { // JSON can write every state
		log.Errorf("spool: encoding a group's state failed, a crash would lose its unreported count: %v", err)
		return nil
	}
	return b
}
