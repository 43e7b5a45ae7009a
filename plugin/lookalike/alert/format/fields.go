package format

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// TimeLayout is RFC 3339 with milliseconds, always UTC.
const TimeLayout = "2006-01-02T15:04:05.000Z07:00"

// ecsVersion is the version of the schema that the mapping was written for.
const ecsVersion = "9.4.0"

// field is one fact of a record and where each format has it.
type field struct {
	value func(*record.Record) any // see appendValue; an empty value is left out

	ecs, ocsf string // paths in an object; dots are levels
	cef       string // key, or KEY:LABEL of a custom field
	leef, sd  string // keys

	plain bool // free text, no DNS name: a backslash in it is literal
}

// flat is the value in a format without nesting, empty when there is none.
func (f *field) flat(style textStyle, r *record.Record) string {
	style.plain = f.plain
	return style.text(f.value(r))
}

// fields is the mapping, written once for all formats.
var fields = []field{
	{ecs: "@timestamp", cef: "end", leef: "windowEnd", sd: "end",
		value: func(r *record.Record) any { return r.End }},
	{ecs: "message", ocsf: "message", cef: "msg",
		value: func(r *record.Record) any { return r.Message() }},
	{ecs: "ecs.version", value: constant(ecsVersion)},
	{ecs: "tags", value: func(r *record.Record) any { return tags(r) }},
	{ecs: "event.kind", value: func(r *record.Record) any { return eventKind(r) }},
	{ecs: "event.category", value: func(r *record.Record) any { return detectionOnly(r, []string{"intrusion_detection", "network"}) }},
	{ecs: "event.type", value: func(r *record.Record) any { return detectionOnly(r, eventType(r)) }},
	{ecs: "event.action", ocsf: "unmapped.action", cef: "act", leef: "action", sd: "act",
		value: func(r *record.Record) any { return actionName(r) }},
	{ecs: "event.outcome", cef: "outcome",
		value: func(r *record.Record) any { return detectionOnly(r, "success") }},
	{ecs: "event.module", value: constant("lookalike")},
	{ecs: "event.dataset", value: constant("lookalike.alert")},
	{ecs: "event.provider", value: constant("coredns")},
	{ecs: "event.id", ocsf: "metadata.uid", cef: "externalId", leef: "eventId", sd: "id",
		value: func(r *record.Record) any { return r.ID }},
	{ecs: "event.sequence", ocsf: "metadata.sequence", cef: "cn3:sequence", leef: "sequence", sd: "seq",
		value: func(r *record.Record) any { return nonZero(r.Sequence) }},
	{ecs: "event.severity", value: func(r *record.Record) any { return ecsSeverity[r.Level()] }},
	{ecs: "event.risk_score", ocsf: "risk_score", cef: "cn1:confidence", leef: "confidence", sd: "conf",
		value: func(r *record.Record) any { return riskScore(r) }},
	{ecs: "event.code", ocsf: "metadata.event_code",
		value: func(r *record.Record) any { return r.Class.String() }},
	{ecs: "event.reason", ocsf: "status_detail", cef: "reason", leef: "reason", sd: "reason",
		value: func(r *record.Record) any { return r.Reason }},
	{ecs: "event.created", ocsf: "metadata.logged_time", cef: "rt",
		value: func(r *record.Record) any { return r.Created }},
	{ecs: "event.start", ocsf: "start_time", cef: "start", leef: "windowStart", sd: "start",
		value: func(r *record.Record) any { return r.Start }},
	{ecs: "event.end", ocsf: "end_time",
		value: func(r *record.Record) any { return r.End }},
	{ecs: "event.duration", ocsf: "duration",
		value: func(r *record.Record) any { return r.End.Sub(r.Start) }},
	{ecs: "rule.id", ocsf: "firewall_rule.uid", sd: "rule",
		value: func(r *record.Record) any { return r.Class.String() }},
	{ecs: "rule.name", ocsf: "firewall_rule.name",
		value: func(r *record.Record) any { return r.Class.Title() }},
	{ecs: "rule.category", ocsf: "firewall_rule.category", cef: "cat", leef: "cat",
		value: func(r *record.Record) any { return detectionOnly(r, "lookalike-domain") }},
	{ecs: "rule.ruleset", value: func(r *record.Record) any { return detectionOnly(r, "lookalike") }},
	{ecs: "rule.version", ocsf: "firewall_rule.version",
		value: func(r *record.Record) any { return detectionOnly(r, r.Version) }},
	{ecs: "threat.framework", value: func(r *record.Record) any { return detectionOnly(r, "MITRE ATT&CK") }},
	{ecs: "threat.tactic.id", value: func(r *record.Record) any { return detectionOnly(r, []string{"TA0042"}) }},
	{ecs: "threat.tactic.name", value: func(r *record.Record) any { return detectionOnly(r, []string{"Resource Development"}) }},
	{ecs: "threat.technique.id", value: func(r *record.Record) any { return detectionOnly(r, []string{"T1583"}) }},
	{ecs: "threat.technique.name", value: func(r *record.Record) any { return detectionOnly(r, []string{"Acquire Infrastructure"}) }},
	{ecs: "threat.technique.subtechnique.id", cef: "flexString1:mitre", leef: "mitre", sd: "mitre",
		value: func(r *record.Record) any { return detectionOnly(r, []string{"T1583.001"}) }},
	{ecs: "threat.technique.subtechnique.name", value: func(r *record.Record) any { return detectionOnly(r, []string{"Domains"}) }},
	{ecs: "threat.indicator.type", value: func(r *record.Record) any { return ifNamed(r, "domain-name") }},
	{ecs: "threat.indicator.name", value: func(r *record.Record) any { return ifNamed(r, r.Registrable) }},
	{ecs: "threat.indicator.confidence", value: func(r *record.Record) any { return ifNamed(r, title(r.Confidence.String())) }},
	{ecs: "source.ip", ocsf: "src_endpoint.ip", leef: "src", sd: "src",
		value: func(r *record.Record) any { return r.Client }},
	{ecs: "source.port", ocsf: "src_endpoint.port", cef: "spt", leef: "srcPort", sd: "spt",
		value: func(r *record.Record) any { return nonZero(uint64(r.ClientPort)) }},
	{ecs: "destination.ip", ocsf: "dst_endpoint.ip", leef: "dst", sd: "dst",
		value: func(r *record.Record) any { return r.Server.Addr() }},
	{ecs: "destination.port", ocsf: "dst_endpoint.port", cef: "dpt", leef: "dstPort", sd: "dpt",
		value: func(r *record.Record) any { return nonZero(uint64(r.Server.Port())) }},
	{ecs: "network.transport", ocsf: "connection_info.protocol_name", sd: "proto",
		value: func(r *record.Record) any { return r.Transport }},
	{ecs: "network.type", value: func(r *record.Record) any { return networkType(r.Client) }},
	{ecs: "network.protocol", value: func(r *record.Record) any { return detectionOnly(r, "dns") }},
	{ecs: "dns.type", value: func(r *record.Record) any { return dnsType(r) }},
	{ecs: "dns.id", value: func(r *record.Record) any { return dnsID(r) }},
	{ecs: "dns.op_code", value: func(r *record.Record) any { return ifAsked(r, "QUERY") }},
	{ecs: "dns.question.name", ocsf: "query.hostname", cef: "cs1:qname", leef: "qname", sd: "qname",
		value: func(r *record.Record) any { return r.Name }},
	{ecs: "dns.question.type", ocsf: "query.type", cef: "cs5:qtype", leef: "qtype", sd: "qtype",
		value: func(r *record.Record) any { return r.Qtype }},
	{ecs: "dns.question.class", ocsf: "query.class",
		value: func(r *record.Record) any { return ifAsked(r, "IN") }},
	{ecs: "dns.question.registered_domain", cef: "destinationDnsDomain", leef: "registrable", sd: "reg",
		value: func(r *record.Record) any { return ifNamed(r, r.Registrable) }},
	{ecs: "dns.question.subdomain", value: func(r *record.Record) any { return subdomain(r) }},
	{ecs: "dns.question.top_level_domain", value: func(r *record.Record) any { return topLevel(r) }},
	{ecs: "dns.response_code", leef: "rcode", sd: "rcode",
		value: func(r *record.Record) any { return r.Rcode }},
	{ecs: "dns.resolved_ip", value: func(r *record.Record) any { return r.Answers }},
	{ecs: "observer.type", value: constant("dns")},
	{ecs: "observer.vendor", value: constant("lookalike")},
	{ecs: "observer.product", value: constant("coredns-lookalike")},
	{ecs: "observer.version", value: func(r *record.Record) any { return r.Version }},
	{ecs: "observer.hostname", ocsf: "dst_endpoint.hostname", cef: "dvchost", leef: "identHostName",
		value: func(r *record.Record) any { return r.Sensor }, plain: true},
	{ecs: "observer.ip", value: func(r *record.Record) any { return addrs(r.Server.Addr()) }},
	{ecs: "host.hostname", value: func(r *record.Record) any { return r.Sensor }},
	{ecs: "service.type", value: constant("coredns")},
	{ecs: "agent.type", value: constant("lookalike")},
	{ecs: "agent.version", value: func(r *record.Record) any { return r.Version }},
	{ecs: "agent.ephemeral_id", ocsf: "unmapped.ephemeral_id", cef: "deviceExternalId", leef: "ephemeralId", sd: "eph",
		value: func(r *record.Record) any { return r.Epoch }},
	{ecs: "related.ip", value: func(r *record.Record) any { return relatedIPs(r) }},
	{ecs: "related.hosts", value: func(r *record.Record) any { return relatedHosts(r) }},
	{ecs: "lookalike.schema", value: func(*record.Record) any { return 1 }},
	{ecs: "lookalike.class", value: func(r *record.Record) any { return r.Class.String() }},
	{ecs: "lookalike.confidence", leef: "confidenceLevel",
		value: func(r *record.Record) any { return r.Confidence.String() }},
	{ecs: "lookalike.protected", ocsf: "unmapped.protected", cef: "cs3:protectedName", leef: "protectedName", sd: "prot",
		value: func(r *record.Record) any { return r.Protected }},
	{ecs: "lookalike.did_you_mean", ocsf: "unmapped.did_you_mean", cef: "cs4:didYouMean", leef: "didYouMean", sd: "dym",
		value: func(r *record.Record) any { return r.DidYouMean }},
	{ecs: "lookalike.unicode", ocsf: "unmapped.unicode", cef: "cs2:qnameUnicode", leef: "qnameUnicode", sd: "qu",
		value: func(r *record.Record) any { return r.Unicode }},
	{ecs: "lookalike.action", value: func(r *record.Record) any { return actionName(r) }},
	{ecs: "lookalike.phase", ocsf: "unmapped.phase", cef: "cs6:phase", leef: "phase", sd: "phase",
		value: func(r *record.Record) any { return r.Phase.String() }},
	{ecs: "lookalike.count", ocsf: "count", cef: "cnt", leef: "count", sd: "cnt",
		value: func(r *record.Record) any { return r.Count }},
	{ecs: "lookalike.total", ocsf: "unmapped.total", cef: "cn2:totalCount", leef: "totalCount", sd: "total",
		value: func(r *record.Record) any { return r.Total }},
	{ecs: "lookalike.first_seen", ocsf: "unmapped.first_seen", cef: "deviceCustomDate1:firstSeen", leef: "firstSeen", sd: "first",
		value: func(r *record.Record) any { return r.FirstSeen }},
	{ecs: "lookalike.qtypes", ocsf: "unmapped.qtypes", leef: "qtypes",
		value: func(r *record.Record) any { return r.Qtypes }},
	{ecs: "lookalike.samples", ocsf: "unmapped.samples", leef: "samples", sd: "samples",
		value: func(r *record.Record) any { return r.Samples }},
	{ecs: "lookalike.distinct_names", ocsf: "unmapped.distinct_names", leef: "distinctNames", sd: "names",
		value: func(r *record.Record) any { return nonZero(r.DistinctNames) }},
	{ecs: "lookalike.distinct_clients", ocsf: "unmapped.distinct_clients", leef: "distinctClients", sd: "clients",
		value: func(r *record.Record) any { return nonZero(r.DistinctClients) }},
	{ecs: "lookalike.context", ocsf: "unmapped.context", cef: "requestContext", leef: "context", sd: "ctx",
		value: func(r *record.Record) any { return oneOrMore(r.Contexts) }},
	{ecs: "lookalike.vias", ocsf: "unmapped.vias", leef: "vias", sd: "vias",
		value: func(r *record.Record) any { return r.Vias }},
	{ecs: "lookalike.vias_more", ocsf: "unmapped.vias_more", leef: "viasMore", sd: "viasMore",
		value: func(r *record.Record) any { return nonZero(r.ViasMore) }},
	{ecs: "lookalike.smtp", ocsf: "unmapped.smtp",
		value: func(r *record.Record) any { return r.SMTP }},
	{ecs: "lookalike.smtp_more", ocsf: "unmapped.smtp_more", cef: "flexNumber1:refusedMore", leef: "smtpMore", sd: "more",
		value: func(r *record.Record) any { return nonZero(r.SMTPMore) }},
	{ecs: "lookalike.exception.name", ocsf: "unmapped.exception.name", leef: "exceptionName", sd: "excName",
		value: func(r *record.Record) any { return ended(r, func(e *record.Exception) string { return e.Name }) }},
	{ecs: "lookalike.exception.until", ocsf: "unmapped.exception.until", leef: "exceptionUntil", sd: "excUntil",
		value: func(r *record.Record) any { return ended(r, func(e *record.Exception) string { return e.Until }) }},
	{ecs: "lookalike.exception.owner", ocsf: "unmapped.exception.owner", leef: "exceptionOwner", sd: "excOwner",
		value: func(r *record.Record) any { return ended(r, func(e *record.Exception) string { return e.Owner }) }, plain: true},
	{ecs: "lookalike.exception.reason", ocsf: "unmapped.exception.reason", leef: "exceptionReason", sd: "excReason",
		value: func(r *record.Record) any { return ended(r, func(e *record.Exception) string { return e.Reason }) }, plain: true},
	{ecs: "lookalike.exception.ticket", ocsf: "unmapped.exception.ticket", leef: "exceptionTicket", sd: "excTicket",
		value: func(r *record.Record) any { return ended(r, func(e *record.Exception) string { return e.Ticket }) }, plain: true},
	{ecs: "lookalike.left_out", ocsf: "unmapped.left_out", cef: "flexNumber2:leftOut", leef: "leftOut", sd: "leftOut",
		value: func(r *record.Record) any { return nonZero(uint64(r.LeftOut)) }},
	{ecs: "lookalike.group", ocsf: "metadata.correlation_uid", cef: "flexString2:groupId", leef: "groupId", sd: "grp",
		value: func(r *record.Record) any { return r.Group }},
	{ecs: "lookalike.sensor", value: func(r *record.Record) any { return r.Sensor }},
	{ecs: "lookalike.protocol", value: func(r *record.Record) any { return oneOrMore(r.Protocols) }},
	{ecs: "lookalike.server_block", ocsf: "unmapped.server_block", leef: "serverBlock", sd: "block",
		value: func(r *record.Record) any { return oneOrMore(r.ServerBlocks) }, plain: true},
	{ecs: "lookalike.view", ocsf: "unmapped.view", leef: "view", sd: "view",
		value: func(r *record.Record) any { return oneOrMore(r.Views) }, plain: true},
	{ecs: "lookalike.test", ocsf: "unmapped.test",
		value: func(r *record.Record) any { return r.Phase == record.Test }},
	{ecs: "lookalike.lost.reason", ocsf: "unmapped.lost.reason", leef: "lostReason", sd: "lostReason",
		value: func(r *record.Record) any { return lost(r, func(g *record.Gap) any { return g.Reason }) }},
	{ecs: "lookalike.lost.ephemeral_id", ocsf: "unmapped.lost.ephemeral_id", leef: "lostEphemeralId", sd: "lostEph",
		value: func(r *record.Record) any { return lost(r, func(g *record.Gap) any { return g.Epoch }) }},
	{ecs: "lookalike.lost.from", ocsf: "unmapped.lost.from", leef: "lostFrom", sd: "lostFrom",
		value: func(r *record.Record) any { return lost(r, func(g *record.Gap) any { return g.From }) }},
	{ecs: "lookalike.lost.to", ocsf: "unmapped.lost.to", leef: "lostTo", sd: "lostTo",
		value: func(r *record.Record) any { return lost(r, func(g *record.Gap) any { return g.To }) }},
	{ecs: "lookalike.lost.records", ocsf: "unmapped.lost.records", leef: "lostRecords", sd: "lostRecords",
		value: func(r *record.Record) any { return lost(r, func(g *record.Gap) any { return g.Records }) }},
	{ecs: "lookalike.lost.detections", ocsf: "unmapped.lost.detections", leef: "lostDetections", sd: "lostDetections",
		value: func(r *record.Record) any { return lost(r, func(g *record.Gap) any { return g.Detections }) }},

	// What only some formats have, or have in their own terms.
	{ocsf: "class_uid", value: number(4003)},
	{ocsf: "class_name", value: constant("DNS Activity")},
	{ocsf: "category_uid", value: number(4)},
	{ocsf: "category_name", value: constant("Network Activity")},
	{ocsf: "activity_id", value: func(r *record.Record) any { return ocsfActivity(r).id }},
	{ocsf: "activity_name", value: func(r *record.Record) any { return ocsfActivity(r).name }},
	{ocsf: "type_uid", value: func(r *record.Record) any { return 4003*100 + ocsfActivity(r).id }},
	{ocsf: "type_name", value: func(r *record.Record) any { return "DNS Activity: " + ocsfActivity(r).name }},
	{ocsf: "time", value: func(r *record.Record) any { return r.Start }},
	{ocsf: "timezone_offset", value: number(0)},
	{ocsf: "severity_id", value: func(r *record.Record) any { return ocsfSeverity[r.Level()].id }},
	{ocsf: "severity", value: func(r *record.Record) any { return ocsfSeverity[r.Level()].name }},
	{ocsf: "status_id", value: number(1)},
	{ocsf: "status", value: constant("Success")},
	{ocsf: "is_alert", value: func(r *record.Record) any { return detectionOnly(r, eventKind(r) == "alert") }},
	{ocsf: "action_id", value: func(r *record.Record) any { return detectionOnly(r, ocsfAction(r).id) }},
	{ocsf: "action", value: func(r *record.Record) any { return detectionOnly(r, ocsfAction(r).name) }},
	{ocsf: "disposition_id", value: func(r *record.Record) any { return detectionOnly(r, ocsfDisposition(r).id) }},
	{ocsf: "disposition", value: func(r *record.Record) any { return detectionOnly(r, ocsfDisposition(r).name) }},
	{ocsf: "confidence_id", value: func(r *record.Record) any { return nonZero(uint64(r.Confidence)) }},
	{ocsf: "confidence", value: func(r *record.Record) any { return title(r.Confidence.String()) }},
	{ocsf: "confidence_score", value: riskScore},
	{ocsf: "risk_level_id", value: func(r *record.Record) any { return nonZero(uint64(r.Confidence)) }},
	{ocsf: "risk_level", value: func(r *record.Record) any { return title(r.Confidence.String()) }},
	{ocsf: "attacks", value: func(r *record.Record) any { return detectionOnly(r, ocsfAttacks) }},
	{ocsf: "policy.name", value: constant("lookalike")},
	{ocsf: "dst_endpoint.svc_name", value: constant("coredns")},
	{ocsf: "connection_info.direction_id", value: number(1)},
	{ocsf: "connection_info.direction", value: constant("Inbound")},
	{ocsf: "connection_info.protocol_num", value: func(r *record.Record) any { return protocolNumber(r) }},
	{ocsf: "connection_info.protocol_ver_id", value: func(r *record.Record) any { return protocolVersion(r) }},
	{ocsf: "query.opcode_id", value: func(r *record.Record) any { return ifAsked(r, 0) }},
	{ocsf: "query.packet_uid", value: func(r *record.Record) any { return ifAsked(r, int(r.DNSID)) }},
	{ocsf: "rcode_id", value: func(r *record.Record) any { return ocsfRcode(r, func(v enum) any { return v.id }) }},
	{ocsf: "rcode", value: func(r *record.Record) any { return ocsfRcode(r, func(v enum) any { return v.name }) }},
	{ocsf: "query_time", value: func(r *record.Record) any { return ifAsked(r, r.Start) }},
	{ocsf: "answers", value: func(r *record.Record) any { return ocsfAnswers(r) }},
	{ocsf: "observables", value: func(r *record.Record) any { return ocsfObservables(r) }},
	{ocsf: "metadata.version", value: constant(ocsfVersion)},
	{ocsf: "metadata.log_name", value: constant("lookalike.alert")},
	{ocsf: "metadata.log_provider", value: constant("coredns")},
	{ocsf: "metadata.product.name", value: constant("coredns-lookalike")},
	{ocsf: "metadata.product.vendor_name", value: constant("lookalike")},
	{ocsf: "metadata.product.version", value: func(r *record.Record) any { return r.Version }},
	{ocsf: "metadata.profiles", value: func(*record.Record) any { return []string{"security_control"} }},
	{ocsf: "metadata.labels", value: func(r *record.Record) any { return tags(r) }},

	{cef: "src", value: func(r *record.Record) any { return only(r.Client, netip.Addr.Is4) }},
	{cef: "c6a2:Source IPv6 Address", value: func(r *record.Record) any { return only(r.Client, netip.Addr.Is6) }},
	{cef: "dst", value: func(r *record.Record) any { return only(r.Server.Addr(), netip.Addr.Is4) }},
	{cef: "c6a3:Destination IPv6 Address", value: func(r *record.Record) any { return only(r.Server.Addr(), netip.Addr.Is6) }},
	{cef: "proto", leef: "proto", value: func(r *record.Record) any { return strings.ToUpper(r.Transport) }},
	{cef: "app", value: constant("DNS")},
	{cef: "deviceProcessName", value: constant("coredns")},
	{cef: "suser", leef: "smtpFrom", sd: "from", value: func(r *record.Record) any { return envelopes(r, func(e *record.SMTP) string { return e.From }) }, plain: true},
	{cef: "duser", leef: "smtpTo", sd: "to", value: func(r *record.Record) any { return envelopes(r, func(e *record.SMTP) string { return e.To }) }, plain: true},
	{cef: "shost", leef: "smtpHelo", sd: "helo", value: func(r *record.Record) any { return envelopes(r, func(e *record.SMTP) string { return e.HELO }) }, plain: true},
	{leef: "devTime", value: func(r *record.Record) any { return r.End }},
	{leef: "devTimeFormat", value: constant("yyyy-MM-dd'T'HH:mm:ss.SSSX")},
	{leef: "sev", value: func(r *record.Record) any { return cefSeverity[r.Level()] }},
	{leef: "policy", value: constant("lookalike")},
	{sd: "sev", value: func(r *record.Record) any { return ecsSeverity[r.Level()] }},
}

// ecsSeverity is Elastic's scale: informational, low, medium, high.
var ecsSeverity = [...]int{record.LevelInfo: 10, record.LevelLow: 21, record.LevelMedium: 47, record.LevelHigh: 73}

// cefSeverity is the scale of CEF and LEEF, 0 to 10.
var cefSeverity = [...]int{record.LevelInfo: 1, record.LevelLow: 3, record.LevelMedium: 5, record.LevelHigh: 8}

func number(n int) func(*record.Record) any { return func(*record.Record) any { return n } }

func constant(s string) func(*record.Record) any { return func(*record.Record) any { return s } }

// detectionOnly returns v in records about detections, nothing in others.
func detectionOnly(r *record.Record, v any) any {
	if r.Phase == record.Lost || r.Phase == record.Test {
		return nil
	}
	return v
}

// actionName is empty in records that are not about detections.
func actionName(r *record.Record) any {
	if r.Action == record.Off {
		return nil
	}
	return r.Action.String()
}

// ifNamed is v where the record is about one registrable name.
func ifNamed(r *record.Record, v any) any {
	if r.Registrable == "" || r.Registrable == record.Any {
		return nil
	}
	return v
}

// ifAsked is v where the record is about a query.
func ifAsked(r *record.Record, v any) any {
	if r.Qtype == "" {
		return nil
	}
	return v
}

func lost(r *record.Record, v func(*record.Gap) any) any {
	if r.Lost == nil {
		return nil
	}
	return v(r.Lost)
}

// ended is a part of the exception that has ended, where there is one.
func ended(r *record.Record, part func(*record.Exception) string) any {
	if r.Exception == nil {
		return nil
	}
	return part(r.Exception)
}

func nonZero(n uint64) any {
	if n == 0 {
		return nil
	}
	return n
}

func tags(r *record.Record) []string {
	switch r.Phase {
	case record.Lost:
		return []string{"lost"}
	case record.Test:
		return []string{"test"}
	}
	return []string{r.Class.String()}
}

// eventKind: lost records concern the delivery, a test concerns nothing.
func eventKind(r *record.Record) string {
	ending := r.Phase == record.Final && r.Count == 0 && len(r.SMTP) == 0 // says nothing new
	if ending || r.Phase == record.Lost || r.Phase == record.Test {
		return "event"
	}
	return "alert"
}

func eventType(r *record.Record) []string {
	if r.Blocked() {
		return []string{"denied"}
	}
	return []string{"info"}
}

// riskScore is the confidence as a number from 0 to 100.
func riskScore(r *record.Record) any {
	switch r.Confidence {
	case detect.High:
		return 90
	case detect.Medium:
		return 60
	case detect.Low:
		return 30
	}
	return nil
}

func networkType(a netip.Addr) string {
	switch {
	case a.Is4():
		return "ipv4"
	case a.Is6():
		return "ipv6"
	}
	return ""
}

func dnsType(r *record.Record) any {
	if r.Rcode == "" {
		return ifAsked(r, "query")
	}
	return "answer"
}

func dnsID(r *record.Record) any {
	if r.Phase == record.Storm {
		return nil
	}
	return ifAsked(r, strconv.Itoa(int(r.DNSID)))
}

func subdomain(r *record.Record) any {
	sub, ok := strings.CutSuffix(r.Name, "."+r.Registrable)
	if !ok {
		return nil
	}
	return sub
}

func topLevel(r *record.Record) any {
	_, tld, _ := strings.Cut(r.Registrable, ".")
	return tld
}

func addrs(all ...netip.Addr) []netip.Addr {
	return slices.DeleteFunc(all, func(a netip.Addr) bool { return !a.IsValid() })
}

func relatedIPs(r *record.Record) []netip.Addr {
	return unique(addrs(slices.Concat([]netip.Addr{r.Client, r.Server.Addr()}, r.Clients)...))
}

func relatedHosts(r *record.Record) []string {
	if r.Name == "" {
		return nil
	}
	return unique(slices.Concat([]string{r.Name}, r.Samples, r.Protected))
}

// oneOrMore is a plain text where there is only one, which is nearly always so.
func oneOrMore(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

// unique keeps the first of equal values.
func unique[T comparable](list []T) []T {
	out := list[:0]
	for _, v := range list {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func title(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// only returns a where it is of a kind.
func only(a netip.Addr, kind func(netip.Addr) bool) any {
	if !kind(a) {
		return nil
	}
	return a
}

// envelopes lists a part of the refused messages' envelopes, for formats
// without nesting: what stands at the same place in each list belongs together.
// It is nil where no message has the part.
func envelopes(r *record.Record, part func(*record.SMTP) string) any {
	list := make([]string, len(r.SMTP))
	for i := range r.SMTP {
		list[i] = part(&r.SMTP[i])
	}
	if !slices.ContainsFunc(list, func(s string) bool { return s != "" }) {
		return nil
	}
	return list
}
