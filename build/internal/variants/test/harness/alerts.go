package harness

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// Alert is one record, as a receiver of the JSON sees it.
type Alert struct {
	Event struct {
		ID       string
		Sequence int64
		Action   string
	}
	DNS struct {
		Question     struct{ Name, Type string }
		ResponseCode string `json:"response_code"`
	}
	Source struct {
		IP   string
		Port int
	}
	Network   struct{ Transport string }
	Lookalike struct {
		Class, Confidence, Action, Phase, Group string
		Protocol                                Words
		Protected                               []string
		DidYouMean                              []string `json:"did_you_mean"`
		Count, Total                            int
	}
	Raw  string `json:"-"`
	Late bool   `json:"-"` // logged after the last flush
}

// Words are one or more, written as a string or as an array.
type Words []string

// UnmarshalJSON reads both.
func (w *Words) UnmarshalJSON(text []byte) error {
	if !bytes.HasPrefix(text, []byte{'['}) {
		*w = make(Words, 1)
		return json.Unmarshal(text, &(*w)[0])
	}
	return json.Unmarshal(text, (*[]string)(w))
}

// late precedes the record of a query that was answered in the moment between
// the last flush and the end of the process.
const late = "alert after the last flush: "

// ParseAlerts picks the alerts out of lines and reads them.
func ParseAlerts(tb testing.TB, lines []string) []Alert {
	tb.Helper()
	var alerts []Alert
	for _, line := range lines {
		record, isLate := line, false
		if _, rest, found := strings.Cut(line, late); found {
			record, isLate = rest, true
		}
		if !strings.HasPrefix(record, "{") {
			continue
		}
		a := Alert{Raw: record, Late: isLate}
		if err := json.Unmarshal([]byte(record), &a); err != nil {
			tb.Fatalf("An alert that is no JSON: %v\n%s", err, line)
		}
		alerts = append(alerts, a)
	}
	return alerts
}

// Alerts returns the alerts on the server's standard output so far.
func (s *Server) Alerts(tb testing.TB) []Alert {
	tb.Helper()
	return ParseAlerts(tb, s.Lines())
}

// WaitAlert waits for an alert that ok accepts and returns it.
func (s *Server) WaitAlert(tb testing.TB, what string, ok func(Alert) bool) Alert {
	tb.Helper()
	var found Alert
	if !s.Wait(func() bool {
		alerts := s.Alerts(tb)
		i := slices.IndexFunc(alerts, ok)
		if i >= 0 {
			found = alerts[i]
		}
		return i >= 0
	}) {
		tb.Fatalf("No alert %s", what)
	}
	return found
}

// Sum adds up the detections that the alerts tell of.
func Sum(alerts []Alert) int {
	n := 0
	for _, a := range alerts {
		n += a.Lookalike.Count
	}
	return n
}
