// Package lookalike is a CoreDNS plugin. It answers queries for names that resemble
// protected ones under a confusable TLD, and alerts the SOC.
package lookalike
