package interrupt

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWithin(t *testing.T) {
	fails := errors.New("the disk is full")
	tests := []struct {
		name      string
		do        func(ctx context.Context, blocked <-chan struct{}) (int, error)
		interrupt bool
		want      int
		err       error
	}{
		{"work that ends", func(context.Context, <-chan struct{}) (int, error) { return 7, nil }, false, 7, nil},
		{"work that fails", func(context.Context, <-chan struct{}) (int, error) { return 7, fails }, false, 7, fails},
		{"interrupted work that ends at once", func(ctx context.Context, _ <-chan struct{}) (int, error) { <-ctx.Done(); return 7, fails }, true, 7, fails},
		{"interrupted work that blocks", func(_ context.Context, blocked <-chan struct{}) (int, error) { <-blocked; return 7, nil }, true, 0, context.Canceled},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tc.interrupt {
				cancel()
			}
			blocked := make(chan struct{})
			defer close(blocked)
			began := time.Now()
			got, err := Within(ctx, func() (int, error) { return tc.do(ctx, blocked) })
			if got != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("Got %d, error %v, want %d, %v", got, err, tc.want, tc.err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("Took %v", took)
			}
		})
	}
}
