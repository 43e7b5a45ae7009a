// Package detect tells how a domain name resembles names to protect. It knows
// no DNS library, no clock and no I/O.
package detect

import (
	"errors"
	"fmt"
	"strings"
)

// Config says what New guards against what.
type Config struct {
	// Protected holds the names to guard, each with all names below it, in
	// lower-case A-labels without a trailing dot. A bare TLD ("mil") guards
	// every name below it.
	Protected []string
	// TLDs holds the lookalike TLDs, lower-case, without dots: "ml".
	TLDs []string
}

// EntryError is the error of New about one entry of its Config.
type EntryError struct {
	Entry string // the protected name or lookalike TLD
	Err   error
}

func (e *EntryError) Error() string { return fmt.Sprintf("%q: %v", e.Entry, e.Err) }

// Unwrap returns the cause.
func (e *EntryError) Unwrap() error { return e.Err }

// Errors of New; those about one entry come wrapped in an EntryError.
var (
	ErrNoProtected  = errors.New("no protected name")
	ErrNoTLD        = errors.New("no lookalike TLD")
	ErrTLDSyntax    = errors.New("a lookalike TLD is one label of letters, digits and hyphens, without dots")
	ErrNameSyntax   = errors.New("not a domain name: labels of 1 to 63 octets, 255 octets in all")
	ErrUnderOwnTLD  = errors.New("a protected name cannot lie under a lookalike TLD")
	ErrIsLookalike  = errors.New("a lookalike TLD cannot be protected itself")
	errNotCanonical = errors.New("not in lower case, or with a trailing dot")
)

// Index matches names against the protected names of a Config. It is
// immutable and safe for concurrent use.
type Index struct {
	tlds   []tld
	names  []protected
	exact  map[string][]int
	joined map[string][]int
	kept   map[string]bool // TLDs of the protected names
	bare   []string
}

// tld is a lookalike TLD with the labels that form public suffixes below it.
type tld struct {
	label    string
	suffixes map[string]struct{}
}

// protected is a protected name; core is what stands before its public suffix.
type protected struct {
	full string
	core string
}

// New builds an Index.
func New(cfg Config) (*Index, error) {
	if len(cfg.TLDs) == 0 {
		return nil, ErrNoTLD
	}
	if len(cfg.Protected) == 0 {
		return nil, ErrNoProtected
	}
	x := &Index{exact: map[string][]int{}, joined: map[string][]int{}, kept: map[string]bool{}}
	for _, label := range cfg.TLDs {
		if !isTLD(label) {
			return nil, &EntryError{label, ErrTLDSyntax}
		}
		x.tlds = append(x.tlds, tld{label, suffixesBelow(label)})
	}
	var n name
	for _, full := range cfg.Protected {
		if !n.parse(full) {
			return nil, &EntryError{full, ErrNameSyntax}
		}
		if n.text(0, n.labels) != full {
			return nil, &EntryError{full, errNotCanonical}
		}
		if x.Watched(full) {
			if n.labels == 1 {
				return nil, &EntryError{full, ErrIsLookalike}
			}
			return nil, &EntryError{full, ErrUnderOwnTLD}
		}
		x.kept[full[strings.LastIndexByte(full, '.')+1:]] = true
		tail := tailOf(full)
		if tail == 0 {
			x.bare = append(x.bare, full)
			continue
		}
		p := protected{full, full[:tail-1]}
		id := len(x.names)
		x.names = append(x.names, p)
		x.exact[p.core] = append(x.exact[p.core], id)
		j := join(p.core)
		x.joined[j] = append(x.joined[j], id)
	}
	return x, nil
}

func join(s string) string { return strings.NewReplacer(".", "", "-", "").Replace(s) }

func isTLD(s string) bool {
	if s == "" || len(s) > maxLabel {
		return false
	}
	for _, c := range []byte(s) {
		if !('a' <= c && c <= 'z' || isDigit(c) || c == '-') {
			return false
		}
	}
	return true
}

// Len returns the number of protected names.
func (x *Index) Len() int { return len(x.names) + len(x.bare) }

// Watched reports whether qname, in presentation form with or without a
// trailing dot and in any case, lies under a lookalike TLD.
func (x *Index) Watched(qname string) bool {
	qname = strings.TrimSuffix(qname, ".")
	for i := range x.tlds {
		if hasLastLabel(qname, x.tlds[i].label) {
			return true
		}
	}
	return false
}

// hasLastLabel reports whether label, which is lower-case, is the last label
// of qname.
func hasLastLabel(qname, label string) bool {
	dot := len(qname) - len(label) - 1
	if dot < -1 || dot >= 0 && qname[dot] != '.' {
		return false
	}
	for i := range len(label) {
		if lower(qname[dot+1+i]) != label[i] {
			return false
		}
	}
	escaped := false // whether the dot belongs to a label
	for i := dot - 1; i >= 0 && qname[i] == '\\'; i-- {
		escaped = !escaped
	}
	return !escaped
}
