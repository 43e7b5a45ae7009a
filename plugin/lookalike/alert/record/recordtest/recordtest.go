// Package recordtest has detections and records for tests.
package recordtest

import (
	"net/netip"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Epoch is when the tests begin.
var Epoch = time.Date(2026, 11, 23, 8, 40, 0, 0, time.UTC)

// Client returns the address of the i-th of a million clients.
func Client(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
}

// Detection returns a query for a registrable lookalike, or a name below it, by
// client.
func Detection(client, name, registrable string, at time.Time) *record.Detection {
	return &record.Detection{
		Time:      at,
		Client:    netip.AddrPortFrom(netip.MustParseAddr(client), 41532),
		Server:    netip.MustParseAddrPort("192.0.2.53:53"),
		Transport: "udp",
		Protocol:  "dns",
		ID:        51234,
		Qtype:     15,
		Rcode:     3,
		Action:    record.NXDomain,
		Verdict: &detect.Verdict{
			Class:       detect.TLDSwap,
			Confidence:  detect.High,
			Matches:     []detect.Match{{Protected: "army.mil", DidYouMean: "army.mil"}},
			Name:        name,
			Registrable: registrable,
			Reason:      "army.ml is army.mil under ml",
		},
		ServerBlock: "dns://.:53",
	}
}

// Sample returns a record with everything in it but what Ended has.
func Sample() *record.Record {
	return &record.Record{
		ID: "019ab0d2-8c33-7e1f-9a54-6b1f0c2d7e88", Epoch: "019ab0b1-0000-7aaa-8bbb-000000000001", Sequence: 918273,
		Phase: record.Update, Group: "0123456789abcdef",
		Created: Epoch.Add(5 * time.Minute), Start: Epoch.Add(time.Minute), End: Epoch.Add(5 * time.Minute), FirstSeen: Epoch,
		Class: detect.IDNHomoglyph, Confidence: detect.High, Action: record.Sinkhole, Reason: "army.ml is army.mil under ml",
		Client: netip.MustParseAddr("192.0.2.25"), ClientPort: 41532, Server: netip.MustParseAddrPort("192.0.2.53:53"),
		Transport: "udp", Protocols: []string{"dns"},
		DNSID: 51234, Qtype: "MX", Rcode: "NXDOMAIN", Answers: []netip.Addr{netip.MustParseAddr("192.0.2.99")},
		Name: "mail.xn--rmy-5cd.ml", Registrable: "xn--rmy-5cd.ml", Unicode: "mail.аrmy.ml",
		Protected: []string{"army.mil", "arm.mil"}, DidYouMean: []string{"mail.army.mil", "mail.arm.mil"},
		Count: 42, Total: 57,
		Qtypes:  []string{"MX", "A", "AAAA", "other"},
		Samples: []string{"mail.xn--rmy-5cd.ml", "mx1.xn--rmy-5cd.ml"}, DistinctNames: 2,
		Contexts: []string{"tlsa"}, Vias: []string{"partner.example", "other.example"}, ServerBlocks: []string{"dns://.:53"}, Views: []string{"mail"},
		SMTP:   []record.SMTP{{From: "alice@example.org", To: "bob@army.ml", HELO: "mx.example.org"}},
		Sensor: "ns1.example.org", Version: "1.0.0",
	}
}

// Ended returns a record of queries that an exception let pass until it ended.
func Ended() *record.Record {
	r := Sample()
	r.Exception = &record.Exception{
		Name: "xn--rmy-5cd.ml", Until: "2026-11-22", Owner: "mail-team@example.net", Reason: `pensions, "old"`, Ticket: `SEC\1234`,
	}
	return r
}

// First returns the first record of the group of a query for army.ml.
func First() *record.Record {
	d := Detection("2001:db8::25", "army.ml", "army.ml", Epoch)
	return &record.Record{
		ID: record.NewID(), Phase: record.First, Group: "44f1f0a4e3a5d3fa",
		Start: d.Time, End: d.Time, FirstSeen: d.Time,
		Class: d.Verdict.Class, Confidence: d.Verdict.Confidence, Action: d.Action, Reason: d.Verdict.Reason,
		Client: d.Client.Addr(), ClientPort: d.Client.Port(), Server: d.Server, Transport: d.Transport, Protocols: []string{d.Protocol},
		DNSID: d.ID, Qtype: "MX", Rcode: "NXDOMAIN",
		Name: d.Verdict.Name, Registrable: d.Verdict.Registrable, Protected: []string{"army.mil"}, DidYouMean: []string{"army.mil"},
		Count: 1, Total: 1, Qtypes: []string{"MX"}, Samples: []string{"army.ml"}, DistinctNames: 1,
		ServerBlocks: []string{d.ServerBlock}, Sensor: "ns1.example.org",
	}
}

// EveryPhase returns records of each kind.
func EveryPhase() map[string]*record.Record {
	storm := Sample()
	storm.Phase, storm.Client, storm.ClientPort, storm.Registrable = record.Storm, netip.Addr{}, 0, record.Any
	storm.Clients, storm.DistinctClients = []netip.Addr{netip.MustParseAddr("2001:db8::25")}, 1
	final := Sample()
	final.Phase, final.Count, final.Qtypes = record.Final, 0, nil
	monitor := Sample()
	monitor.Action, monitor.Rcode = record.Monitor, ""
	gap := record.Gap{Epoch: "e", From: 3, To: 9, Records: 7, Detections: 12, Reason: "queue_full"}
	return map[string]*record.Record{
		"update": Sample(), "storm": storm, "final": final, "monitor": monitor, "ended": Ended(), "first": First(),
		"lost": record.NewLost(&gap, Sample()),
		"test": {Phase: record.Test, ID: record.NewID(), Created: Epoch, Start: Epoch, End: Epoch, Sensor: "ns1.example.org"},
	}
}
