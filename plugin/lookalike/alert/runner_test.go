package alert

import "testing"

// lastMoment is a queue that gets its last record just after it was found
// empty, and then no more.
type lastMoment struct {
	*queue
	end func()
}

func (l *lastMoment) take(n int) []*Record {
	records := l.queue.take(n)
	if len(records) == 0 && l.end != nil {
		l.push([]*Record{{ID: "last"}})
		l.end()
		l.end = nil
	}
	return records
}

// TestNextAtTheEnd stops a runner between its look for records and its look
// whether there will be any more: it delivers what came in between.
func TestNextAtTheEnd(t *testing.T) {
	r := &runner{draining: make(chan struct{}), dest: Destination{batch: 10}}
	r.source = &lastMoment{newQueue(10, func() {}, func() {}), func() { close(r.draining) }}
	records := r.next(t.Context())
	if len(records) != 1 || records[0].ID != "last" {
		t.Fatalf("Got %v, want the last record", records)
	}
	r.source.settle(1)
	if records := r.next(t.Context()); records != nil {
		t.Errorf("Got %v after the last record, want none", records)
	}
}
