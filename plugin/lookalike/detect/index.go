package detect

import (
	"errors"
	"fmt"
	"math"
	"slices"
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
	errNoProtected  = errors.New("no protected name")
	errNoTLD        = errors.New("no lookalike TLD")
	errTLDSyntax    = errors.New("a lookalike TLD is one label of letters, digits and hyphens, without dots")
	errNameSyntax   = errors.New("not a domain name: labels of 1 to 63 octets, 255 octets in all")
	errNotCanonical = errors.New("not in lower case, or with a trailing dot")
	errUnderTLD     = errors.New("a protected name cannot lie under a lookalike TLD")
	errTooMany      = errors.New("too many protected names")
)

// Index matches names against the protected names of a Config. It is
// immutable and safe for concurrent use.
type Index struct {
	tlds []tld

	// Protected name i is text[starts[i]:starts[i+1]]; cores[i] octets of it
	// stand before its public suffix and the dot.
	text   string
	starts []uint32
	cores  []uint8

	bare  []uint32    // protected names that are a TLD
	kept  labelSet    // TLDs of all protected names
	tails [128][]tail // their public suffixes, by how the last letter reads

	keys    table  // skeletons, letters, and letters without one of them
	near    places // how many letters names at one edit from a protected one have
	doubles doubles
	depth   int // the most labels before a public suffix
	longest int // the most letters that read as those of a protected name
}

// tld is a lookalike TLD.
type tld struct {
	label    string
	suffixes labelSet // labels that form a public suffix with it
}

// tail is the public suffix of a protected name, as a typist may leave it in.
type tail struct {
	suffix  string // co.uk
	letters []rune // kuoc
}

// compareLabels is how many rightmost labels the weaker classes look at.
const compareLabels = 4

// New builds an Index. Its errors about one entry are of type *EntryError.
func New(cfg Config) (*Index, error) {
	if len(cfg.TLDs) == 0 {
		return nil, errNoTLD
	}
	if len(cfg.Protected) == 0 {
		return nil, errNoProtected
	}
	x := &Index{}
	for _, label := range cfg.TLDs {
		if !isTLD(label) {
			return nil, &EntryError{label, errTLDSyntax}
		}
		x.tlds = append(x.tlds, tld{label, suffixesBelow(label)})
	}
	b := builder{index: x}
	if err := b.list(cfg.Protected); err != nil {
		return nil, err
	}
	b.fill()
	b.fillDoubles()
	commonWords() // are read in now, not by the first query
	return x, nil
}

// isTLD reports whether s is a label of lower-case letters, digits and hyphens.
func isTLD(s string) bool {
	if s == "" || len(s) > maxLabel {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && !isDigit(c) && c != '-' {
			return false
		}
	}
	return true
}

// builder fills an Index.
type builder struct {
	index *Index
	tails labelSet // public suffixes met so far
	keys  int      // an upper bound of the keys
	scratch
}

// list takes the protected names in.
func (b *builder) list(protected []string) error {
	x := b.index
	total := 0
	for _, p := range protected {
		total += len(p)
	}
	if total > math.MaxUint32 || len(protected) >= math.MaxUint32 {
		return errTooMany
	}
	var text strings.Builder
	text.Grow(total)
	x.starts = make([]uint32, 1, len(protected)+1)
	x.cores = make([]uint8, 0, len(protected))
	var n name
	var canonical []byte
	for _, p := range protected {
		if !n.parse(p) {
			return &EntryError{p, errNameSyntax}
		}
		if canonical = n.appendLabels(canonical[:0], 0, n.labels); string(canonical) != p {
			return &EntryError{p, errNotCanonical}
		}
		if x.Watched(p) {
			return &EntryError{p, errUnderTLD}
		}
		text.WriteString(p)
		x.starts = append(x.starts, uint32(text.Len()))
		x.cores = append(x.cores, b.split(p, &n, uint32(len(x.cores))))
	}
	x.text = text.String()
	return nil
}

// split notes the public suffix of a protected name and counts its keys. It
// returns how many octets stand before the suffix.
func (b *builder) split(p string, n *name, id uint32) uint8 {
	x := b.index
	if tld := n.label(n.labels - 1); !x.kept.has(tld) {
		x.kept.add(string(tld))
	}
	at := tailOf(p)
	if at == 0 {
		x.bare = append(x.bare, id)
		return 0
	}
	if suffix := p[at:]; !b.tails.has([]byte(suffix)) {
		suffix = strings.Clone(suffix)
		b.tails.add(suffix)
		t := tail{suffix: suffix}
		for _, c := range []byte(suffix) {
			if c != '.' && c != '-' {
				t.letters = append(t.letters, rune(c))
			}
		}
		slices.Reverse(t.letters)
		if len(t.letters) > 0 {
			last := apart[t.letters[0]&127].last
			x.tails[last] = append(x.tails[last], t)
		}
	}
	r := &b.protected
	labels := n.labels - 1 - strings.Count(p[at:], ".")
	r.read(n, 0, labels)
	x.depth = max(x.depth, labels)
	x.longest = max(x.longest, 2*r.size) // each may read as a pair
	b.keys += r.size + 2
	if r.paired() {
		b.keys += r.size
	}
	return uint8(at - 1)
}

// fill builds the table of keys.
func (b *builder) fill() {
	x := b.index
	x.keys = newTable(b.keys)
	for id := range uint32(len(x.cores)) {
		r := b.readProtected(x, id)
		if r.size == 0 {
			continue
		}
		x.near.addAround(r.size)
		x.keys.add(skeletonOf(r.letters[:r.size]), id)
		b.addEdits(r, id)
		if r.paired() {
			joined := b.protectedJoined.join(r, all)
			x.near.addAround(joined.size)
			b.addEdits(joined, id)
		}
	}
}

// addEdits puts in the letters of r, whole and with one left out.
func (b *builder) addEdits(r *reading, id uint32) {
	var buf hashes
	h := prefixHashes(buf[:0], r.letters[:r.size])
	whole := h[r.size]
	b.index.keys.add(key(whole, editKey), id)
	for i := range r.size {
		b.index.keys.add(key(without(h, whole, i), editKey), id)
	}
}

// protected returns protected name id.
func (x *Index) protected(id uint32) string { return x.text[x.starts[id]:x.starts[id+1]] }

// core returns what stands before the public suffix of protected name id.
func (x *Index) core(id uint32) string {
	start := x.starts[id]
	return x.text[start : start+uint32(x.cores[id])]
}

// suffix returns the public suffix of protected name id.
func (x *Index) suffix(id uint32) string {
	if x.cores[id] == 0 {
		return x.protected(id)
	}
	return x.text[x.starts[id]+uint32(x.cores[id])+1 : x.starts[id+1]]
}

// Len returns the number of protected names.
func (x *Index) Len() int { return len(x.cores) }

// Watched reports whether qname, in presentation form with or without a
// trailing dot and in any case, lies under a lookalike TLD.
func (x *Index) Watched(qname string) bool { return x.tldOf(qname) != nil }

// tldOf returns the lookalike TLD of qname, nil for none.
func (x *Index) tldOf(qname string) *tld {
	if n := len(qname); n > 0 && qname[n-1] == '.' {
		qname = qname[:n-1]
	}
	for i := range x.tlds {
		if hasLastLabel(qname, x.tlds[i].label) {
			return &x.tlds[i]
		}
	}
	return nil
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
