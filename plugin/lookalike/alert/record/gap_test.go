package record_test

import (
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
)

// TestWiden loses records one by one: one record tells of all of them.
func TestWiden(t *testing.T) {
	lose := func(epoch string, sequence, count uint64) *record.Record {
		r := recordtest.Sample()
		r.Epoch, r.Sequence, r.Count = epoch, sequence, count
		return r
	}
	tests := []struct {
		name string
		lost []*record.Record
		want record.Gap
	}{
		{"one", []*record.Record{lose("e", 7, 3)}, record.Gap{Epoch: "e", From: 7, To: 7, Records: 1, Detections: 3}},
		{"a run", []*record.Record{lose("e", 7, 3), lose("e", 8, 1), lose("e", 9, 0)}, record.Gap{Epoch: "e", From: 7, To: 9, Records: 3, Detections: 4}},
		{"backwards", []*record.Record{lose("e", 7, 3), lose("e", 5, 1)}, record.Gap{Epoch: "e", From: 5, To: 7, Records: 2, Detections: 4}},
		{"another epoch", []*record.Record{lose("e", 7, 3), lose("f", 1, 1)}, record.Gap{Epoch: "e", From: 7, To: 7, Records: 2, Detections: 4}},
		{"a record that tells of a gap", []*record.Record{
			record.NewLost(&record.Gap{Epoch: "e", From: 1, To: 6, Records: 6, Detections: 20}, recordtest.Sample()), lose("e", 7, 3),
		}, record.Gap{Epoch: "e", From: 1, To: 7, Records: 7, Detections: 23}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var lost *record.Record
			for _, r := range tc.lost {
				lost = record.Widen(lost, r.Gap("queue_full"), r)
			}
			tc.want.Reason = "queue_full"
			if lost.Phase != record.Lost || *lost.Lost != tc.want || lost.Sequence != 0 {
				t.Errorf("Got %+v, want %+v", lost.Lost, tc.want)
			}
		})
	}
}
