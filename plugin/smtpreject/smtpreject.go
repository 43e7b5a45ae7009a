// Package smtpreject is a CoreDNS plugin that runs an SMTP server which can
// only refuse. A sinkhole of the lookalike plugin leads misdirected mail to it.
// It refuses every recipient with a text that says which protected name the
// domain resembles, and never takes any content of a message.
package smtpreject

import (
	"context"
	"crypto/tls"
	"net/netip"
	"time"

	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/miekg/dns"
)

const pluginName = "smtpreject"

var log = clog.NewWithPlugin(pluginName)

// Detector tells what a recipient's domain resembles and learns whose message
// was refused. The lookalike plugin of the same server block is one. It must
// be safe for concurrent use and must not block.
type Detector interface {
	// Match returns the protected names that domain resembles. Domain is in
	// presentation form, A-labels where that is possible.
	Match(domain string) (*detect.Verdict, bool)

	// ObserveSMTP reports a recipient that was refused for resembling a
	// protected name. The strings are valid UTF-8 without control characters,
	// at most a few command lines long, and otherwise as the client sent them.
	// A null sender (RFC 5321 section 4.5.5) is empty.
	ObserveSMTP(client, server netip.AddrPort, v *detect.Verdict, helo, sender, recipient string)
}

// policy is one smtpreject directive. It does not change once it serves.
type policy struct {
	where       string   // file and line of the directive, for messages
	root        string   // relative paths are below it
	addresses   []string // to listen on: "192.0.2.25:25"
	hostname    string   // in the greeting
	reply       template
	tls         *tls.Config
	connections int           // at the same time, for each address
	timeout     time.Duration // for a whole connection
	detector    Detector      // set at startup
}

// Responder is the plugin's place in the chain of a server block. It answers
// no DNS; it stands there to be asked whether it is ready.
type Responder struct {
	Next plugin.Handler

	policy *policy
}

// Name implements plugin.Handler.
func (r *Responder) Name() string { return pluginName }

// ServeDNS implements plugin.Handler.
func (r *Responder) ServeDNS(ctx context.Context, w dns.ResponseWriter, m *dns.Msg) (int, error) {
	return plugin.NextOrFailure(r.Name(), r.Next, ctx, w, m)
}

// Ready implements ready.Readiness: every address is listened on.
func (r *Responder) Ready() bool { return listening(r.policy) }
