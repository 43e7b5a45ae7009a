package lookalike

import (
	"context"
	"sync"

	"github.com/coredns/coredns/plugin/metadata"
	"github.com/coredns/coredns/request"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/verify"
)

// metadataLabels are the labels and their values for a decision.
var metadataLabels = []struct {
	name  string
	value func(Decision) string
}{
	{pluginName + "/class", func(d Decision) string { return d.Verdict.Class.String() }},
	{pluginName + "/confidence", func(d Decision) string { return d.Verdict.Confidence.String() }},
	{pluginName + "/protected", func(d Decision) string { return d.Verdict.Matches[0].Protected }},
	{pluginName + "/action", func(d Decision) string { return d.Action.String() }},
}

// Metadata implements metadata.Provider for the plugins above this one. It compares the
// name only when one of them reads a label, and makes no lookups.
func (l *Lookalike) Metadata(ctx context.Context, state request.Request) context.Context {
	decide := sync.OnceValue(func() Decision {
		policies := watching(l.policies, state.Req.Question[0].Name)
		if len(policies) == 0 || !isLookup(state.Req) || verify.IsOwn(ctx) {
			return Decision{}
		}
		q := newQuery(state.W, state.Req, policies)
		return q.decide(known)
	})
	for _, label := range metadataLabels {
		metadata.SetValueFunc(ctx, label.name, func() string {
			if d := decide(); !d.none() {
				return label.value(d)
			}
			return ""
		})
	}
	return ctx
}

// setMetadata makes the labels show the decision that is carried out: a plugin
// between Metadata and ServeDNS may have rewritten the name.
func setMetadata(ctx context.Context, d Decision) {
	if metadata.ValueFuncs(ctx) == nil {
		return
	}
	for _, label := range metadataLabels {
		metadata.SetValueFunc(ctx, label.name, func() string { return label.value(d) })
	}
}
