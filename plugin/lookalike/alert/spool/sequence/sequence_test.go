package sequence

import (
	"fmt"
	"slices"
	"testing"
)

// TestEach holds that positions have the numbers that were noted, in runs.
func TestEach(t *testing.T) {
	n := Numbers{Epoch: "a"}
	notes := []struct {
		position uint64
		epoch    string
		number   uint64
	}{{3, "a", 1}, {4, "a", 2}, {5, "b", 1}, {6, "b", 2}, {7, "b", 4}, {8, "a", 3}}
	for _, note := range notes {
		n.Note(note.position, note.epoch, note.number)
	}
	tests := []struct {
		name      string
		from, end uint64
		want      []string
	}{
		{"nothing", 4, 4, nil},
		{"one", 4, 5, []string{"a 2-2"}},
		{"a run", 3, 5, []string{"a 1-2"}},
		{"two epochs", 4, 7, []string{"a 2-2", "b 1-2"}},
		{"numbers that are left out", 6, 8, []string{"b 2-2", "b 4-4"}},
		{"all", 3, 9, []string{"a 1-2", "b 1-2", "b 4-4", "a 3-3"}},
		{"unknown ones before", 1, 4, []string{" 0-1", "a 1-1"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			n.Each(tc.from, tc.end, func(epoch string, from, to uint64) {
				got = append(got, fmt.Sprintf("%s %d-%d", epoch, from, to))
			})
			if !slices.Equal(got, tc.want) {
				t.Errorf("Got %q, want %q", got, tc.want)
			}
		})
	}
	if n.Sequence != 3 || n.EpochAt(6) != "b" || n.EpochAt(2) != "" {
		t.Errorf("Got last number %d, epochs %q and %q, want 3, b and none", n.Sequence, n.EpochAt(6), n.EpochAt(2))
	}
}

// TestForget holds that runs are forgotten only where they end, and that a copy stays.
func TestForget(t *testing.T) {
	n := Numbers{Epoch: "a"}
	n.Note(1, "a", 1)
	n.Note(2, "b", 1)
	n.Note(4, "a", 2)
	before := n
	n.Forget(3)
	if n.EpochAt(1) != "" || n.EpochAt(3) != "b" || n.EpochAt(4) != "a" {
		t.Errorf("Got runs %v, want those from 2 on", n.Runs)
	}
	n.Note(5, "c", 9)
	if len(before.Runs) != 3 || before.EpochAt(1) != "a" || before.EpochAt(5) != "a" {
		t.Errorf("Got a copy changed to %v", before.Runs)
	}
}
