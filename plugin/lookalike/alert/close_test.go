package alert

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/spool"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// told adds up the queries that a receiver was told of.
func told(t *testing.T, r *sinktest.Receiver) (n uint64) {
	t.Helper()
	for _, phase := range phases(t, r.All()) {
		var count uint64
		for _, digit := range phase[strings.LastIndexByte(phase, ' ')+1:] {
			count = 10*count + uint64(digit-'0')
		}
		n += count
	}
	return n
}

// closeLate closes pipelines as a server that stops does, and calls meanwhile
// every 10 ms until they are closed. It returns how long each part took.
func closeLate(t *testing.T, meanwhile func(), pipelines ...*Pipeline) (open, shut time.Duration, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	began, done := time.Now(), make(chan error)
	go func() { done <- Close(ctx, pipelines...) }()
	for ; !pipelines[0].Closed(); time.Sleep(10 * time.Millisecond) {
		meanwhile()
		synctest.Wait()
	}
	open = time.Since(began)
	err = <-done
	return open, time.Since(began) - open, err
}

// TestSlowSinksTakeNoCounts holds that what is observed while a slow sink is
// waited for is told to the others, whichever pipeline it belongs to, and that
// after it, it does not take long.
func TestSlowSinksTakeNoCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung, up := &sinktest.Receiver{Hang: true}, new(sinktest.Receiver)
		direct := destination(up, "up3")
		direct.to.Direct = true
		slow, quick := open(t, destination(hung, "hung3"), direct), open(t, direct)
		late := value(t, lateCount)
		slow.Observe(now("army.ml"))
		time.Sleep(time.Minute)
		observed := uint64(1)
		open, shut, err := closeLate(t, func() {
			slow.Observe(now("army.ml"))
			quick.Observe(now("navy.ml"))
			observed += 2
		}, slow, quick)
		if err == nil {
			t.Error("Got no error, want one that says what is lost")
		}
		if open < 3900*time.Millisecond || open+shut > 5*time.Second {
			t.Errorf("Got open for %v and shut after %v more, want 4 s, and less than 5 s together", open, shut)
		}
		if got := told(t, up); got != observed || value(t, lateCount) != late {
			t.Errorf("Got %d of %d queries told, %v were too late", got, observed, value(t, lateCount)-late)
		}
		sinkIdentity(t, "hung3")
		sinkIdentity(t, "up3")
		nothingLeft(t)
	})
}

// TestHurry holds that a sink that has long been down, and whose next attempt is
// far, has its alerts when it is back as the server stops.
func TestHurry(t *testing.T) {
	for name, trouble := range map[string]error{"down": errors.New("down"), "denied": &sink.Denied{Err: errors.New("401")}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &sinktest.Receiver{Fail: trouble}
				p := open(t, destination(r, "hurry "+name))
				p.Observe(now("army.ml"))
				time.Sleep(10 * time.Minute)
				began := time.Now()
				open, shut, err := closeLate(t, func() {
					if time.Since(began) > time.Second {
						r.Set(func() { r.Fail = nil })
					}
				}, p)
				if err != nil || open > 2*time.Second || shut > time.Second {
					t.Errorf("Got open for %v, shut after %v more, and error %v", open, shut, err)
				}
				want(t, "records", phases(t, r.All()), []string{"1 first 1", "2 final 0"})
				sinkIdentity(t, "hurry "+name)
			})
		})
	}
}

// TestBusySink holds that a sink is not taken for a slow one for what comes
// while the server stops.
func TestBusySink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sinktest.Slow{Each: 100 * time.Millisecond}
		d := destination(new(sinktest.Receiver), "busy")
		d.to.Batch, d.open = 1, s.Open
		p := open(t, d)
		p.Observe(now("army.ml"))
		n := 0
		open, _, err := closeLate(t, func() {
			if n++; n%5 == 0 { // twice as fast as the sink takes them
				p.Observe(now(strings.Repeat("x", n) + ".ml"))
			}
		}, p)
		if err != nil || open > time.Second {
			t.Errorf("Got open for %v and error %v, want it closed soon", open, err)
		}
		sinkIdentity(t, "busy")
	})
}

// TestSpoolIsNotWaitedFor holds that a receiver whose records stay on disk keeps
// nobody waiting.
func TestSpoolIsNotWaitedFor(t *testing.T) {
	spool := &Spool{dir: t.TempDir(), limit: 1 << 20}
	hung := &sinktest.Receiver{Hang: true}
	p, err := Open(Config{Destinations: []Destination{destination(hung, "hung spool")}, Spool: spool})
	if err != nil {
		t.Fatal(err)
	}
	p.Observe(now("army.ml"))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	began := time.Now()
	if err := Close(ctx, p); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("Got closed after %v, want %v", took, spoolGrace)
	}
}

// hungStore is a spool whose disk does not answer until it is released.
type hungStore struct {
	store
	answers chan struct{}
	closed  chan struct{}
}

func (h *hungStore) Append(owner string, records []*record.Record, states spool.States) bool {
	<-h.answers
	return h.store.Append(owner, records, states)
}

func (h *hungStore) Checkpoint(owner string, states spool.States) bool {
	<-h.answers
	return h.store.Checkpoint(owner, states)
}

func (h *hungStore) Close() error {
	defer close(h.closed)
	return h.store.Close()
}

// TestSpoolDiskHangs ends in time, with a word of it, when the spool's disk does
// not answer; what waits for the disk ends when it does.
func TestSpoolDiskHangs(t *testing.T) {
	hung := &hungStore{answers: make(chan struct{}), closed: make(chan struct{})}
	spool := &Spool{dir: t.TempDir(), limit: minSpoolSize}
	s, err := acquireSpool(Config{Spool: spool})
	if err != nil {
		t.Fatal(err)
	}
	s.store, hung.store = hung, s.store
	p := openSpooled(t, spool.dir, minSpoolSize, destination(new(sinktest.Receiver), "on a hung disk"))
	p.Observe(now("army.ml"))
	if err := s.release(); err != nil { // acquired here
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	err = Close(ctx, p)
	if err == nil || !strings.Contains(err.Error(), "the disk of a spool does not answer") {
		t.Errorf("Got error %v, want one that tells of the disk", err)
	}
	if took := time.Since(began); took > 2*hungGrace {
		t.Errorf("Close took %v", took)
	}
	close(hung.answers)
	wait.For(t, "the end of the spool", hung.closed)
}

// deafStore is a spool whose disk does not answer while a destination is opened.
type deafStore struct{ store }

func (deafStore) Attach(string, string) *spool.Cursor { return nil }

// TestSpoolDiskHangsAtReload holds that a configuration with a new destination is
// refused, not waited for, while the spool's disk does not answer.
func TestSpoolDiskHangsAtReload(t *testing.T) {
	where := &Spool{dir: t.TempDir(), limit: minSpoolSize}
	s, err := acquireSpool(Config{Spool: where})
	if err != nil {
		t.Fatal(err)
	}
	well := s.store
	s.store = deafStore{well}
	d := destination(new(sinktest.Receiver), "new")
	if _, err := Open(Config{Destinations: []Destination{d}, Spool: where}); err == nil || !strings.Contains(err.Error(), "the disk of the spool "+where.dir+" does not answer") {
		t.Errorf("Got error %v, want one that tells of the disk", err)
	}
	s.store = well
	p := openSpooled(t, where.dir, minSpoolSize, d)
	if err := errors.Join(Close(t.Context(), p), s.release()); err != nil {
		t.Error(err)
	}
}
