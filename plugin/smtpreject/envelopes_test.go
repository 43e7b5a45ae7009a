package smtpreject

import (
	"net/netip"
	"testing"
	"time"
)

// TestEnvelopes asks for envelopes as clients would, a step at a time.
func TestEnvelopes(t *testing.T) {
	at := func(n int) client { return clientOf(netip.AddrFrom4([4]byte{192, 0, byte(n >> 8), byte(n)})) }
	now := time.Unix(1_800_000_000, 0)
	l := newEnvelopes()
	for _, step := range []struct {
		name    string
		after   time.Duration
		clients int // each of them
		asks    int
		want    int // of all
	}{
		{"a message to many", 0, 1, clientBurst, clientBurst},
		{"no more of this client", 0, 1, 50, 0},
		{"its share comes back", 10 * time.Second, 1, 50, 10 * clientPerSecond},
		{"the others are not disturbed", 0, 9, 20, 8 * 20},
		{"after a while", time.Hour, 1, 2 * clientBurst, clientBurst},
		{"all together", time.Hour, 5000, 1, totalBurst},
		{"all together, later", 10 * time.Second, 5000, 1, 10 * totalPerSecond},
	} {
		now = now.Add(step.after)
		got := 0
		for n := range step.clients {
			for range step.asks {
				if l.allow(at(n), now) {
					got++
				}
			}
		}
		if got != step.want {
			t.Errorf("%s: %d envelopes, want %d", step.name, got, step.want)
		}
	}
}

func TestEnvelopesForgetsClients(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := newEnvelopes()
	most := 0
	for n := range 200_000 {
		l.allow(clientOf(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})), now)
		now = now.Add(time.Second / totalPerSecond)
		most = max(most, len(l.byClient))
	}
	if most > 2*minSweep {
		t.Errorf("%d clients are remembered, more than %d", most, 2*minSweep)
	}
}
