package record

import (
	"net/netip"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Detection is one query that matched, as the handler saw it. The strings and
// the verdict are shared, never modified.
type Detection struct {
	Time      time.Time
	Client    netip.AddrPort // unmapped, without a zone
	Server    netip.AddrPort // the address that the query came to; may be the zero value
	Transport string         // "udp" or "tcp"

	ID      uint16
	Qtype   uint16
	Action  Action
	Rcode   int          // of the answer; meaningless when Action writes none
	Answers []netip.Addr // the sinkhole's addresses, where Action is Sinkhole

	// What detections of one group may differ in stands side by side: a group
	// compares it with what it knows for every query.
	Verdict *detect.Verdict

	// Protocol is how DNS was carried: "dns", "tls", "https", "https3", "quic",
	// "grpc".
	Protocol string
	// Context says what the query was for, where that is known: "spf", "dmarc" or
	// "dkim" (somebody's mail was checked), "tlsa" or "mta-sts" (mail was on its
	// way out).
	Context string
	// Via is the name that was asked for when Verdict is about a target in
	// its answer.
	Via string

	// Exception is the one that would have let the query pass, had it not ended; nil:
	// there was none.
	Exception *Exception `json:",omitempty"`

	ServerBlock string // "dns://.:53"
	View        string // of the view plugin, or empty

	// SMTP is the envelope of a message that the SMTP responder refused. A
	// Detection with an envelope is no query: it counts nothing, it joins the
	// envelope to the group of the queries that led to it.
	SMTP *SMTP
}

// Exception is an entry of an allow list that has ended. Its texts are those of
// the operator, and empty where the entry does not have them.
type Exception struct {
	Name   string `json:"name"`  // what was allowed, with all names below it
	Until  string `json:"until"` // the last day in UTC, or a time
	Owner  string `json:"owner,omitempty"`
	Reason string `json:"reason,omitempty"`
	Ticket string `json:"ticket,omitempty"`
}

// SMTP is the envelope of a refused message, as the SMTP client gave it.
type SMTP struct {
	From string `json:"from"` // envelope sender; empty for a bounce
	To   string `json:"to"`   // envelope recipient
	HELO string `json:"helo,omitempty"`
}
