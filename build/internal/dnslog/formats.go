// Package dnslog reads the query logs of DNS servers, of monitors that watch
// their traffic, and recorded traffic itself. Each query becomes one event,
// however often a log tells of it.
//
// The corpora in testdata name the versions of the servers. A parser keeps a few
// megabytes at most, whatever it reads.
package dnslog

import "github.com/lookalike-dns/lookalike/build/internal/event"

// Formats returns the formats that the package reads, text formats first.
func Formats() []event.Format {
	return []event.Format{
		lines("bind", "BIND query log", newBIND),
		lines("unbound", "Unbound query log", newUnbound),
		lines("coredns", "CoreDNS log", newCoreDNS),
		lines("dnsmasq", "dnsmasq or Pi-hole query log", newDnsmasq),
		lines("recursor", "PowerDNS Recursor query log", newRecursor),
		lines("windows", "Windows DNS debug log", newWindows),
		lines("zeek", "Zeek dns.log", newZeek),
		lines("suricata", "Suricata EVE log", newSuricata),
		lines("adguard", "AdGuard Home query log", newAdGuard),
		{Name: "dnstap", Title: "dnstap file", Magic: isDnstap, Stream: readDnstap},
		{Name: "pcap", Title: "packet capture", Magic: isCapture, Stream: readCapture},
	}
}

// lines returns a format of lines.
func lines(name, title string, parser func(*queries) event.Parser) event.Format {
	return event.Format{
		Name: name, Title: title,
		New: func(o event.Options) event.Parser { return parser(newQueries(name, o)) },
	}
}
