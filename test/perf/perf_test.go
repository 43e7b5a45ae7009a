package perf

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	const whole = "Statistics:\n\n  Queries sent:         1000\n  Queries completed:    1000 (100.00%)\n  Queries lost:         0 (0.00%)\n\n  Queries per second:   9998.700169\n"
	tests := []struct {
		name, out string
		want      Result
		err       string
	}{
		{"all answered", whole, Result{Queries: 1000, Rate: 9998.700169}, ""},
		{"with latencies", "> NOERROR army.mil MX 0.000125\n> T example.org A 1.5\n" + whole,
			Result{Queries: 1000, Rate: 9998.700169, Latencies: []time.Duration{125 * time.Microsecond, 1500 * time.Millisecond}}, ""},
		{"one lost", strings.Replace(whole, "1000 (100.00%)", "999 (99.90%)", 1), Result{}, "only 99.90 % of the queries"},
		{"no statistics", "Error: no data\n", Result{}, "says nothing"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parse(tc.out)
			if !reflect.DeepEqual(got, tc.want) || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("Got %v, %v; want %v, %q", got, err, tc.want, tc.err)
			}
		})
	}
}

func TestQuantile(t *testing.T) {
	tests := []struct {
		name string
		list []float64
		q    float64
		want float64
	}{
		{"one value", []float64{7}, 0.25, 7},
		{"median of three", []float64{9, 1, 2}, 0.5, 2},
		{"median of four", []float64{4, 1, 3, 2}, 0.5, 2.5},
		{"quartile between", []float64{1, 2, 3, 4}, 0.25, 1.75},
		{"highest", []float64{1, 5, 3}, 1, 5},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := Quantile(tc.list, tc.q); got != tc.want {
				t.Errorf("Got %v, want %v", got, tc.want)
			}
		})
	}
}
