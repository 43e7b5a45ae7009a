package tally

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/report"
)

func TestName(t *testing.T) {
	entries, days, messages := Room(100), Room(100), Room(keptMessages)
	n, other := NewName(&entries, &days, &messages), NewName(&entries, &days, &messages)
	for _, typed := range []string{"army.ml", "mail.army.ml", "", "army.ml", "a.army.ml", "b.army.ml", "c.army.ml", "d.army.ml"} {
		n.Typed(typed)
	}
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	n.Seen(noon, noon.Add(time.Hour))
	n.Seen(noon.AddDate(0, 0, -1), noon.AddDate(0, 0, -1))
	n.Seen(noon, noon)
	for i := range keptMessages + 3 {
		n.Keep(report.Message{Line: i})
	}
	other.Keep(report.Message{Line: 1}) // no room is left
	row := n.Row("army.ml", report.Mail)
	if got := strings.Join(row.Typed, " "); got != "army.ml mail.army.ml a.army.ml b.army.ml c.army.ml" {
		t.Errorf("Got typed %s", got)
	}
	if !row.First.Equal(noon.AddDate(0, 0, -1)) || !row.Last.Equal(noon.Add(time.Hour)) || row.Days != 2 {
		t.Errorf("Got %d days from %v to %v", row.Days, row.First, row.Last)
	}
	var lines []string
	for _, m := range row.Messages {
		lines = append(lines, fmt.Sprint(m.Line))
	}
	if len(lines) != keptMessages || lines[0] != "3" || lines[keptMessages-1] != fmt.Sprint(keptMessages+2) {
		t.Errorf("Got messages %q, want the latest, in their order", lines)
	}
	if got := other.Row("navy.ml", report.Mail); len(got.Messages) != 0 || !slices.Equal(got.Typed, nil) {
		t.Errorf("Got %+v", got)
	}
}
