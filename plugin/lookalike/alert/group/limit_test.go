package group

import (
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
)

// TestBucket holds that a bucket answers as the limiter that it spares.
func TestBucket(t *testing.T) {
	tests := []struct {
		name string
		most time.Duration // from each question to the next
	}{
		{"a flood", time.Millisecond},
		{"at the rate", 2 * time.Second / AnnouncePerSecond},
		{"with rests", time.Second},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var b bucket
			b.init(AnnouncePerSecond)
			plain := rate.NewLimiter(AnnouncePerSecond, AnnounceBurst)
			r := rand.New(rand.NewPCG(1, 2))
			now := recordtest.Epoch
			taken := 0
			for i := range 10_000 {
				now = now.Add(time.Duration(r.Int64N(int64(tc.most))))
				if got, want := b.has(now), plain.TokensAt(now) >= 1; got != want {
					t.Fatalf("Question %d: got a token %v, want %v", i, got, want)
				}
				got, want := b.take(now), plain.AllowN(now, 1)
				if got != want {
					t.Fatalf("Question %d: got a token taken %v, want %v", i, got, want)
				}
				if got {
					taken++
				}
			}
			if taken < AnnounceBurst {
				t.Errorf("Got %d tokens, want at least %d", taken, AnnounceBurst)
			}
		})
	}
}
