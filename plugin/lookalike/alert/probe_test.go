package alert

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

func TestTestDestinations(t *testing.T) {
	good, bad, hung := new(sinktest.Receiver), &sinktest.Receiver{Fail: errors.New("down")}, &sinktest.Receiver{Hang: true}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	results := TestDestinations(ctx, Config{Sensor: "ns1.example.org", Destinations: []Destination{
		destination(good, "a good"), destination(bad, "b bad"), destination(hung, "c hung"),
	}})
	for i, want := range []struct {
		name string
		good bool
	}{{"a good", true}, {"b bad", false}, {"c hung", false}} {
		if r := results[i]; r.Destination != want.name || (r.Err == nil) != want.good {
			t.Errorf("Got %+v, want %s to succeed: %v", r, want.name, want.good)
		}
	}
	flat := decode(t, good.All()[0].Body)
	if flat["lookalike.phase"] != "test" || flat["lookalike.test"] != true || flat["event.kind"] != "event" || flat["lookalike.sensor"] != "ns1.example.org" {
		t.Errorf("Got test alert %v", flat)
	}
	if good.Closed != 1 || bad.Closed != 1 || hung.Closed != 1 {
		t.Error("Got a sink that was not closed")
	}
}
