package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/variants"
)

// size is how many different names there are of a kind. A cache holds all of them.
const size = 4000

// The kinds of traffic.
const (
	passing = "passing"
	missing = "below .ml, resembling nothing"
	blocked = "blocked, below 500 lookalikes"
	various = "blocked, below 2,000 lookalikes"
	under   = "passing, below the own TLD"
)

var kinds = []string{passing, missing, blocked, various, under}

// directives of the server, and what each protects. The names below .com are those
// of the built-in list, army.com for army.mil.
const (
	ofML  = "lookalike"
	ofOwn = "lookalike com {\n protect %s\n }"
	ofAny = "lookalike * {\n protect %s\n }"
)

// own is the built-in list under com.
func own() []string {
	list := names.Default()
	for i, name := range list {
		list[i] = strings.TrimSuffix(name, ".mil") + ".com"
	}
	return list
}

// writeTraffic writes a file of queries of each kind, in dnsperf's form: a name and
// a type on each line, the same ones at every time. Names that are to pass resemble
// nothing under any directive that they meet.
func writeTraffic(dir string) (files map[string]string, err error) {
	ml, err := detect.New(detect.Config{Protected: names.Default(), TLDs: []string{"ml"}})
	if err != nil {
		return nil, err
	}
	com, err := detect.New(detect.Config{Protected: own(), TLDs: []string{detect.AnyTLD}})
	if err != nil {
		return nil, err
	}
	files = make(map[string]string)
	for i, kind := range []struct{ name, queries string }{
		{passing, unlike(com, "com", "org", "net", "example", "de", "fr")},
		{missing, unlike(ml, "ml")},
		{under, unlike(com, "com")},
		{blocked, alike(ml, 500)},
		{various, alike(ml, 2000)},
	} {
		files[kind.name] = filepath.Join(dir, fmt.Sprintf("queries%d", i))
		if err := os.WriteFile(files[kind.name], []byte(kind.queries), 0o600); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// unlike returns traffic of registrable names of two to four syllables below these
// TLDs, of which each is asked for as a mail server does, for its MX and the
// address of a host. None resembles a name of the index.
func unlike(x *detect.Index, tlds ...string) string {
	r := rand.New(rand.NewPCG(1, 2))
	seen := make(map[string]bool, size)
	var list []string
	for len(list) < size {
		name := word(r) + "." + tlds[len(seen)%len(tlds)]
		if _, found := x.Match(name); found || seen[name] {
			continue
		}
		seen[name] = true
		list = append(list, name+" MX", "mx1."+name+" A")
	}
	return strings.Join(list, "\n") + "\n"
}

// word is a made-up word of two to four syllables.
func word(r *rand.Rand) string {
	const onsets, vowels, codas = "bcdfghjklmnpqrstvwz", "aeiou", "lmnrst"
	var b strings.Builder
	for range 2 + r.IntN(3) {
		b.WriteByte(onsets[r.IntN(len(onsets))])
		b.WriteByte(vowels[r.IntN(len(vowels))])
		if r.IntN(2) == 0 {
			b.WriteByte(codas[r.IntN(len(codas))])
		}
	}
	return b.String()
}

// alike returns traffic of names below so many lookalikes that are blocked by
// default: those of high confidence, evenly from the list of all.
func alike(x *detect.Index, lookalikes int) string {
	var high []string
	for v := range variants.New(x, names.Default(), variants.Options{TLDs: []string{"ml"}}).All() {
		if v.Confidence == detect.High {
			high = append(high, v.Name)
		}
	}
	var b strings.Builder
	for i := range size / 2 {
		name := high[i%lookalikes*len(high)/lookalikes]
		if host := i / lookalikes; host > 0 {
			name = fmt.Sprintf("host%d.%s", host, name)
		}
		fmt.Fprintf(&b, "%s MX\nmx1.%s A\n", name, name)
	}
	return b.String()
}
