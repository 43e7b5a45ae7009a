package alert

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// timeFormat is RFC 3339 with milliseconds, always UTC.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// ecsVersion is the version of the schema that the mapping was written for.
const ecsVersion = "9.4.0"

// field is one fact of a record and where each format has it.
type field struct {
	value func(*Record) any // see appendValue; an empty value is left out
	ecs   string            // path
}

// fields is the mapping, written once for all formats.
var fields = []field{
	{ecs: "@timestamp", value: func(r *Record) any { return r.End }},
	{ecs: "message", value: func(r *Record) any { return r.Message() }},
	{ecs: "ecs.version", value: constant(ecsVersion)},
	{ecs: "tags", value: func(r *Record) any { return tags(r) }},

	{ecs: "event.kind", value: func(r *Record) any { return eventKind(r) }},
	{ecs: "event.category", value: func(r *Record) any { return detectionOnly(r, []string{"intrusion_detection", "network"}) }},
	{ecs: "event.type", value: func(r *Record) any { return detectionOnly(r, eventType(r)) }},
	{ecs: "event.action", value: func(r *Record) any { return r.Action }},
	{ecs: "event.outcome", value: func(r *Record) any { return detectionOnly(r, "success") }},
	{ecs: "event.module", value: constant("lookalike")},
	{ecs: "event.dataset", value: constant("lookalike.alert")},
	{ecs: "event.provider", value: constant("coredns")},
	{ecs: "event.id", value: func(r *Record) any { return r.ID }},
	{ecs: "event.sequence", value: func(r *Record) any { return nonZero(r.Sequence) }},
	{ecs: "event.severity", value: func(r *Record) any { return ecsSeverity[r.Level()] }},
	{ecs: "event.risk_score", value: func(r *Record) any { return riskScore(r) }},
	{ecs: "event.code", value: func(r *Record) any { return r.Class.String() }},
	{ecs: "event.reason", value: func(r *Record) any { return r.Reason }},
	{ecs: "event.created", value: func(r *Record) any { return r.Created }},
	{ecs: "event.start", value: func(r *Record) any { return r.Start }},
	{ecs: "event.end", value: func(r *Record) any { return r.End }},
	{ecs: "event.duration", value: func(r *Record) any { return r.End.Sub(r.Start) }},

	{ecs: "rule.id", value: func(r *Record) any { return r.Class.String() }},
	{ecs: "rule.name", value: func(r *Record) any { return ruleNames[r.Class] }},
	{ecs: "rule.category", value: func(r *Record) any { return detectionOnly(r, "lookalike-domain") }},
	{ecs: "rule.ruleset", value: func(r *Record) any { return detectionOnly(r, "lookalike") }},
	{ecs: "rule.version", value: func(r *Record) any { return detectionOnly(r, r.Version) }},

	{ecs: "threat.framework", value: func(r *Record) any { return detectionOnly(r, "MITRE ATT&CK") }},
	{ecs: "threat.tactic.id", value: func(r *Record) any { return detectionOnly(r, []string{"TA0042"}) }},
	{ecs: "threat.tactic.name", value: func(r *Record) any { return detectionOnly(r, []string{"Resource Development"}) }},
	{ecs: "threat.technique.id", value: func(r *Record) any { return detectionOnly(r, []string{"T1583"}) }},
	{ecs: "threat.technique.name", value: func(r *Record) any { return detectionOnly(r, []string{"Acquire Infrastructure"}) }},
	{ecs: "threat.technique.subtechnique.id", value: func(r *Record) any { return detectionOnly(r, []string{"T1583.001"}) }},
	{ecs: "threat.technique.subtechnique.name", value: func(r *Record) any { return detectionOnly(r, []string{"Domains"}) }},
	{ecs: "threat.indicator.type", value: func(r *Record) any { return ifNamed(r, "domain-name") }},
	{ecs: "threat.indicator.name", value: func(r *Record) any { return ifNamed(r, r.Registrable) }},
	{ecs: "threat.indicator.confidence", value: func(r *Record) any { return ifNamed(r, title(r.Confidence.String())) }},

	{ecs: "source.ip", value: func(r *Record) any { return r.Client }},
	{ecs: "source.port", value: func(r *Record) any { return nonZero(uint64(r.ClientPort)) }},
	{ecs: "destination.ip", value: func(r *Record) any { return r.Server.Addr() }},
	{ecs: "destination.port", value: func(r *Record) any { return nonZero(uint64(r.Server.Port())) }},
	{ecs: "network.transport", value: func(r *Record) any { return r.Transport }},
	{ecs: "network.type", value: func(r *Record) any { return networkType(r.Client) }},
	{ecs: "network.protocol", value: func(r *Record) any { return detectionOnly(r, "dns") }},

	{ecs: "dns.type", value: func(r *Record) any { return dnsType(r) }},
	{ecs: "dns.id", value: func(r *Record) any { return dnsID(r) }},
	{ecs: "dns.op_code", value: func(r *Record) any { return ifAsked(r, "QUERY") }},
	{ecs: "dns.question.name", value: func(r *Record) any { return r.Name }},
	{ecs: "dns.question.type", value: func(r *Record) any { return r.Qtype }},
	{ecs: "dns.question.class", value: func(r *Record) any { return ifAsked(r, "IN") }},
	{ecs: "dns.question.registered_domain", value: func(r *Record) any { return ifNamed(r, r.Registrable) }},
	{ecs: "dns.question.subdomain", value: func(r *Record) any { return subdomain(r) }},
	{ecs: "dns.question.top_level_domain", value: func(r *Record) any { return topLevel(r) }},
	{ecs: "dns.response_code", value: func(r *Record) any { return r.Rcode }},
	{ecs: "dns.resolved_ip", value: func(r *Record) any { return r.Answers }},

	{ecs: "observer.type", value: constant("dns")},
	{ecs: "observer.vendor", value: constant("lookalike")},
	{ecs: "observer.product", value: constant("coredns-lookalike")},
	{ecs: "observer.version", value: func(r *Record) any { return r.Version }},
	{ecs: "observer.hostname", value: func(r *Record) any { return r.Sensor }},
	{ecs: "observer.ip", value: func(r *Record) any { return addrs(r.Server.Addr()) }},
	{ecs: "host.hostname", value: func(r *Record) any { return r.Sensor }},
	{ecs: "service.type", value: constant("coredns")},
	{ecs: "agent.type", value: constant("lookalike")},
	{ecs: "agent.version", value: func(r *Record) any { return r.Version }},
	{ecs: "agent.ephemeral_id", value: func(r *Record) any { return r.Epoch }},
	{ecs: "related.ip", value: func(r *Record) any { return relatedIPs(r) }},
	{ecs: "related.hosts", value: func(r *Record) any { return relatedHosts(r) }},

	{ecs: "lookalike.schema", value: func(*Record) any { return 1 }},
	{ecs: "lookalike.class", value: func(r *Record) any { return r.Class.String() }},
	{ecs: "lookalike.confidence", value: func(r *Record) any { return r.Confidence.String() }},
	{ecs: "lookalike.protected", value: func(r *Record) any { return r.Protected }},
	{ecs: "lookalike.did_you_mean", value: func(r *Record) any { return r.DidYouMean }},
	{ecs: "lookalike.unicode", value: func(r *Record) any { return r.Unicode }},
	{ecs: "lookalike.action", value: func(r *Record) any { return r.Action }},
	{ecs: "lookalike.phase", value: func(r *Record) any { return r.Phase.String() }},
	{ecs: "lookalike.count", value: func(r *Record) any { return r.Count }},
	{ecs: "lookalike.total", value: func(r *Record) any { return r.Total }},
	{ecs: "lookalike.first_seen", value: func(r *Record) any { return r.FirstSeen }},
	{ecs: "lookalike.qtypes", value: func(r *Record) any { return r.Qtypes }},
	{ecs: "lookalike.samples", value: func(r *Record) any { return r.Samples }},
	{ecs: "lookalike.distinct_names", value: func(r *Record) any { return nonZero(r.DistinctNames) }},
	{ecs: "lookalike.distinct_clients", value: func(r *Record) any { return nonZero(r.DistinctClients) }},
	{ecs: "lookalike.context", value: func(r *Record) any { return r.Context }},
	{ecs: "lookalike.via", value: func(r *Record) any { return r.Via }},
	{ecs: "lookalike.smtp", value: func(r *Record) any { return r.SMTP }},
	{ecs: "lookalike.group", value: func(r *Record) any { return r.Group }},
	{ecs: "lookalike.sensor", value: func(r *Record) any { return r.Sensor }},
	{ecs: "lookalike.protocol", value: func(r *Record) any { return r.Protocol }},
	{ecs: "lookalike.server_block", value: func(r *Record) any { return r.ServerBlock }},
	{ecs: "lookalike.view", value: func(r *Record) any { return r.View }},
	{ecs: "lookalike.test", value: func(r *Record) any { return r.Phase == Test }},

	{ecs: "lookalike.lost.reason", value: func(r *Record) any { return lost(r, func(g *Gap) any { return g.Reason }) }},
	{ecs: "lookalike.lost.ephemeral_id", value: func(r *Record) any { return lost(r, func(g *Gap) any { return g.Epoch }) }},
	{ecs: "lookalike.lost.from", value: func(r *Record) any { return lost(r, func(g *Gap) any { return g.From }) }},
	{ecs: "lookalike.lost.to", value: func(r *Record) any { return lost(r, func(g *Gap) any { return g.To }) }},
	{ecs: "lookalike.lost.records", value: func(r *Record) any { return lost(r, func(g *Gap) any { return g.Records }) }},
	{ecs: "lookalike.lost.detections", value: func(r *Record) any { return lost(r, func(g *Gap) any { return g.Detections }) }},
}

// ruleNames say in words what a class finds.
var ruleNames = [...]string{
	detect.TLDSwap:      "Protected name under another TLD",
	detect.TLDKept:      "Protected name with its TLD kept, under another TLD",
	detect.IDNHomoglyph: "Internationalised name that looks like a protected one",
	detect.Separator:    "Protected name with labels joined",
	detect.Homoglyph:    "Name with characters that look like those of a protected one",
	detect.Typo:         "Typing slip of a protected name",
	detect.Split:        "Protected name split into parts",
	detect.Edit:         "One character away from a protected name",
	detect.Combosquat:   "Protected name with a word added",
	detect.Embedding:    "Protected name inside a longer one",
	detect.DoubleTypo:   "Two typing slips away from a protected name",
}

// ecsSeverity is Elastic's scale: informational, low, medium, high.
var ecsSeverity = [...]int{LevelInfo: 10, LevelLow: 21, LevelMedium: 47, LevelHigh: 73}

func constant(s string) func(*Record) any { return func(*Record) any { return s } }

// detectionOnly is v in records about detections, nothing in the others.
func detectionOnly(r *Record, v any) any {
	if r.Phase == Lost || r.Phase == Test {
		return nil
	}
	return v
}

// ifNamed is v where the record is about one registrable name.
func ifNamed(r *Record, v any) any {
	if r.Registrable == "" || r.Registrable == anyName {
		return nil
	}
	return v
}

// ifAsked is v where the record is about a query.
func ifAsked(r *Record, v any) any {
	if r.Qtype == "" {
		return nil
	}
	return v
}

func lost(r *Record, v func(*Gap) any) any {
	if r.Lost == nil {
		return nil
	}
	return v(r.Lost)
}

func nonZero(n uint64) any {
	if n == 0 {
		return nil
	}
	return n
}

func tags(r *Record) []string {
	switch r.Phase {
	case Lost:
		return []string{"lost"}
	case Test:
		return []string{"test"}
	}
	return []string{r.Class.String()}
}

// eventKind: a lost run is about the telling, a test about nothing.
func eventKind(r *Record) string {
	if r.Phase == Lost || r.Phase == Test {
		return "event"
	}
	return "alert"
}

func eventType(r *Record) []string {
	if r.Blocked() {
		return []string{"denied"}
	}
	return []string{"info"}
}

// riskScore is the confidence as a number from 0 to 100.
func riskScore(r *Record) any {
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

func dnsType(r *Record) any {
	if r.Rcode == "" {
		return ifAsked(r, "query")
	}
	return "answer"
}

func dnsID(r *Record) any {
	if r.Phase == Storm {
		return nil
	}
	return ifAsked(r, string(appendValue(nil, int(r.DNSID))))
}

func subdomain(r *Record) any {
	sub, ok := strings.CutSuffix(r.Name, "."+r.Registrable)
	if !ok {
		return nil
	}
	return sub
}

func topLevel(r *Record) any {
	_, tld, _ := strings.Cut(r.Registrable, ".")
	return tld
}

func addrs(all ...netip.Addr) []netip.Addr {
	return slices.DeleteFunc(all, func(a netip.Addr) bool { return !a.IsValid() })
}

func relatedIPs(r *Record) []netip.Addr {
	return unique(addrs(slices.Concat([]netip.Addr{r.Client, r.Server.Addr()}, r.Clients)...))
}

func relatedHosts(r *Record) []string {
	if r.Name == "" {
		return nil
	}
	return unique(slices.Concat([]string{r.Name}, r.Samples, r.Protected))
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
