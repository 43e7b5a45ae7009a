// Package rpz is a CoreDNS plugin that serves the names that the lookalike
// plugin blocks to other resolvers. They transfer it as a response policy zone.
package rpz

import (
	"context"
	"errors"

	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/internal/guard"
	"github.com/lookalike-dns/lookalike/plugin/rpz/zone"
)

const pluginName = "rpz"

var log = clog.NewWithPlugin(pluginName)

// RPZ answers for the zones of one server block.
type RPZ struct {
	Next plugin.Handler

	zones []*served
}

// Name implements plugin.Handler.
func (r *RPZ) Name() string { return pluginName }

// ServeDNS implements plugin.Handler. It answers only for the apex of a zone:
// answers for single names would show which lookalikes are not blocked.
// Transfers reach the transfer plugin, which calls Transfer.
func (r *RPZ) ServeDNS(ctx context.Context, w dns.ResponseWriter, m *dns.Msg) (int, error) {
	state := request.Request{W: w, Req: m}
	s := r.zone(state.Name())
	if s == nil || m.Opcode != dns.OpcodeQuery || state.QClass() != dns.ClassINET || isTransfer(state.QType()) {
		return plugin.NextOrFailure(r.Name(), r.Next, ctx, w, m)
	}
	v := s.version()
	switch {
	case state.Name() != s.origin:
		return dns.RcodeRefused, nil
	case v == nil:
		return dns.RcodeServerFailure, nil
	}
	reply := new(dns.Msg).SetReply(m)
	reply.Authoritative = true
	apex := zone.Apex(s.origin, v.serial)
	for _, rr := range apex {
		if rr.Header().Rrtype == state.QType() {
			reply.Answer = append(reply.Answer, rr)
		}
	}
	if len(reply.Answer) == 0 {
		reply.Ns = apex[:1]
	}
	if err := w.WriteMsg(reply); err != nil {
		log.Debugf("answering for %s: %v", s.origin, err)
	}
	return dns.RcodeSuccess, nil
}

func isTransfer(qtype uint16) bool { return qtype == dns.TypeAXFR || qtype == dns.TypeIXFR }

// zone returns the zone that contains a name in lower case.
func (r *RPZ) zone(name string) *served {
	for _, s := range r.zones {
		if dns.IsSubDomain(s.origin, name) {
			return s
		}
	}
	return nil
}

var errNotCompiled = errors.New("the zone is being compiled")

// chunk is the number of records per send to the transfer plugin.
const chunk = 500

// Transfer implements transfer.Transferer. A secondary with a recent version
// gets the changes since then (RFC 1995); others get the whole zone.
func (r *RPZ) Transfer(name string, serial uint32) (<-chan []dns.RR, error) {
	for _, s := range r.zones {
		if s.origin != name {
			continue
		}
		v := s.version()
		if v == nil {
			return nil, errNotCompiled
		}
		records, kind := v.since(s.origin, serial)
		transfersTotal.WithLabelValues(s.origin, kind).Inc()
		ch := make(chan []dns.RR)
		// It ends with the last record: the transfer plugin reads them all,
		// even after the secondary has gone.
		go func() {
			defer close(ch)
			defer guard.Recover(pluginName)
			var batch []dns.RR
			for rrs := range records {
				if batch = append(batch, rrs...); len(batch) >= chunk {
					ch <- batch
					batch = nil
				}
			}
			ch <- batch
		}()
		return ch, nil
	}
	return nil, transfer.ErrNotAuthoritative
}

// Ready implements ready.Readiness: every zone has been compiled.
func (r *RPZ) Ready() bool {
	for _, s := range r.zones {
		if s.version() == nil {
			return false
		}
	}
	return true
}
