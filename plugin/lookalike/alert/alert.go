// Package alert turns detections into alerts and delivers them. Nothing in it
// blocks a query: Observe only counts, and background goroutines do everything
// slow.
package alert

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	clog "github.com/coredns/coredns/plugin/pkg/log"
	"golang.org/x/time/rate"

	"github.com/lookalike-dns/lookalike/plugin/internal/pool"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/deliver"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/group"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/spool"
)

var log = clog.NewWithPlugin("lookalike")

// What users of this package see of records.
type (
	Detection = record.Detection
	SMTP      = record.SMTP
	Exception = record.Exception
)

// Config says where alerts go.
type Config struct {
	Destinations []Destination // none: stdout, in ECS
	Spool        *Spool        // nil: none
	Sensor       string        // name of this resolver; empty: the host's
	Version      string        // of the plugin
}

// Pipeline turns detections into alerts and brings them to their sinks. It is
// safe for concurrent use.
//
// Pipelines are shared: Open returns the running one when the configuration
// is equal, so that groups, sequence and connections survive a reload.
type Pipeline struct {
	key     string
	table   *group.Table
	outlets []*outlet
	every   *everyQuery  // nil: no outlet wants each query
	spool   *sharedSpool // nil: there is none
	owner   string       // marks this pipeline's groups in the spool
	sensor  string
	version string

	// Owned by the flusher's goroutine, and by end when that has ended.
	epoch    string
	sequence uint64
	unsaved  spool.States // that the spool has not taken yet
	givenUp  int          // spool.GivenUp when all groups were last collected

	wake chan struct{}
	quit chan struct{}
	done chan struct{}
	late *rate.Limiter // of log lines about late detections

	closed atomic.Bool // set by Close before the table takes no more
}

// pipelines holds the pipelines that Open may share, by configuration.
var pipelines pool.Pool[string, *Pipeline]

// running holds all pipelines, including those that are ending.
var running struct {
	sync.Mutex
	all map[*Pipeline]bool
}

// Open starts a pipeline, or takes a reference to the one that runs with an
// equal configuration. Each Open needs one Close.
func Open(cfg Config) (*Pipeline, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	return pipelines.Acquire(cfg.key(), func() (*Pipeline, error) { return start(cfg) })
}

func start(cfg Config) (*Pipeline, error) {
	p := &Pipeline{
		key: cfg.key(), sensor: cfg.Sensor, version: cfg.Version, epoch: record.NewID(), owner: record.NewID(),
		unsaved: make(spool.States), late: rate.NewLimiter(group.AnnouncePerSecond, group.AnnounceBurst),
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	p.table = group.New(p.wakeUp)
	if err := p.open(cfg); err != nil {
		return nil, errors.Join(err, stop(context.Background(), unused(p.outlets), nil), p.spool.release())
	}
	running.Lock()
	defer running.Unlock()
	if running.all == nil {
		running.all = make(map[*Pipeline]bool)
	}
	running.all[p] = true
	cfg.warn()
	go p.run()
	return p, nil
}

// open opens the spool and the sinks, and goes on with the groups that a
// crash left.
func (p *Pipeline) open(cfg Config) (err error) {
	if p.spool, err = acquireSpool(cfg); err != nil {
		return at(cfg.Spool.Where, err)
	}
	for _, d := range cfg.Destinations {
		o, err := acquireOutlet(d, sink.Env{Sensor: cfg.Sensor, Version: cfg.Version}, p.spool)
		if err != nil {
			return at(d.Where, fmt.Errorf("alert: %w", err))
		}
		p.outlets = append(p.outlets, o)
		if o.every && p.every == nil {
			p.every = new(everyQuery)
		}
	}
	p.adopt()
	return nil
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
		if d, before := c.Destinations[i].to, c.Destinations[i-1].to; isPath(d.Name) && d.Name == before.Name {
			return c, at(c.Destinations[i].Where, fmt.Errorf("alert %s: a file takes one format and either groups or every=query, not %s and %s: name another file", d.Name, c.Destinations[i-1].form(), c.Destinations[i].form()))
		}
	}
	return c, nil
}

// warnings returns which alerts wait in memory only, and which secrets others
// can read.
func (c Config) warnings() (all []string) {
	for _, d := range c.Destinations {
		for _, w := range d.Warnings() {
			all = append(all, at(d.Where, fmt.Errorf("alert %s: %s", d, w)).Error())
		}
		if !d.to.Direct && c.Spool == nil {
			all = append(all, at(d.Where, fmt.Errorf("no spool for %s: alerts wait in memory, up to %d records or %d MiB", d, deliver.QueueLimit, deliver.QueueBytes>>20)).Error())
		}
	}
	return all
}

func (c Config) warn() {
	for _, w := range c.warnings() {
		log.Warning(w)
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

// Observe counts a detection. It does not block and does no I/O. The caller may
// reuse d afterwards, but must not modify what d points to.
func (p *Pipeline) Observe(d *Detection) {
	if d.Verdict == nil {
		return
	}
	if d.Time.IsZero() {
		stamped := *d
		stamped.Time = time.Now()
		d = &stamped
	}
	if !p.table.Observe(d) {
		p.tooLate(d)
		return
	}
	if p.every != nil {
		p.every.add(d)
		p.wakeUp()
	}
}

// tooLate handles a detection after the last flush: its query was under way for
// too long when the pipeline closed, or passes anyway. The whole record goes to
// the log, so that nothing is lost; a flood is only counted.
func (p *Pipeline) tooLate(d *Detection) {
	if d.SMTP == nil {
		lateCount.Inc()
	}
	if !p.late.AllowN(d.Time, 1) {
		return
	}
	r := group.First(d)
	r.ID, r.Epoch, r.Created = record.NewID(), p.epoch, time.Now()
	r.Sensor, r.Version = p.sensor, p.version
	log.Errorf("alert after the last flush: %s", format.ECS().Append(nil, r))
}
