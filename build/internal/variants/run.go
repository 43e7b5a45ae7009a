package variants

import (
	"context"
	"errors"
	"iter"
	"sync"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/variants"
)

// Run is one pass over a list.
type Run struct {
	List     iter.Seq[variants.Variant]
	Resolver *Resolver // nil: nothing is asked
	Workers  int       // names that are asked for at a time
	After    string    // begin behind this name, as a run before has ended there; empty: at the beginning
	Since    Earlier   // nil: compare with nothing
	All      bool      // hand over the names that do not exist, too
	Progress func(Tally)
}

// Tally says how far a run has come.
type Tally struct {
	Names   int // of the list, those before After, too
	Exist   int
	Mail    int // of them, those that take mail
	Failed  int // those that could not be found out
	Changes map[Change]int
}

// ErrNotOfList is the error of a run that is to go on behind a name that its list
// has not.
var ErrNotOfList = errors.New("its last name is not of this list: use the same names and flags as before, or begin anew without -resume")

// Do hands over the results in the order of the list, until do returns an error.
// Names that do not exist are left out, unless All is set or they are gone. When ctx
// ends, what was handed over so far is the beginning of a whole run.
func (r *Run) Do(ctx context.Context, do func(*Result) error) (Tally, error) {
	t := Tally{Changes: make(map[Change]int)}
	ctx, cancel := context.WithCancel(ctx)
	pending := make(chan chan found, max(r.Workers, 1))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	skipped := 0
	wg.Go(func() {
		defer close(pending)
		skipped = r.ask(ctx, pending, &wg)
	})
	for one := range pending {
		f := <-one
		if f.err != nil {
			return t, f.err
		}
		if err := r.take(&t, &f.result, do); err != nil {
			return t, err
		}
	}
	switch {
	case ctx.Err() != nil:
		return t, ctx.Err()
	case skipped < 0:
		return t, ErrNotOfList
	}
	t.Names += skipped
	return t, nil
}

// found is what came of one name.
type found struct {
	result Result
	err    error
}

// ask has workers ask for the names of the list, and puts a channel for each into
// pending, in their order. It returns how many names it has left out, -1 where
// After is not among them.
func (r *Run) ask(ctx context.Context, pending chan<- chan found, wg *sync.WaitGroup) (skipped int) {
	skipping := r.After != ""
	for v := range r.List {
		if skipping {
			skipping = v.Name != r.After
			skipped++
			continue
		}
		one := make(chan found, 1)
		select {
		case pending <- one:
		case <-ctx.Done():
			return skipped
		}
		if r.Resolver == nil {
			one <- found{result: NewResult(&v)}
			continue
		}
		wg.Go(func() {
			result := NewResult(&v)
			var err error
			result.Answer, err = r.Resolver.Lookup(ctx, v.Name, v.Registrable)
			one <- found{result, err}
		})
	}
	if skipping {
		return -1
	}
	return skipped
}

// take counts a result, and hands it over where it is wanted.
func (r *Run) take(t *Tally, result *Result, do func(*Result) error) error {
	t.Names++
	wanted := r.All || r.Resolver == nil
	if a := result.Answer; a != nil {
		switch {
		case a.Error != "":
			t.Failed++
			wanted = true
		case a.Exists:
			t.Exist++
			wanted = true
			if a.Mail.takes() {
				t.Mail++
			}
		}
	}
	if r.Since != nil {
		if result.Change = r.Since.compare(result); result.Change != "" {
			t.Changes[result.Change]++
			wanted = true
		}
	}
	if r.Progress != nil {
		r.Progress(*t)
	}
	if !wanted {
		return nil
	}
	return do(result)
}
