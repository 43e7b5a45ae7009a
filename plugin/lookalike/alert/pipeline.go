package alert

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
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
	store   *store // nil: there is no spool
	owner   string // marks this pipeline's groups in the store
	sensor  string
	version string

	// Owned by the flusher's goroutine, and by end when that has ended.
	epoch    string
	sequence uint64
	unsaved  map[string]*groupState // that the spool has not taken yet
	files    int                    // of the spool that were given up

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
	stores    map[string]*store
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
		unsaved: make(map[string]*groupState),
		wake:    make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	p.table = newTable(p.wakeUp)
	if err := p.open(cfg); err != nil {
		return nil, errors.Join(err, stop(context.Background(), unused(p.runners), nil), p.closeStore())
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
		s, err := acquireStore(cfg.Spool)
		if err != nil {
			return at(cfg.Spool.Where, err)
		}
		p.store = s
		s.introduce(cfg.Sensor, cfg.Version)
	}
	for _, d := range cfg.Destinations {
		r, err := acquire(d, sink.Env{Sensor: cfg.Sensor, Version: cfg.Version}, p.store)
		if err != nil {
			return at(d.Where, fmt.Errorf("alert: %w", err))
		}
		p.runners = append(p.runners, r)
	}
	if p.store != nil {
		p.adopt(p.store.adopt(p.owner))
	}
	return nil
}

// adopt goes on with groups of the last run, whose file may only have been read
// some time after the start.
func (p *Pipeline) adopt(groups []*groupState) {
	if len(groups) == 0 {
		return
	}
	for _, state := range groups {
		if p.table.restore(state) {
			restoredCount.Add(float64(state.Window.Count))
			p.unsaved[state.group()] = state
		}
	}
	p.collect()
	p.save()
}

// collect takes the groups that have changed, for the spool, or all groups where
// its file is new.
func (p *Pipeline) collect() {
	if n := p.store.given(); n != p.files {
		p.files = n
		p.table.soil()
	}
	maps.Copy(p.unsaved, p.table.checkpoint())
}

// save writes a checkpoint.
func (p *Pipeline) save() {
	if p.store.checkpoint(p.owner, p.unsaved) {
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
func acquire(d Destination, env sink.Env, spool *store) (*runner, error) {
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

// acquireStore returns the spool in a directory, opened if need be. The
// registry is locked.
func acquireStore(cfg *Spool) (*store, error) {
	if s, ok := registry.stores[cfg.dir]; ok {
		s.refs++
		s.resize(cfg.limit)
		return s, nil
	}
	s, err := openStore(cfg)
	if err != nil {
		return nil, err
	}
	if registry.stores == nil {
		registry.stores = make(map[string]*store)
	}
	s.refs = 1
	registry.stores[cfg.dir] = s
	return s, nil
}

// closeStore drops the reference to the spool. The registry is locked: who
// opens the directory next has to find it unlocked.
func (p *Pipeline) closeStore() error {
	if p.store == nil {
		return nil
	}
	if p.store.refs--; p.store.refs > 0 {
		return nil
	}
	delete(registry.stores, p.store.dir)
	return p.store.close()
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
			if p.store != nil {
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
	if p.store == nil {
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
	if p.store != nil {
		p.adopt(p.store.adopt(p.owner))
		p.store.look(now)
		p.store.measure()
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
		if p.store != nil {
			p.unsaved[e.Group] = e.state
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
	if p.store != nil {
		if p.store.append(p.owner, records, p.unsaved) {
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
