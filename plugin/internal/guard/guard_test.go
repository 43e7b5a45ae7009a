package guard

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestRecover(t *testing.T) {
	tests := []struct {
		name  string
		f     func()
		count float64
	}{
		{"a panic", func() { panic("in a test") }, 1},
		{"none", func() {}, 0},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			before := testutil.ToFloat64(Failures.WithLabelValues("test"))
			func() {
				defer Recover("test")
				tc.f()
			}()
			if got := testutil.ToFloat64(Failures.WithLabelValues("test")) - before; got != tc.count {
				t.Errorf("Got %v failures, want %v", got, tc.count)
			}
		})
	}
}
