package alertlog

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

func TestFilter(t *testing.T) {
	prefix := netip.MustParsePrefix
	at := func(minute int) time.Time { return recordtest.Epoch.Add(time.Duration(minute) * time.Minute) }
	// The alert is about mail.xn--rmy-5cd.ml, which resembles army.mil, from
	// 192.0.2.25, minute 5, with the action sinkhole.
	tests := []struct {
		name   string
		filter Filter
		want   bool
	}{
		{"nothing", Filter{}, true},
		{"its client", Filter{Client: prefix("192.0.2.25/32")}, true},
		{"its network", Filter{Client: prefix("192.0.2.0/24")}, true},
		{"another network", Filter{Client: prefix("198.51.100.0/24")}, false},
		{"its class", Filter{Class: detect.IDNHomoglyph}, true},
		{"another class", Filter{Class: detect.Typo}, false},
		{"its action", Filter{Action: record.Sinkhole}, true},
		{"another action", Filter{Action: record.Monitor}, false},
		{"its name", Filter{Name: "mail.xn--rmy-5cd.ml"}, true},
		{"a name that it lies below", Filter{Name: "xn--rmy-5cd.ml"}, true},
		{"a sample", Filter{Name: "mx1.xn--rmy-5cd.ml"}, true},
		{"the end of its name only", Filter{Name: "5cd.ml"}, false},
		{"its protected name", Filter{Protected: "army.mil"}, true},
		{"all below a TLD", Filter{Protected: "mil"}, true},
		{"another protected name", Filter{Protected: "navy.mil"}, false},
		{"since its minute", Filter{Since: at(5)}, true},
		{"since later", Filter{Since: at(6)}, false},
		{"until its minute", Filter{Until: at(5)}, false},
		{"until later", Filter{Until: at(6)}, true},
		{"all at once", Filter{Client: prefix("192.0.2.25/32"), Class: detect.IDNHomoglyph, Action: record.Sinkhole, Protected: "army.mil"}, true},
		{"one of them wrong", Filter{Client: prefix("192.0.2.25/32"), Class: detect.IDNHomoglyph, Action: record.Drop}, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.filter.Match(&Record{Record: *recordtest.Sample()}); got != tc.want {
				t.Errorf("Got %v, want %v", got, tc.want)
			}
		})
	}
}
