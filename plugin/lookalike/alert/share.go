package alert

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/internal/pool"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/deliver"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/spool"
)

// store is the part of a spool that a pipeline uses.
type store interface {
	Append(owner string, records []*record.Record, states spool.States) (kept bool)
	Checkpoint(owner string, states spool.States) (kept bool)
	Adopt(owner string) spool.States
	GivenUp() int
	Attach(key, name string) *spool.Cursor
	Resize(limit int64)
	Look(now time.Time)
	Close() error
}

// sharedSpool is a spool that pipelines share.
type sharedSpool struct {
	store
	dir  string
	dead *deliver.DeadLetters
}

var spools pool.Pool[string, *sharedSpool] // by directory

// acquireSpool returns the spool of a configuration, opened if need be; nil where
// there is none.
func acquireSpool(cfg Config) (*sharedSpool, error) {
	if cfg.Spool == nil {
		return nil, nil
	}
	dir, limit := cfg.Spool.dir, cfg.Spool.limit
	s, err := spools.Acquire(dir, func() (*sharedSpool, error) {
		s, err := spool.Open(spool.Config{Dir: dir, Limit: limit, Sensor: cfg.Sensor, Version: cfg.Version, Count: deliver.Counters{}})
		if err != nil {
			return nil, err
		}
		return &sharedSpool{store: s, dir: dir, dead: deliver.NewDeadLetters(dir)}, nil
	})
	if err == nil {
		s.Resize(limit)
	}
	return s, err
}

// release drops a reference to the spool, which may be nil.
func (s *sharedSpool) release() error {
	if s == nil {
		return nil
	}
	return spools.Release(s.dir, func(s *sharedSpool) error { return s.Close() })
}

// outlet is a runner that pipelines share.
type outlet struct {
	*deliver.Runner
	key    string
	direct bool
	every  bool // it gets each query, rather than groups

	// Guarded by outlets.
	refs    int
	leaving int // references of pipelines that end
}

// outlets holds the runners that pipelines may share, by destination and sensor
// or spool. It is no pool.Pool, since leave has to know whether all holders of
// one are about to release it.
var outlets struct {
	sync.Mutex
	byKey map[string]*outlet
}

// acquireOutlet returns the runner of a destination, started if need be.
func acquireOutlet(d Destination, env sink.Env, from *sharedSpool) (*outlet, error) {
	key := d.key + "\n" + env.Sensor + "\n" + env.Version
	if d.to.Direct {
		from = nil
	}
	if from != nil {
		key = d.key + "\n" + from.dir
	}
	outlets.Lock()
	defer outlets.Unlock()
	if o, ok := outlets.byKey[key]; ok {
		o.refs++
		return o, nil
	}
	s, err := d.open(env)
	if err != nil {
		return nil, err
	}
	o := &outlet{key: key, refs: 1, direct: d.to.Direct, every: d.every}
	if from != nil {
		cursor := from.Attach(d.key, d.to.Name)
		if cursor == nil {
			err := fmt.Errorf("%s: the disk of the spool %s does not answer (mend the disk, then reload)", d.to.Name, from.dir)
			return nil, errors.Join(err, s.Close())
		}
		o.Runner = deliver.Start(d.to, s, cursor, from.dead)
	} else {
		o.Runner = deliver.Start(d.to, s, deliver.NewQueue(d.to.Name), nil)
	}
	if outlets.byKey == nil {
		outlets.byKey = make(map[string]*outlet)
	}
	outlets.byKey[key] = o
	return o, nil
}

// leave announces that pipelines are about to release their outlets. It returns
// the network outlets with a queue in memory that nobody else uses. Nobody can
// acquire those any more.
func leave(ending []*Pipeline) (waiting []*outlet) {
	outlets.Lock()
	defer outlets.Unlock()
	for _, p := range ending {
		for _, o := range p.outlets {
			o.leaving++
			if o.leaving == o.refs && !o.Durable() && !o.direct {
				delete(outlets.byKey, o.key)
				o.Shutdown()
				waiting = append(waiting, o)
			}
		}
	}
	return waiting
}

// left drops the references of pipelines that have ended, and returns the outlets
// that have none left.
func left(ended []*Pipeline) (idle []*outlet) {
	outlets.Lock()
	for _, p := range ended {
		for _, o := range p.outlets {
			o.leaving--
		}
	}
	outlets.Unlock()
	for _, p := range ended {
		idle = append(idle, unused(p.outlets)...)
	}
	return idle
}

// unused drops a reference to each outlet and returns those that have none left,
// which nobody can acquire any more.
func unused(all []*outlet) (idle []*outlet) {
	outlets.Lock()
	defer outlets.Unlock()
	for _, o := range all {
		if o.refs--; o.refs == 0 {
			if outlets.byKey[o.key] == o { // else another has taken its place
				delete(outlets.byKey, o.key)
			}
			idle = append(idle, o)
		}
	}
	return idle
}
