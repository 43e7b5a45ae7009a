package lookalike

import (
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// purpose tells what a query was for, from the underscore labels in front of
// the name (service), the name and the type. It is empty where that cannot be
// told:
//
//	spf, dmarc, dkim  somebody checks mail that came from the name
//	                  (RFC 7208 section 4.4, RFC 7489 section 6.1, RFC 6376 section 3.6.2.1)
//	tlsa, mta-sts     mail is on its way to the name
//	                  (RFC 6698 section 3, RFC 8461 sections 3.1 and 3.3)
func purpose(service, name string, qtype uint16) string {
	labels := strings.Split(service, ".")
	switch {
	case slices.Contains(labels, "_domainkey"):
		return "dkim"
	case slices.Contains(labels, "_dmarc"):
		return "dmarc"
	case slices.Contains(labels, "_mta-sts"), service == "" && strings.HasPrefix(name, "mta-sts."):
		return "mta-sts"
	case qtype == dns.TypeTLSA:
		return "tlsa"
	case service == "" && (qtype == dns.TypeTXT || qtype == dns.TypeSPF):
		return "spf"
	}
	return ""
}
