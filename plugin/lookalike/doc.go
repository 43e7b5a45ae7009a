// Package lookalike is a CoreDNS plugin that answers for names that resemble
// protected ones under a confusable TLD, and tells the SOC.
package lookalike
