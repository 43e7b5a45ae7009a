package address

import (
	"net"
	"net/netip"
	"testing"
)

func TestParsePrefix(t *testing.T) {
	tests := []struct{ in, want string }{
		{"192.0.2.1", "192.0.2.1/32"},
		{"192.0.2.1/24", "192.0.2.0/24"},
		{"::ffff:192.0.2.1", "192.0.2.1/32"},
		{"::ffff:192.0.2.1/120", "192.0.2.0/24"},
		{"2001:db8::25", "2001:db8::25/128"},
		{"2001:db8::25/32", "2001:db8::/32"},
		{"fe80::1%eth0", "fe80::1/128"},
		{"fe80::%eth0/64", ""},
		{"::ffff:192.0.2.0/90", ""},
		{"192.0.2.0/33", ""},
		{"192.0.2.256", ""},
		{"mx1", ""},
		{"", ""},
	}
	for _, tc := range tests {
		got, err := ParsePrefix(tc.in)
		if tc.want == "" && err == nil || tc.want != "" && (err != nil || got.String() != tc.want) {
			t.Errorf("%q: got %v and error %v, want %q", tc.in, got, err, tc.want)
		}
	}
}

func TestOf(t *testing.T) {
	tests := []struct {
		a    net.Addr
		want string
	}{
		{&net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 53}, "192.0.2.1:53"},
		{&net.TCPAddr{IP: net.ParseIP("fe80::1"), Port: 25, Zone: "eth0"}, "[fe80::1]:25"},
		{named("192.0.2.1:53"), "192.0.2.1:53"},
		{named("pipe"), "invalid AddrPort"},
		{nil, "invalid AddrPort"},
	}
	for _, tc := range tests {
		got := Of(tc.a)
		if got.String() != tc.want && got != (netip.AddrPort{}) {
			t.Errorf("%v: got %v, want %s", tc.a, got, tc.want)
		}
	}
}

// named is an address that is only known by its text.
type named string

func (n named) Network() string { return "test" }
func (n named) String() string  { return string(n) }
