package port

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// States of sockets in proc(5) that take what comes from anybody.
const (
	listening   = "0A"
	unconnected = "07"
)

// taken reports whether a socket of this network namespace has the address and
// port. All addresses of IPv4 count as all of IPv6.
func taken(protocol string, addr netip.Addr, number string) bool {
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || port == 0 {
		return false
	}
	want := netip.AddrPortFrom(canonical(addr), uint16(port))
	for _, family := range []string{"", "6"} {
		table, err := os.ReadFile("/proc/self/net/" + protocol + family)
		if err != nil {
			continue // no IPv6, or no /proc
		}
		for line := range strings.Lines(string(table)) {
			if local, ok := open(line); ok && local == want {
				return true
			}
		}
	}
	return false
}

// open reads the address of an open socket from a line of such a table: its
// number, its address, that of the other side, its state.
func open(line string) (netip.AddrPort, bool) {
	fields := strings.Fields(line)
	if len(fields) < 4 || fields[3] != listening && fields[3] != unconnected {
		return netip.AddrPort{}, false
	}
	host, number, _ := strings.Cut(fields[1], ":")
	port, err := strconv.ParseUint(number, 16, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	octets, err := hex.DecodeString(host)
	if err != nil || len(octets)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for word := octets; len(word) > 0; word = word[4:] { // each as this machine orders it
		binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
	}
	addr, ok := netip.AddrFromSlice(octets)
	return netip.AddrPortFrom(canonical(addr), uint16(port)), ok
}

func canonical(addr netip.Addr) netip.Addr {
	if addr = addr.Unmap().WithZone(""); addr.IsUnspecified() {
		return netip.IPv6Unspecified()
	}
	return addr
}
