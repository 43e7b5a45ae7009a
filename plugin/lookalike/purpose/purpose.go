// Package purpose infers what a query was for from all that its client asks
// about the name.
package purpose

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/miekg/dns"
)

const (
	// Within this time, a mail server asks everything it wants to know about a
	// name.
	sequenceTime = time.Minute
	stepTime     = time.Second // a step that is younger stands for its repetitions
	maxSequences = 4096
)

// Sequences remembers the purpose of clients' recent questions about a name.
// Most types alone do not show it: a server asks for MX, A and AAAA to deliver
// mail, but also to check the sender of incoming mail. It is bounded and safe
// for concurrent use; its zero value is empty.
type Sequences struct {
	mu   sync.Mutex
	last map[sequence]step
}

// sequence is the questions of one client about one registrable name.
type sequence struct {
	client netip.Addr
	name   string
}

// step is the latest question of a sequence that told something.
type step struct {
	purpose string
	at      time.Time
}

// Of returns what a query that client sends now was for: what its name and type
// say, or else what the client's other questions of the last minute were for.
// It is empty where that is unknown: an MX query comes before a delivery, but
// also before a check of incoming mail.
func (s *Sequences) Of(client netip.Addr, v *detect.Verdict, qtype uint16, now time.Time) string {
	alone := alone(v.Service, v.Name, qtype)
	address := qtype == dns.TypeA || qtype == dns.TypeAAAA
	if alone == "" && qtype != dns.TypeMX && !address {
		return ""
	}
	key := sequence{client, v.Registrable}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.last[key]
	if ok && now.Sub(before.at) > sequenceTime {
		ok = false
	}
	switch {
	case alone != "":
	case ok:
		alone = before.purpose
	default:
		return ""
	}
	if !ok || before.purpose != alone || now.Sub(before.at) > stepTime {
		s.remember(key, step{alone, now})
	}
	return alone
}

// remember keeps a step, in the place of another one where there are too many.
func (s *Sequences) remember(key sequence, latest step) {
	if s.last == nil {
		s.last = make(map[sequence]step)
	}
	if _, ok := s.last[key]; !ok && len(s.last) >= maxSequences {
		for old := range s.last {
			delete(s.last, old)
			break
		}
	}
	s.last[key] = latest
}

// alone tells what a query was for from itself: the underscore labels in front of
// the name (service), the name and the type. It is empty where that cannot be
// told:
//
//	spf, dmarc, dkim  somebody checks mail that came from the name
//	                  (RFC 7208 section 4.4, RFC 7489 section 6.1, RFC 6376 section 3.6.2.1)
//	tlsa, mta-sts     mail is on its way to the name
//	                  (RFC 6698 section 3, RFC 8461 sections 3.1 and 3.3)
func alone(service, name string, qtype uint16) string {
	switch {
	case hasLabel(service, "_domainkey"):
		return "dkim"
	case hasLabel(service, "_dmarc"):
		return "dmarc"
	case hasLabel(service, "_mta-sts"), service == "" && strings.HasPrefix(name, "mta-sts."):
		return "mta-sts"
	case qtype == dns.TypeTLSA:
		return "tlsa"
	case service == "" && (qtype == dns.TypeTXT || qtype == dns.TypeSPF):
		return "spf"
	}
	return ""
}

func hasLabel(name, label string) bool {
	for l := range strings.SplitSeq(name, ".") {
		if l == label {
			return true
		}
	}
	return false
}
