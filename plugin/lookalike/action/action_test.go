package action

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// table reads action lines, each of words.
func table(t *testing.T, lines string) *Table {
	t.Helper()
	var l Lines
	for line := range strings.Lines(lines) {
		if err := l.Add(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
	}
	return l.Table()
}

func TestTable(t *testing.T) {
	tests := []struct {
		name  string
		lines string
		// what tld-swap high, typo high, typo medium and combosquat low get
		want [4]string
	}{
		{"defaults", "", [4]string{"nxdomain", "nxdomain", "monitor", "monitor"}},
		{"without a selector", "nodata", [4]string{"nodata", "nodata", "nodata", "nodata"}},
		{"confidence", "medium refused", [4]string{"nxdomain", "nxdomain", "refused", "monitor"}},
		{"class", "typo drop", [4]string{"nxdomain", "drop", "drop", "monitor"}},
		{"class over confidence", "typo off\nhigh servfail", [4]string{"servfail", "off", "off", "monitor"}},
		{"order does not matter", "high servfail\nmonitor\ntypo off", [4]string{"servfail", "off", "off", "monitor"}},
		{"monitor everything", "monitor", [4]string{"monitor", "monitor", "monitor", "monitor"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			tab := table(t, tc.lines)
			got := [4]string{
				tab[detect.TLDSwap][detect.High].String(), tab[detect.Typo][detect.High].String(),
				tab[detect.Typo][detect.Medium].String(), tab[detect.Combosquat][detect.Low].String(),
			}
			if got != tc.want {
				t.Errorf("Got %v, want %v", got, tc.want)
			}
		})
	}
}

// addresses reads a list of addresses.
func addresses(list string) (addresses []netip.Addr) {
	for address := range strings.FieldsSeq(list) {
		addresses = append(addresses, netip.MustParseAddr(address))
	}
	return addresses
}

func TestSinkholes(t *testing.T) {
	tests := []struct{ name, lines, private, checked string }{
		{"some", "high sinkhole 10.0.0.25 198.51.100.25 unchecked\nlow sinkhole fd00::25\ntypo sinkhole fd00::25", "10.0.0.25 fd00::25", "fd00::25"},
		{"none", "", "", ""},
	}
	for _, tc := range tests {
		tab := table(t, tc.lines)
		if got := tab.Private(); !slices.Equal(got, addresses(tc.private)) {
			t.Errorf("%s: private are %v, want %s", tc.name, got, tc.private)
		}
		if got := tab.Checked(); !slices.Equal(got, addresses(tc.checked)) {
			t.Errorf("%s: checked are %v, want %s", tc.name, got, tc.checked)
		}
	}
}

func TestAvailable(t *testing.T) {
	tests := []struct{ name, action, down, want string }{
		{"both are up", "sinkhole 192.0.2.25 192.0.2.26", "", "sinkhole 192.0.2.25 192.0.2.26"},
		{"one is down", "sinkhole 192.0.2.25 192.0.2.26", "192.0.2.25", "sinkhole 192.0.2.26"},
		{"both are down", "sinkhole 192.0.2.25 192.0.2.26", "192.0.2.25 192.0.2.26", "nxdomain"},
		{"nobody checks", "sinkhole 192.0.2.25 unchecked", "192.0.2.25", "sinkhole 192.0.2.25"},
		{"no sinkhole", "nodata", "192.0.2.25", "nodata"},
	}
	for _, tc := range tests {
		a := table(t, tc.action)[detect.TLDSwap][detect.High]
		down := addresses(tc.down)
		a = a.Available(func(address netip.Addr) bool { return !slices.Contains(down, address) })
		words := []string{a.String()}
		for _, address := range a.Addresses {
			words = append(words, address.String())
		}
		if got := strings.Join(words, " "); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}
