package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/variants"
)

// kind is a way to get a protected name wrong, and how many of those drawn are of it.
// The kinds but the last know nothing of the detector's tables. The shares are a
// choice: nobody has measured them.
type kind struct {
	name  string
	share int
	wrong func(r *rand.Rand, name string) string // of the name without its TLD
}

var kinds = []kind{
	{"the name under ml", 200, func(_ *rand.Rand, name string) string { return name }},
	{"also one slip", 200, slip},
	{"also two slips", 150, func(r *rand.Rand, name string) string { return slip(r, slip(r, name)) }},
	{"also characters that look alike", 100, alike},
	{"mil kept before ml", 75, kept},
	{"other words around it", 75, embedded},
	{"dots and hyphens", 50, separated},
}

// rest are drawn from what lookalike variants lists, each class as often.
const (
	rest      = "lookalike variants"
	restShare = 150
)

// drawn is a lookalike that somebody may ask for.
type drawn struct{ name, kind string }

// draw draws a thousand lookalikes of the protected names, the same ones each time.
// Three out of ten are hosts below one.
func draw(index *detect.Index, protected []string) []drawn {
	r := rand.New(rand.NewPCG(18, 6))
	seen := make(map[string]bool)
	var all []drawn
	of := func(kind string, share int, wrong func() string) {
		for end := len(all) + share; len(all) < end; {
			name := wrong()
			if name != "" && r.IntN(10) < 3 {
				name = fmt.Sprintf("%s%d.%s", pick(r, "mail", "mx", "smtp", "host"), r.IntN(1000), name)
			}
			if _, ok := dns.IsDomainName(name); ok && name != "" && !seen[name] {
				seen[name] = true
				all = append(all, drawn{name, kind})
			}
		}
	}
	for _, k := range kinds {
		of(k.name, k.share, func() string {
			name := pick(r, protected...)
			return k.wrong(r, name[:strings.LastIndexByte(name, '.')]) + ".ml"
		})
	}
	of(rest, restShare, func() string { return variant(r, index, pick(r, protected...)) })
	return all
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// slip is what fingers do to one character of a name.
func slip(r *rand.Rand, name string) string {
	i := r.IntN(len(name))
	c, before, after := name[i:i+1], name[:i], name[i+1:]
	if c == "." {
		return slip(r, name)
	}
	switch r.IntN(6) {
	case 0: // left out
		return before + after
	case 1: // doubled
		return before + c + c + after
	case 2: // swapped with the next
		if after == "" || after[0] == '.' || after[:1] == c {
			return slip(r, name)
		}
		return before + after[:1] + c + after[1:]
	case 3: // a key beside it
		return before + beside(r, c) + after
	case 4: // a key beside it as well
		return before + c + beside(r, c) + after
	default: // any other
		return before + pick(r, strings.Split("abcdefghijklmnopqrstuvwxyz0123456789", "")...) + after
	}
}

// beside returns a character whose key is left or right of that of c, or above or
// below it.
func beside(r *rand.Rand, c string) string {
	rows := []string{"1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm"}
	for y, row := range rows {
		x := strings.Index(row, c)
		if x < 0 {
			continue
		}
		var near []string
		for _, at := range [][2]int{{y, x - 1}, {y, x + 1}, {y - 1, x}, {y - 1, x + 1}, {y + 1, x - 1}, {y + 1, x}} {
			if at[0] >= 0 && at[0] < len(rows) && at[1] >= 0 && at[1] < len(rows[at[0]]) {
				near = append(near, rows[at[0]][at[1]:at[1]+1])
			}
		}
		return pick(r, near...)
	}
	return c
}

// alike writes one or two characters of a name in another way, or returns nothing.
func alike(r *rand.Rand, name string) string {
	pairs := [][2]string{{"o", "0"}, {"l", "1"}, {"i", "1"}, {"i", "l"}, {"m", "rn"}, {"w", "vv"}, {"d", "cl"}, {"e", "3"}, {"s", "5"}, {"a", "4"}, {"b", "8"}, {"g", "9"}}
	wrong := name
	for range 1 + r.IntN(2) {
		r.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		for _, p := range pairs {
			if strings.Contains(wrong, p[0]) {
				wrong = strings.Replace(wrong, p[0], p[1], 1)
				break
			}
		}
	}
	if wrong == name {
		return ""
	}
	return wrong
}

// kept leaves mil where it was, with or without its dot.
func kept(r *rand.Rand, name string) string {
	return pick(r, name+".mil", name+"mil", name+"-mil", strings.ReplaceAll(name, ".", "")+"mil", strings.ReplaceAll(name, ".", "-")+"-mil")
}

// embedded puts a word before or behind a name.
func embedded(r *rand.Rand, name string) string {
	word := pick(r, "portal", "login", "support", "pay", "office", "secure", "news", "europe", "hq", "veterans", "jobs", "forum")
	return pick(r, word+"-"+name, name+"-"+word, word+name, name+word, name+"."+word)
}

// separated drops, adds or changes a dot or a hyphen.
func separated(r *rand.Rand, name string) string {
	i := r.IntN(len(name))
	before, after := name[:i], name[i+1:]
	switch c := name[i]; {
	case c == '.':
		return before + pick(r, "", "-") + after
	case c == '-':
		return before + pick(r, "", ".") + after
	case i == 0 || name[i-1] == '.' || name[i-1] == '-':
		return separated(r, name)
	default:
		return before + pick(r, ".", "-") + name[i:]
	}
}

// variant draws one from the list of a class and a name, or returns nothing.
func variant(r *rand.Rand, index *detect.Index, name string) string {
	var list []string
	of := variants.Options{TLDs: []string{"ml"}, Classes: []detect.Class{pick(r, detect.Listable()...)}}
	for v := range variants.New(index, []string{name}, of).All() {
		list = append(list, v.Name)
	}
	if list == nil {
		return ""
	}
	return pick(r, list...)
}
