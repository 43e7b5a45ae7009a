package format

import (
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// ocsfVersion is the schema's version: class 4003, DNS Activity, with the
// security_control profile, which is how OCSF has controls that act inline
// report. From 1.9 on, query.packet_uid and query.opcode_id are deprecated.
const ocsfVersion = "1.8.0"

var ocsf = &Format{
	name:   "ocsf",
	append: jsonStyle{milliseconds: true}.format(func(f *field) string { return f.ocsf }),
}

// enum is a value of an OCSF enumeration and its caption.
type enum struct {
	id   int
	name string
}

var ocsfSeverity = [...]enum{
	record.LevelInfo: {1, "Informational"}, record.LevelLow: {2, "Low"}, record.LevelMedium: {3, "Medium"}, record.LevelHigh: {4, "High"},
}

// ocsfRcodes are the captions that differ from DNS's own names.
var ocsfRcodes = map[string]enum{
	"NOERROR": {0, "NoError"}, "FORMERR": {1, "FormError"}, "SERVFAIL": {2, "ServError"},
	"NXDOMAIN": {3, "NXDomain"}, "NOTIMP": {4, "NotImp"}, "REFUSED": {5, "Refused"},
}

// ocsfAttacks is MITRE ATT&CK T1583.001: the domain that was registered.
var ocsfAttacks = []object{{
	{"tactic", object{{"uid", "TA0042"}, {"name", "Resource Development"}}},
	{"technique", object{{"uid", "T1583"}, {"name", "Acquire Infrastructure"}}},
	{"sub_technique", object{{"uid", "T1583.001"}, {"name", "Domains"}}},
}}

func ocsfActivity(r *record.Record) enum {
	switch r.Phase {
	case record.Lost:
		return enum{99, "Alerts lost"}
	case record.Test:
		return enum{99, "Test"}
	}
	return enum{6, "Traffic"}
}

func ocsfAction(r *record.Record) enum {
	switch {
	case r.Action == record.Sinkhole:
		return enum{4, "Modified"}
	case r.Blocked():
		return enum{2, "Denied"}
	}
	return enum{3, "Observed"}
}

func ocsfDisposition(r *record.Record) enum {
	if r.Blocked() {
		return enum{2, "Blocked"}
	}
	return enum{15, "Detected"}
}

func ocsfRcode(r *record.Record, part func(enum) any) any {
	if r.Rcode == "" {
		return nil
	}
	v, ok := ocsfRcodes[r.Rcode]
	if !ok {
		v = enum{99, r.Rcode}
	}
	return part(v)
}

func ocsfAnswers(r *record.Record) []object {
	all := make([]object, len(r.Answers))
	for i, a := range r.Answers {
		all[i] = object{{"rdata", a.String()}, {"type", map[bool]string{true: "A", false: "AAAA"}[a.Is4()]}, {"class", "IN"}}
	}
	return all
}

// ocsfObservables are what an analyst pivots on: type 1 is a host name, 2 an
// IP address.
func ocsfObservables(r *record.Record) []object {
	var all []object
	if r.Client.IsValid() {
		all = append(all, object{{"name", "src_endpoint.ip"}, {"type_id", 2}, {"type", "IP Address"}, {"value", r.Client.String()}})
	}
	if r.Name != "" {
		all = append(all, object{{"name", "query.hostname"}, {"type_id", 1}, {"type", "Hostname"}, {"value", r.Name}})
	}
	return all
}

// protocolNumber is IANA's.
func protocolNumber(r *record.Record) any {
	switch strings.ToLower(r.Transport) {
	case "udp":
		return 17
	case "tcp":
		return 6
	}
	return nil
}

func protocolVersion(r *record.Record) any {
	switch {
	case r.Client.Is4():
		return 4
	case r.Client.Is6():
		return 6
	}
	return nil
}
