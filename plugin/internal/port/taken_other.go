//go:build !linux

package port

import "net/netip"

func ownSockets() map[string]bool { return nil }

func taken(string, netip.Addr, string, map[string]bool) bool { return false }
