package alert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/spool"
)

// Config says where alerts go.
type Config struct {
	Destinations []Destination // none: stdout, in ECS
	Spool        *Spool        // nil: none
	Sensor       string        // name of this resolver; empty: the host's
	Version      string        // of the plugin
}

// tick is the time between two looks for records that are due, and between two
// checkpoints of what has been counted: what a crash costs.
const tick = time.Second

// A group that is alone is told of at once. In a storm, those of a moment share
// the cost of one commit to the spool, which holds a processor and the disk:
// commits of new groups take a third of a hundredth of the time at most, however
// slow the disk is, so that with those of the ticks less than one query in a
// hundred meets one. What waits longer than a tick goes with that.
const (
	leastRest = 50 * time.Millisecond
	restShare = 299 // times what the commit took
)

// Pipeline turns detections into alerts and brings them to their sinks. It is
// safe for concurrent use.
//
// Pipelines are shared: Open returns the running one when the configuration
// is equal, so that groups, sequence and connections survive a reload.
type Pipeline struct {
	key     string
	refs    int // guarded by registry.mu
	table   *table
	runners []*runner
	spool   *spoolShare // nil: there is none
	owner   string      // marks this pipeline's groups in the spool
	sensor  string
	version string

	// Owned by the flusher's goroutine, and by end when that has ended.
	epoch    string
	sequence uint64
	unsaved  spool.States // that the spool has not taken yet
	givenUp  int          // files of the spool

	wake chan struct{}
	quit chan struct{}
	done chan struct{}
	late bucket // paces the last resort

	closed atomic.Bool // set by Close before the table takes no more
}

// registry holds what is running in this process.
var registry struct {
	mu        sync.Mutex
	pipelines map[string]*Pipeline
	runners   map[string]*runner
	spools    map[string]*spoolShare // by directory
}

// store is what a pipeline needs of a spool.
type store interface {
	Append(owner string, records []*Record, states spool.States) (kept bool)
	Checkpoint(owner string, states spool.States) (kept bool)
	Adopt(owner string) spool.States
	GivenUp() int
	Attach(key, name string) *spool.Cursor
	Resize(limit int64)
	Look(now time.Time)
	Close() error
}

// spoolShare is a spool that pipelines share.
type spoolShare struct {
	store
	dir  string
	dead *deadLetters
	refs int // guarded by registry.mu
}

// Open starts a pipeline, or takes a reference to the one that runs with an
// equal configuration. Each Open needs one Close.
func Open(cfg Config) (*Pipeline, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	registry.mu.Lock()
	defer registry.mu.Unlock()
	key := cfg.key()
	if p, ok := registry.pipelines[key]; ok {
		p.refs++
		return p, nil
	}
	p := &Pipeline{
		key: key, refs: 1, sensor: cfg.Sensor, version: cfg.Version, epoch: record.NewID(), owner: record.NewID(),
		unsaved: make(spool.States),
		wake:    make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	p.table = newTable(p.wakeUp)
	if err := p.open(cfg); err != nil {
		return nil, errors.Join(err, stop(context.Background(), unused(p.runners), nil), p.closeSpool())
	}
	if registry.pipelines == nil {
		registry.pipelines = make(map[string]*Pipeline)
	}
	registry.pipelines[key] = p
	cfg.warn()
	go p.run()
	return p, nil
}

// open opens the spool and the sinks, and goes on with the groups that a
// crash left. The registry is locked.
func (p *Pipeline) open(cfg Config) error {
	if cfg.Spool != nil {
		s, err := acquireSpool(cfg)
		if err != nil {
			return at(cfg.Spool.Where, err)
		}
		p.spool = s
	}
	for _, d := range cfg.Destinations {
		r, err := acquire(d, sink.Env{Sensor: cfg.Sensor, Version: cfg.Version}, p.spool)
		if err != nil {
			return at(d.Where, fmt.Errorf("alert: %w", err))
		}
		p.runners = append(p.runners, r)
	}
	p.adopt()
	return nil
}

// adopt goes on with groups of the last run, whose file may only have been read
// some time after the start.
func (p *Pipeline) adopt() {
	if p.spool == nil {
		return
	}
	states := p.spool.Adopt(p.owner)
	if len(states) == 0 {
		return
	}
	for _, state := range states {
		id, count, err := p.table.restore(state)
		if err != nil {
			log.Errorf("What a group in the spool has counted since its last alert cannot be read, and is lost: %v", err)
			continue
		}
		restoredCount.Add(float64(count))
		p.unsaved[id] = state
	}
	p.collect()
	p.save()
}

// collect takes the groups that have changed, for the spool, or all groups where
// its file is new.
func (p *Pipeline) collect() {
	if n := p.spool.GivenUp(); n != p.givenUp {
		p.givenUp = n
		p.table.soil()
	}
	for id, state := range p.table.checkpoint() {
		p.unsaved[id] = encode(state)
	}
}

// encode is what the spool gets of a group; nil: it has ended.
func encode(state *groupState) json.RawMessage {
	if state == nil {
		return nil
	}
	b, err := json.Marshal(state)
	if err != nil { // no state has what JSON cannot write
		log.Errorf("What a group has counted cannot be kept: %v", err)
		return nil
	}
	return b
}

// save writes a checkpoint.
func (p *Pipeline) save() {
	if p.spool.Checkpoint(p.owner, p.unsaved) {
		clear(p.unsaved)
	}
}

// complete fills in the defaults and drops repeated destinations.
func (c Config) complete() (Config, error) {
	if len(c.Destinations) == 0 {
		d, err := ParseDestination([]string{"stdout"})
		if err != nil {
			return c, err
		}
		c.Destinations = []Destination{d}
	}
	if c.Sensor == "" {
		name, err := os.Hostname()
		if err != nil {
			name = "unknown"
		}
		c.Sensor = name
	}
	c.Destinations = slices.Clone(c.Destinations)
	slices.SortFunc(c.Destinations, func(a, b Destination) int { return strings.Compare(a.key, b.key) })
	c.Destinations = slices.CompactFunc(c.Destinations, func(a, b Destination) bool { return a.key == b.key })
	for i := 1; i < len(c.Destinations); i++ { // equal names are neighbours
		if d := c.Destinations[i]; d.direct && d.name == c.Destinations[i-1].name && d.name != "stdout" {
			return c, at(d.Where, fmt.Errorf("alert %s: a file takes one format, not %s and %s: name another file", d.name, c.Destinations[i-1].format, d.format))
		}
	}
	return c, nil
}

// warn says what is kept in memory only.
func (c Config) warn() {
	for _, d := range c.Destinations {
		if !d.direct && c.Spool == nil {
			log.Warningf("Alerts for %s wait in memory, %d at most, since there is no spool", d.name, queueLimit)
		}
	}
}

// key is equal for equal configurations.
func (c Config) key() string {
	keys := make([]string, 0, len(c.Destinations)+3)
	for _, d := range c.Destinations {
		keys = append(keys, d.key)
	}
	if c.Spool != nil {
		keys = append(keys, "spool "+c.Spool.String())
	}
	return strings.Join(append(keys, c.Sensor, c.Version), "\n")
}

// acquire returns the runner of a destination, started if need be. The
// registry is locked.
func acquire(d Destination, env sink.Env, spool *spoolShare) (*runner, error) {
	key := d.key + "\n" + env.Sensor + "\n" + env.Version
	if d.direct {
		spool = nil
	}
	if spool != nil {
		key = d.key + "\n" + spool.dir
	}
	if r, ok := registry.runners[key]; ok {
		r.refs++
		return r, nil
	}
	r, err := newRunner(key, d, env, spool)
	if err != nil {
		return nil, err
	}
	if registry.runners == nil {
		registry.runners = make(map[string]*runner)
	}
	registry.runners[key] = r
	return r, nil
}

// acquireSpool returns the spool in a directory, opened if need be. The registry
// is locked.
func acquireSpool(cfg Config) (*spoolShare, error) {
	dir, limit := cfg.Spool.dir, cfg.Spool.limit
	if s, ok := registry.spools[dir]; ok {
		s.refs++
		s.Resize(limit)
		return s, nil
	}
	s, err := spool.Open(spool.Config{Dir: dir, Limit: limit, Sensor: cfg.Sensor, Version: cfg.Version, Count: counts{}})
	if err != nil {
		return nil, err
	}
	if registry.spools == nil {
		registry.spools = make(map[string]*spoolShare)
	}
	share := &spoolShare{store: s, dir: dir, dead: newDeadLetters(dir), refs: 1}
	registry.spools[dir] = share
	return share, nil
}

// closeSpool drops the reference to the spool. The registry is locked: who
// opens the directory next has to find it unlocked.
func (p *Pipeline) closeSpool() error {
	if p.spool == nil {
		return nil
	}
	if p.spool.refs--; p.spool.refs > 0 {
		return nil
	}
	delete(registry.spools, p.spool.dir)
	return p.spool.Close()
}

// Observe counts a detection. It does not block and does no I/O; d is the
// caller's again when it returns, what d points to stays unmodified.
func (p *Pipeline) Observe(d *Detection) {
	if d.Verdict == nil {
		return
	}
	if d.Time.IsZero() {
		stamped := *d
		stamped.Time = time.Now()
		d = &stamped
	}
	if !p.table.observe(d) {
		p.tooLate(d)
	}
}

// wakeUp tells the flusher that a group is new.
func (p *Pipeline) wakeUp() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run is the flusher: it makes records and gives them to the runners. The
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
			p.emit(p.table.announcements())
			if p.spool != nil {
				wake, rested = nil, time.After(rest(time.Since(began)))
			}
		case <-rested:
			wake, rested = p.wake, nil
		case now := <-ticker.C:
			p.sweep(now)
			p.housekeep(now)
		case <-p.quit:
			return
		}
	}
}

// sweep emits the records that are due. The spool takes them and a checkpoint
// in one transaction.
func (p *Pipeline) sweep(now time.Time) {
	if p.spool == nil {
		p.emit(p.table.sweep(now))
		return
	}
	p.collect() // first: what a record brings of its group is newer
	records := p.table.sweep(now)
	for _, id := range p.table.ended {
		p.unsaved[id] = nil
	}
	if len(records) == 0 {
		p.save()
		return
	}
	p.emit(records)
}

// rest is the time from a commit of new groups, which took so long, to the next.
func rest(took time.Duration) time.Duration {
	return min(max(restShare*took, leastRest), tick)
}

// housekeep does what has to be done now and then.
func (p *Pipeline) housekeep(now time.Time) {
	if p.spool != nil {
		p.adopt()
		p.spool.Look(now)
	}
	for _, r := range p.runners {
		r.measure(now)
	}
}

// emit numbers records, spools them, and gives them to every sink.
func (p *Pipeline) emit(entries []entry) {
	if len(entries) == 0 {
		return
	}
	now := time.Now()
	records := make([]*Record, len(entries))
	for i, e := range entries {
		e.ID, e.Created, e.Sensor, e.Version = record.NewID(), now, p.sensor, p.version
		records[i] = e.Record
		if p.spool != nil {
			p.unsaved[e.Group] = encode(e.state)
		}
	}
	p.number(records)
	for _, r := range records {
		recordCount.WithLabelValues(r.Phase.String()).Inc()
		reportedCount.Add(float64(r.Count))
	}
	for _, r := range p.runners {
		r.push(records)
	}
}

// number gives records their sequence; a spool has its own, and writes them, and
// what it has not taken yet.
func (p *Pipeline) number(records []*Record) {
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

// tooLate is the last resort for a detection after the last flush: of a query
// that was on its way for too long when Closed came to hold, or that passes
// anyway. The log takes the whole record, so that nothing is lost; a flood is
// only counted.
func (p *Pipeline) tooLate(d *Detection) {
	if d.SMTP == nil {
		lateCount.Inc()
	}
	if !p.late.take(d.Time.UnixNano(), globalInterval, announceBurst) {
		return
	}
	k := key{class: d.Verdict.Class, client: d.Client.Addr(), name: d.Verdict.Registrable, action: d.Action}
	r := newFirst(&announcement{key: k, det: *d})
	r.ID, r.Epoch, r.Created = record.NewID(), p.epoch, time.Now()
	r.Sensor, r.Version = p.sensor, p.version
	log.Errorf("Alert after the last flush: %s", ecs.Append(nil, r))
}

// pipelineSum adds a number up over the tables of all pipelines.
func pipelineSum(number func(*table) uint64) float64 {
	registry.mu.Lock()
	defer registry.mu.Unlock()
	var sum uint64
	for _, p := range registry.pipelines {
		sum += number(p.table)
	}
	return float64(sum)
}
