package alert

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestTestDestinations(t *testing.T) {
	good, bad, hung := new(receiver), &receiver{fail: errors.New("down")}, &receiver{hang: true}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	results := TestDestinations(ctx, Config{Sensor: "ns1.example.org", Destinations: []Destination{
		good.destination("a good"), bad.destination("b bad"), hung.destination("c hung"),
	}})
	for i, want := range []struct {
		name string
		good bool
	}{{"a good", true}, {"b bad", false}, {"c hung", false}} {
		if r := results[i]; r.Destination != want.name || (r.Err == nil) != want.good {
			t.Errorf("Got %+v, want %s to succeed: %v", r, want.name, want.good)
		}
	}
	flat := decode(t, good.all()[0].Body)
	if flat["lookalike.phase"] != "test" || flat["lookalike.test"] != true || flat["event.kind"] != "event" || flat["lookalike.sensor"] != "ns1.example.org" {
		t.Errorf("Got test alert %v", flat)
	}
	if good.closed != 1 || bad.closed != 1 || hung.closed != 1 {
		t.Error("Got a sink that was not closed")
	}
}
