package record

import "time"

// Gap is a run of records that a sink was not given.
type Gap struct {
	Epoch      string // of From and To
	From, To   uint64 // sequence numbers, inclusive
	Records    uint64
	Detections uint64 // the sum of the records' counts
	Reason     string
}

// NewLost makes the record that tells one sink what it was not given. It has
// no sequence number, since it belongs to no other sink; like lends it the
// sensor.
func NewLost(g *Gap, like *Record) *Record {
	return &Record{
		ID: NewID(), Epoch: like.Epoch, Phase: Lost, Lost: g, Created: time.Now(),
		Start: like.Start, End: like.End, Sensor: like.Sensor, Version: like.Version,
	}
}

// Gap returns the gap that the loss of r leaves at a sink. If r itself tells of
// a gap, that one is returned.
func (r *Record) Gap(reason string) Gap {
	if r.Lost != nil {
		g := *r.Lost
		g.Reason = reason
		return g
	}
	return Gap{Epoch: r.Epoch, From: r.Sequence, To: r.Sequence, Records: 1, Detections: r.Count, Reason: reason}
}

// Widen adds the gap g to the record lost, and extends its time to that of
// like. Where lost is nil it makes a record; else it changes the one given. A
// record names the sequence numbers of one epoch; a gap in another only adds to
// its sums.
func Widen(lost *Record, g Gap, like *Record) *Record {
	if lost == nil {
		return NewLost(&g, like)
	}
	l := lost.Lost
	if l.Epoch == g.Epoch {
		l.From, l.To = min(l.From, g.From), max(l.To, g.To)
	}
	l.Records += g.Records
	l.Detections += g.Detections
	l.Reason = g.Reason
	lost.End = like.End
	return lost
}
