package detect

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
)

// Config is the configuration of an Index.
type Config struct {
	// Protected holds the names to guard, each with all names below it, in
	// lower-case A-labels without a trailing dot. A bare TLD ("mil") guards
	// every name below it.
	Protected []string
	// TLDs holds the lookalike TLDs, lower-case, without dots: "ml". It may include
	// the TLD of a protected name, and AnyTLD, which stands for every TLD.
	TLDs []string
}

// EntryError is an error of New about one entry of its Config.
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
	errUnderTLD     = errors.New("every name under it is protected: it cannot be a lookalike TLD")
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

	bare     []uint32    // protected names that are a TLD
	kept     labelSet    // TLDs of all protected names
	tails    [128][]tail // their public suffixes, by how the last letter reads
	tailEnds uint32      // bit n is set where a letter with the lowest five bits n has any
	heads    labelSet    // the last labels of those of headList
	headList []string    // what stands before the TLD in public suffixes of several labels
	suffixes *suffixes
	exempt   suffixes // registrable names that are never flagged, under lookalike TLDs only; see Sparing

	keys      table // skeletons, letters, and letters without one of them
	skeletons gate  // their hashes
	edits     gate  // of letters, whole and without one of them
	together  gate  // of letters that others may run together with
	ends      ends
	near      places // how many letters names at one edit from a protected one have
	doubles   doubles
	depth     int // the most labels before a public suffix
	longest   int // the most letters that read as those of a protected name
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
	d, err := Begin(cfg)
	if err != nil {
		return nil, err
	}
	return d.Finish(), nil
}

// Draft is an Index that has its names, but not its tables, which take ten times
// as much memory. It is not safe for concurrent use.
type Draft struct{ builder }

// Begin checks the names of cfg and copies them. To save memory, drop cfg before
// Finish. Its errors are those of New.
func Begin(cfg Config) (*Draft, error) {
	if len(cfg.TLDs) == 0 {
		return nil, errNoTLD
	}
	if len(cfg.Protected) == 0 {
		return nil, errNoProtected
	}
	x := &Index{suffixes: publicSuffixes()}
	for _, label := range cfg.TLDs {
		if label != AnyTLD && !isTLD(label) {
			return nil, &EntryError{label, errTLDSyntax}
		}
		x.tlds = append(x.tlds, tld{label, label == AnyTLD, within(label)})
	}
	d := &Draft{builder{index: x}}
	if err := d.list(cfg.Protected); err != nil {
		return nil, err
	}
	x.exempt = x.owners(x)
	return d, nil
}

// Finish builds the tables. Call it only once.
func (d *Draft) Finish() *Index {
	d.fill()
	d.fillDoubles()
	commonWords() // are read in now, not by the first query
	moreWords()
	visibleRunes()
	return d.index
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
	index     *Index
	tails     labelSet // public suffixes met so far
	keys      int      // an upper bound of the keys
	together  int      // of which so many are for names that others run together with
	core      name
	letters   reading    // of the core
	joined    reading    // the same with pairs put together
	text      [2]storage // of both
	canonical []byte
}

// parse takes a name apart, which has to be written as Config says.
func (b *builder) parse(n *name, entry string) error {
	if !n.parse(entry) {
		return &EntryError{entry, errNameSyntax}
	}
	if b.canonical = n.appendLabels(b.canonical[:0], 0, n.labels); string(b.canonical) != entry {
		return &EntryError{entry, errNotCanonical}
	}
	return nil
}

// list takes the protected names in. A name that stands there twice keeps its
// number, but is found once.
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
	met := newTable(len(protected), len(protected))
	var n name
	for _, p := range protected {
		if err := b.parse(&n, p); err != nil {
			return err
		}
		if n.labels == 1 && slices.ContainsFunc(x.tlds, func(t tld) bool { return t.label == p }) {
			return &EntryError{p, errUnderTLD}
		}
		h := hashLabel(0, p)
		repeated := false
		x.text = text.String()
		for probe := met.find(h); ; {
			id, ok := probe.next()
			if !ok || repeated {
				break
			}
			repeated = x.protected(id) == p
		}
		text.WriteString(p)
		x.starts = append(x.starts, uint32(text.Len()))
		if repeated {
			x.cores = append(x.cores, repeatedCore)
			continue
		}
		met.add(h, uint32(len(x.cores)))
		x.cores = append(x.cores, b.split(p, &n, uint32(len(x.cores))))
	}
	x.text = text.String()
	return nil
}

// repeatedCore stands in cores for a name that has been listed before.
const repeatedCore = 255

// isRepeated reports whether protected name id has been listed before.
func (x *Index) isRepeated(id uint32) bool { return x.cores[id] == repeatedCore }

// readProtected takes protected name id apart. What it returns holds until the
// next call.
func (b *builder) readProtected(id uint32) *reading {
	b.core.labels = 0
	if core := b.index.core(id); core != "" { // else it is a TLD
		b.core.parse(core)
	}
	b.letters.read(&b.core, 0, b.core.labels, &b.text[0])
	return &b.letters
}

// split notes the public suffix of a protected name and counts its keys. It
// returns how many octets stand before the suffix.
func (b *builder) split(p string, n *name, id uint32) uint8 {
	x := b.index
	if tld := n.label(n.labels - 1); !x.kept.has(tld) {
		x.kept.add(string(tld))
	}
	if n.labels == 1 {
		x.bare = append(x.bare, id)
		return 0
	}
	labels := n.labels - tailOf(n)
	at := n.offset(labels)
	if suffix := p[at:]; !b.tails.has([]byte(suffix)) {
		b.addTail(strings.Clone(suffix))
	}
	r := &b.letters
	r.read(n, 0, labels, &b.text[0])
	x.depth = max(x.depth, labels)
	x.longest = max(x.longest, 2*r.size) // each may read as a pair
	b.keys += r.size + 3
	if labels == 1 && r.size >= togetherLetters {
		b.together++
	}
	if r.paired() {
		b.keys += r.size
	}
	return uint8(at - 1)
}

// addTail notes a public suffix of protected names.
func (b *builder) addTail(suffix string) {
	x := b.index
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
		x.tailEnds |= 1 << (last & 31)
	}
	if dot := strings.LastIndexByte(suffix, '.'); dot > 0 {
		head := suffix[:dot]
		if !slices.Contains(x.headList, head) {
			x.headList = append(x.headList, head)
			x.heads.add(tldOf(head))
		}
	}
}

// fill builds the table of keys.
func (b *builder) fill() {
	x := b.index
	x.keys = newTable(b.keys, len(x.cores))
	x.skeletons, x.edits, x.together = newGate(len(x.cores)), newGate(b.keys), newGate(b.together)
	x.ends = newEnds(len(x.cores))
	for id := range uint32(len(x.cores)) {
		if x.isRepeated(id) {
			continue
		}
		r := b.readProtected(id)
		if r.size == 0 {
			continue
		}
		x.near.addAround(r.size)
		h := skeletonOf(r.letters[:r.size])
		x.skeletons.add(h)
		x.keys.add(key(h, skeletonKey), id)
		b.addEdits(r, id)
		if r.paired() {
			_, pairs := r.pairs(r.labels)
			joined := b.joined.join(r, r.labels, &pairs, &b.text[1])
			x.near.addAround(joined.size)
			b.addEdits(joined, id)
		}
		if r.labels == 1 && r.size >= togetherLetters {
			var buf [togetherLetters + 1]uint64
			h := prefixHashes(buf[:0], r.letters[:togetherLetters])[togetherLetters]
			x.together.add(h)
			x.keys.add(key(h, togetherKey), id)
		}
	}
}

// addEdits puts in the letters of r, whole and with one left out.
func (b *builder) addEdits(r *reading, id uint32) {
	var buf hashes
	h := prefixHashes(buf[:0], r.letters[:r.size])
	whole := h[r.size]
	add := func(h uint64) {
		b.index.edits.add(h)
		b.index.keys.add(key(h, editKey), id)
	}
	add(whole)
	for i := range r.size {
		add(without(h, whole, i))
	}
	b.index.ends.addEdits(r.letters[:r.size])
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

// Protected yields the protected names, each once, in the order of the Config.
func (x *Index) Protected() iter.Seq[string] {
	return func(yield func(string) bool) {
		for id := range uint32(len(x.cores)) {
			if !x.isRepeated(id) && !yield(x.protected(id)) {
				return
			}
		}
	}
}

// Watched reports whether qname, in presentation form with or without a
// trailing dot and in any case, lies under a lookalike TLD.
func (x *Index) Watched(qname string) bool { return x.lookalikeTLD(qname) != nil }

// lookalikeTLD returns the lookalike TLD of qname, nil for none.
func (x *Index) lookalikeTLD(qname string) *tld {
	if n := len(qname); n > 0 && qname[n-1] == '.' {
		qname = qname[:n-1]
	}
	for i := range x.tlds {
		if t := &x.tlds[i]; t.any || hasLastLabel(qname, t.label) {
			return t
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
