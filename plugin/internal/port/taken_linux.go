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

// ownSockets returns the inodes of the sockets that this process has open.
func ownSockets() map[string]bool {
	const fds = "/proc/self/fd/"
	own := make(map[string]bool)
	entries, _ := os.ReadDir(fds) // without /proc nothing is taken either
	for _, e := range entries {
		if link, err := os.Readlink(fds + e.Name()); err == nil && strings.HasPrefix(link, "socket:[") {
			own[strings.Trim(link, "socket:[]")] = true
		}
	}
	return own
}

// taken reports whether a socket of this network namespace, other than those of
// own, has the address and port. All addresses of IPv4 count as all of IPv6.
func taken(protocol string, addr netip.Addr, number string, own map[string]bool) bool {
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
			if local, inode, ok := open(line); ok && local == want && !own[inode] {
				return true
			}
		}
	}
	return false
}

// open reads the address of an open socket from a line of such a table: its
// number, its address, that of the other side, its state and, tenth, its inode.
func open(line string) (local netip.AddrPort, inode string, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 10 || fields[3] != listening && fields[3] != unconnected {
		return netip.AddrPort{}, "", false
	}
	host, number, _ := strings.Cut(fields[1], ":")
	port, err := strconv.ParseUint(number, 16, 16)
	if err != nil {
		return netip.AddrPort{}, "", false
	}
	octets, err := hex.DecodeString(host)
	if err != nil || len(octets)%4 != 0 {
		return netip.AddrPort{}, "", false
	}
	for word := octets; len(word) > 0; word = word[4:] { // each as this machine orders it
		binary.NativeEndian.PutUint32(word, binary.BigEndian.Uint32(word))
	}
	addr, ok := netip.AddrFromSlice(octets)
	return netip.AddrPortFrom(canonical(addr), uint16(port)), fields[9], ok
}

func canonical(addr netip.Addr) netip.Addr {
	if addr = addr.Unmap().WithZone(""); addr.IsUnspecified() {
		return netip.IPv6Unspecified()
	}
	return addr
}
