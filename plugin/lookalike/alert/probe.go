package alert

import (
	"context"
	"errors"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/deliver"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// Result says what became of a test alert at one destination.
type Result struct {
	Destination string
	Took        time.Duration
	Err         error // nil: the receiver has taken it
}

// TestDestinations sends one test alert to each destination, one attempt each,
// and returns when all have been tried or ctx is done. It starts no pipeline
// and touches no spool.
func TestDestinations(ctx context.Context, cfg Config) []Result {
	cfg, err := cfg.complete()
	if err != nil {
		return []Result{{Destination: "configuration", Err: err}}
	}
	results := make([]Result, len(cfg.Destinations))
	done := make(chan struct{})
	for i, d := range cfg.Destinations {
		go func() {
			defer func() { done <- struct{}{} }()
			began := time.Now()
			err := testDestination(ctx, cfg, d)
			results[i] = Result{Destination: d.to.Name, Took: time.Since(began), Err: err}
		}()
	}
	for range cfg.Destinations {
		<-done
	}
	return results
}

func testDestination(ctx context.Context, cfg Config, d Destination) error {
	s, err := d.open(sink.Env{Sensor: cfg.Sensor, Version: cfg.Version, Guest: true})
	if err != nil {
		return err
	}
	defer s.Close()
	now := time.Now()
	n, err := s.Send(ctx, []sink.Message{deliver.Message(d.to.Format, &record.Record{
		ID: record.NewID(), Epoch: record.NewID(), Phase: record.Test, Created: now, Start: now, End: now, FirstSeen: now,
		Sensor: cfg.Sensor, Version: cfg.Version,
	})})
	if err == nil && n != 1 {
		err = errors.New("the receiver did not take it")
	}
	if err != nil {
		return shown{err}
	}
	return nil
}

// shown is an error whose text, which may be a receiver's, is fit for a terminal.
type shown struct{ error }

func (e shown) Error() string { return text.Clean(e.error.Error()) }

func (e shown) Unwrap() error { return e.error }
