package detect

import (
	"slices"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/test/proof"

	"golang.org/x/net/idna"
)

// recallNames are protected names of 2 to 14 letters.
var recallNames = strings.Fields(`
	af.mil ng.mil mc.mil
	dia.mil nga.mil dla.mil osd.mil mwr.mil
	army.mil navy.mil disa.mil dcma.mil usmc.mil comm.mil
	darpa.mil jcoms.mil norad.mil marne.mil
	socom.mil eucom.mil dodiis.mil sigint.mil
	africom.mil centcom.mil usuhsop.mil
	northcom.mil stratcom.mil pentagon.mil
	southcomx.mil transcoma.mil tacomwarn.mil
	bluegrassa.mil capmedcell.mil
	defenselink.mil westernwood.mil
	whitehouseco.mil milsuitemail.mil
	armyreserveus.mil nationalguard.mil
	technologycent.mil redriverarsena.mil
	us.af.mil us.army.mil hqda.army.mil navair.navy.mil
`)

// variant is a name made of a protected one, with what its verdict must be at
// the least.
type variant struct {
	qname string
	class Class
	floor Confidence
}

// generators make every variant of their class of the label that stands
// before .mil. They are written from the published definitions of the
// permutations, not from the code under test.
var generators = map[string]func(label string) []variant{
	"tld-swap": func(l string) []variant {
		return each(TLDSwap, High, l, "mx."+l, "a.b.c.d."+l, "_dmarc."+l, l+".com", strings.ToUpper(l))
	},
	"tld-kept": func(l string) []variant {
		return each(TLDKept, High, l+".mil", l+"mil", l+"-mil", "mx."+l+".mil", "mx."+l+"mil", "mx."+l+"-mil", l+".mil.com")
	},
	"separator": func(l string) (v []variant) {
		if letters(l) < 4 || !strings.Contains(l, ".") {
			return nil
		}
		return each(Separator, High, strings.ReplaceAll(l, ".", ""), strings.ReplaceAll(l, ".", "-"), "mx."+strings.ReplaceAll(l, ".", ""))
	},
	"idn-homoglyph": func(l string) (v []variant) {
		want := High
		if letters(l) < 3 {
			want = Medium
		}
		for _, s := range swapEach(l, unicodeGlyphs) {
			v = append(v, variant{s, IDNHomoglyph, want}, variant{ace(s), IDNHomoglyph, want})
		}
		// Every letter at once, as in whole-script lookalikes.
		for script, table := range wholeScripts {
			if s, ok := swapEvery(l, table); ok {
				v = append(v, variant{ace(s), IDNHomoglyph, want})
			} else if script == "" {
				panic(script)
			}
		}
		return v
	},
	"transposition": func(l string) []variant { return typos(l, transpositions(l), 3) },
	"repetition":    func(l string) []variant { return typos(l, repetitions(l), 3) },
	"adjacent key": func(l string) []variant { // high but for the first letter
		if letters(l) < 4 {
			return nil
		}
		return each(Typo, Medium, adjacentKeys(l)...)
	},
	"combosquat": func(l string) (v []variant) {
		for _, w := range recallKeywords {
			if letters(l) >= 4 {
				v = append(v, each(Combosquat, Medium, l+"-"+w, w+"-"+l, w+"-"+l+"-mail")...)
			}
			if letters(l) >= 5 {
				v = append(v, variant{l + w, Combosquat, Medium}, variant{w + l, Combosquat, Medium})
			}
		}
		return v
	},
	"kept TLD in other letters": func(l string) (v []variant) {
		n := letters(l)
		for _, tld := range []string{"mi1", "m1l", "mll", "m11", "rnil", "nni1"} {
			want := floorByHand(n, 3, 2, never)
			if tld == "nni1" {
				want = floorByHand(n, 5, 4, 3)
			}
			if want > Unsure {
				v = append(v, each(Homoglyph, want, l+"."+tld, l+tld, l+"-"+tld, "mx."+l+"."+tld, "mx."+l+tld)...)
			}
		}
		return v
	},
	"strong glyphs": func(l string) (v []variant) {
		want := floorByHand(letters(l), 3, 2, never)
		once := slices.Concat(swapEach(l, strongGlyphs), swapEach(l, strongPairs))
		v = each(Homoglyph, want, once...)
		for _, s := range swapEach(l, strongGlyphs) {
			for _, t := range swapEach(l, strongGlyphs) {
				if m, ok := merge(l, s, t); ok {
					v = append(v, variant{m, Homoglyph, want})
				}
			}
		}
		return v
	},
	"weak glyphs": func(l string) []variant {
		want := floorByHand(letters(l), 5, 4, 3)
		if want == Unsure {
			return nil
		}
		return slices.Concat(each(Homoglyph, want, swapEach(l, weakGlyphs)...), each(Typo, Low, swapEach(l, similarGlyphs)...))
	},
	"two folds": func(l string) (v []variant) {
		want := floorByHand(letters(l), 8, 5, never)
		once := slices.Concat(swapEach(l, weakGlyphs), swapEach(l, strongPairs))
		for _, s := range once {
			for _, t := range once {
				if m, ok := merge(l, s, t); ok && want > Unsure {
					v = append(v, variant{m, DoubleTypo, want})
				}
			}
		}
		return v
	},
	"omission": func(l string) []variant {
		if letters(l) < 4 {
			return nil
		}
		return each(Typo, min(Medium, floorByHand(letters(l)-1, 5, 3, never)), omissions(l)...)
	},
	"displacement": func(l string) (v []variant) {
		want := floorByHand(letters(l), 5, 4, never)
		for i := range len(l) - 2 {
			if a, b, c := l[i], l[i+1], l[i+2]; want > Unsure && !strings.ContainsAny(l[i:i+3], ".-") && (a != b || b != c) {
				v = append(v, each(Typo, want, l[:i]+string([]byte{b, c, a})+l[i+3:], l[:i]+string([]byte{c, a, b})+l[i+3:])...)
			}
		}
		return v
	},
	"held key": func(l string) (v []variant) {
		want := floorByHand(letters(l), 5, 4, never)
		for i := range len(l) {
			for n := 2; n < 6 && want > Unsure && l[i] != '.'; n++ {
				v = append(v, variant{l[:i] + strings.Repeat(l[i:i+1], n) + l[i:], Typo, want})
			}
		}
		return v
	},
	"fat finger": func(l string) (v []variant) {
		want := min(Medium, floorByHand(letters(l), 5, 4, never)) // high but for digits at the end
		for i := range len(l) {
			for _, c := range keyNeighboursByHand[l[i]] {
				if want > Unsure && i > 0 {
					v = append(v, each(Typo, want, l[:i]+string(c)+l[i:], l[:i+1]+string(c)+l[i+1:])...)
				}
			}
		}
		return v
	},
	"split": func(l string) (v []variant) {
		want := floorByHand(letters(l), never, 5, 4)
		if want == Unsure {
			return nil
		}
		for i := 1; i < len(l); i++ {
			if l[i-1] != '.' && l[i] != '.' {
				v = append(v, each(Split, want, l[:i]+"-"+l[i:], l[:i]+"."+l[i:], "mx."+l[:i]+"-"+l[i:])...)
			}
		}
		return v
	},
	"edit": func(l string) (v []variant) {
		n := letters(l)
		const any = "abcdefghijklmnopqrstuvwxyz0123456789"
		for i := 0; i <= len(l); i++ {
			for _, c := range []byte(any) {
				if q := l[:i] + string(c) + l[i:]; n >= 5 || n == 4 && !commonByHand(q) && !isWord(q) {
					v = append(v, variant{q, Edit, min(Medium, floorByHand(n, 6, 5, 4))})
				}
				if q := l[:min(i, len(l)-1)] + string(c) + l[min(i+1, len(l)):]; i < len(l) && l[i] != '.' && l[i] != c && (n >= 5 || n == 4 && !commonByHand(q) && !isWord(q)) {
					v = append(v, variant{q, Edit, min(Medium, floorByHand(n, 6, 5, 4))})
				}
			}
		}
		return v
	},
	"embedding": func(l string) (v []variant) {
		v = each(Embedding, Medium, l+".mil.example", l+"-mil.example", "x."+l+".mil.example", l+"-mil-example", "a-"+l+"-mil-example",
			l+"mil-example", "a-"+l+"mil.example")
		if n := letters(l); n >= 4 && (l == "army" || !isCommonWord(l) && !isWord(l)) {
			v = append(v, each(Embedding, Low, l+".example", "x."+l+".example", "join-"+l, l+"-example", "x-"+l+"-example")...)
			if n >= 7 && !strings.Contains(l, ".") {
				v = append(v, each(Embedding, Low, l+"xyz", "qxz"+l, "qxz"+l+"xyz", "a-qxz"+l)...)
			}
		}
		return v
	},
	"kept in a hyphenated name": func(l string) (v []variant) {
		for _, w := range recallKeywords {
			v = append(v, each(TLDKept, High, l+"mil-"+w, w+"-"+l+"mil", l+"-mil-"+w, w+"-"+l+"-mil", w+"-"+l+"mil-"+w)...)
		}
		return v
	},
	"two slips": func(l string) (v []variant) {
		if letters(l) < 7 || strings.Contains(l, ".") {
			return nil
		}
		for _, s := range slips(l) {
			for _, t := range slips(s) {
				// Slips that overlap may be further apart.
				if osa(l, t) <= 2 && !isCommonWord(t) && !isWord(t) {
					v = append(v, variant{t, DoubleTypo, Low})
				}
			}
		}
		return v
	},
	"fold and slip": func(l string) (v []variant) {
		want := floorByHand(letters(l), 8, 5, never)
		for _, s := range slices.Concat(swapEach(l, strongGlyphs), swapEach(l, strongPairs), swapEach(l, weakGlyphs)) {
			for _, t := range append(transpositions(l), repetitions(l)...) {
				if m, ok := merge(l, s, t); ok && want > Unsure {
					v = append(v, variant{m, DoubleTypo, want})
				}
			}
		}
		return v
	},
	"idn and slip": func(l string) (v []variant) {
		want := floorByHand(letters(l), 8, 5, never)
		for _, t := range transpositions(l) {
			for _, s := range swapEach(t, unicodeGlyphs) {
				if want > Unsure {
					v = append(v, variant{s, DoubleTypo, want})
				}
			}
		}
		return v
	},
	"missing dot and slip": func(l string) (v []variant) {
		if !strings.Contains(l, ".") {
			return nil
		}
		want := floorByHand(letters(l), 8, 5, never)
		for _, s := range slices.Concat(transpositions(l), repetitions(l)) {
			if want > Unsure {
				v = append(v, each(DoubleTypo, want, strings.ReplaceAll(s, ".", ""), strings.ReplaceAll(s, ".", "-"))...)
			}
		}
		return v
	},
	"kept and slip": func(l string) (v []variant) {
		for _, t := range typos(l, transpositions(l), 3) {
			v = append(v, variant{t.qname + "mil", t.class, t.floor}, variant{t.qname + "-mil", t.class, t.floor})
		}
		return v
	},
}

// recallLeast says of each generator how many variants it makes of all
// [recallNames] at the least, and of each one from so many letters on, so that
// a generator that makes none does not pass for one whose variants are all found.
var recallLeast = map[string]enough{
	"tld-swap":                  {200, 2, 5, ""},
	"tld-kept":                  {280, 2, 7, ""},
	"kept TLD in other letters": {1_000, 2, 25, ""},
	"separator":                 {6, 4, 3, "two labels"},
	"strong glyphs":             {150, 2, 0, ""},
	"weak glyphs":               {250, 4, 1, ""},
	"two folds":                 {300, 8, 1, ""},
	"idn-homoglyph":             {5_500, 2, 30, ""},
	"transposition":             {220, 3, 2, ""},
	"repetition":                {250, 3, 3, ""},
	"omission":                  {240, 4, 2, ""},
	"adjacent key":              {1_400, 4, 20, ""},
	"displacement":              {300, 4, 1, "one label"},
	"held key":                  {900, 4, 8, ""},
	"fat finger":                {2_000, 4, 20, ""},
	"split":                     {600, 4, 4, ""},
	"edit":                      {16_000, 4, 100, ""},
	"combosquat":                {1_200, 4, 20, ""},
	"embedding":                 {400, 2, 7, ""},
	"kept in a hyphenated name": {1_200, 2, 30, ""},
	"two slips":                 {65_000, 7, 1_000, "one label"},
	"fold and slip":             {1_300, 8, 1, ""},
	"idn and slip":              {10_000, 5, 10, ""},
	"missing dot and slip":      {50, 5, 15, "two labels"},
	"kept and slip":             {400, 3, 4, ""},
}

// enough is how many variants there must be.
type enough struct {
	all, from, each int
	which           string // of the names: "one label" or "two labels"; empty: all
}

// of returns how many variants of a name there must be.
func (e enough) of(label string) int {
	which := "one label"
	if strings.Contains(label, ".") {
		which = "two labels"
	}
	if letters(label) < e.from || e.which != "" && e.which != which {
		return 0
	}
	return e.each
}

// recallTried is of how many variants in a row one is tried, of a generator that
// makes so many of all names.
func recallTried(all int) int {
	const quick = 300 // about so many are tried in a quick test
	return proof.N(max(all/quick, 1), 1)
}

// TestRecall makes every variant of every class and wants the class and the
// confidence that the rules promise, and the protected name of each. Some
// variants belong to a stronger class than the one that they were made for, as
// a substitution by a neighbouring key does; never to a weaker one. Among the
// other names the class gets no weaker, nor the confidence within it.
func TestRecall(t *testing.T) {
	together := mustNew(t, recallNames...)
	alones := make(map[string]*Index)
	for _, protected := range recallNames {
		alones[protected] = mustNew(t, protected)
	}
	if len(generators) != len(recallLeast) {
		t.Errorf("%d generators, want %d", len(generators), len(recallLeast))
	}
	for class, generate := range generators {
		t.Run(class, func(t *testing.T) {
			t.Parallel()
			least, all := recallLeast[class], 0
			each := recallTried(least.all)
			for _, protected := range recallNames {
				alone := alones[protected]
				label := strings.TrimSuffix(protected, ".mil")
				variants := sound(label, generate(label))
				if n, want := len(variants), least.of(label); n < want {
					t.Errorf("%d variants of %s, want %d or more", n, protected, want)
				}
				all += len(variants)
				for at, made := range variants {
					if at%each != 0 {
						continue
					}
					q := made.qname
					want := promise(label, q)
					if want.class == None || want.class > made.class || want.class == made.class && want.most() < made.floor && !commonByHand(q) && !isWord(q) {
						t.Errorf("%s: the rules promise %v, the generator %v %v of %s", q, want, made.class, made.floor, protected)
						continue
					}
					qname := q + ".ml."
					v, ok := alone.Match(qname)
					if !ok || !want.allows(v.Class, v.Confidence) {
						t.Errorf("Match(%q) = %v, want %v of %s", qname, v, want, protected)
						continue
					}
					w, ok := together.Match(qname)
					if !ok || w.Class > v.Class || w.Class == v.Class && (w.Confidence < v.Confidence || !slices.ContainsFunc(w.Matches, func(m Match) bool { return m.Protected == protected })) {
						t.Errorf("among others: Match(%q) = %v, want %v %v of %s", qname, w, v.Class, v.Confidence, protected)
					}
				}
			}
			if least.all == 0 || all < least.all {
				t.Errorf("%d variants in all, want %d or more", all, least.all)
			}
		})
	}
}

// sound returns each variant once, without those that are no names and those that
// a public suffix makes others of: com.ml is one in cent.com.ml.
func sound(label string, variants []variant) (out []variant) {
	seen := map[string]bool{label: true}
	for _, v := range variants {
		q := v.qname
		last := q[strings.LastIndexByte(q, '.')+1:]
		if seen[q] || strings.Contains("."+q+".", "..") || v.class > TLDKept && slices.Contains(suffixesByHand, last) {
			continue
		}
		seen[q] = true
		out = append(out, v)
	}
	return out
}

func mustNew(tb testing.TB, protected ...string) *Index {
	tb.Helper()
	x, err := New(Config{Protected: protected, TLDs: []string{"ml"}})
	if err != nil {
		tb.Fatal(err)
	}
	return x
}

// letters returns the length by which confidences go.
func letters(label string) int { return len(strings.NewReplacer(".", "", "-", "").Replace(label)) }

func each(c Class, floor Confidence, qnames ...string) (v []variant) {
	for _, q := range qnames {
		v = append(v, variant{q, c, floor})
	}
	return v
}

func typos(l string, qnames []string, least int) []variant {
	n := letters(l)
	if n < least {
		return nil
	}
	if n >= 5 {
		return each(Typo, High, qnames...)
	}
	return each(Typo, Medium, qnames...)
}

func slips(l string) []string {
	return slices.Concat(transpositions(l), repetitions(l), omissions(l), adjacentKeys(l))
}

func transpositions(l string) (out []string) {
	for i := 1; i < len(l); i++ {
		if l[i] != l[i-1] && l[i] != '.' && l[i-1] != '.' && l[i] != '-' && l[i-1] != '-' {
			out = append(out, l[:i-1]+string(l[i])+string(l[i-1])+l[i+1:])
		}
	}
	return out
}

func repetitions(l string) (out []string) {
	for i := range len(l) {
		if l[i] != '.' && l[i] != '-' {
			out = append(out, l[:i+1]+l[i:])
		}
	}
	return out
}

func omissions(l string) (out []string) {
	for i := range len(l) {
		if l[i] != '.' && l[i] != '-' {
			out = append(out, l[:i]+l[i+1:])
		}
	}
	return out
}

// keyNeighboursByHand lists, for some keys, the neighbours on QWERTY, AZERTY
// and QWERTZ as one finds them by looking at keyboards.
var keyNeighboursByHand = map[byte]string{
	'a': "qwsz12", 's': "wedazxyq", 'd': "ersfxc", 'm': "njklp", 'n': "bhjm", 'c': "xvdf", 'v': "cbfg",
	'o': "ipkl90", 'e': "wsdr34z", 'i': "uojk89", 't': "rfgy56z", 'r': "edft45", 'y': "tugh67z", 'u': "yihj78z",
	'l': "kop", 'g': "fhtvby", 'p': "ol0", 'b': "vngh", 'w': "qase23xz", 'k': "jiolm", 'h': "gjyubn", 'f': "dgrtcv",
}

func adjacentKeys(l string) (out []string) {
	for i := range len(l) {
		for _, c := range keyNeighboursByHand[l[i]] {
			out = append(out, l[:i]+string(c)+l[i+1:])
		}
	}
	return out
}

var (
	strongGlyphs = map[byte][]string{'o': {"0"}, 'i': {"1", "l"}, 'l': {"1", "i"}}
	strongPairs  = map[byte][]string{'m': {"rn"}, 'w': {"vv"}, 'd': {"cl", "c1"}}
	weakGlyphs   = map[byte][]string{'s': {"5"}, 'e': {"3"}, 'a': {"4"}, 'b': {"8", "6"}, 't': {"7"}, 'g': {"9"}, 'm': {"nn"}, 'w': {"uu"}, 'd': {"ci"}}
)

var similarGlyphs = map[byte][]string{
	'b': {"d"}, 'd': {"b"}, 'c': {"e"}, 'e': {"c"}, 'g': {"q"}, 'u': {"v"}, 'v': {"u"}, 'n': {"r"}, 'r': {"n"}, 'm': {"n"},
}

var unicodeGlyphs = map[byte][]string{
	'a': {"а", "ɑ", "α", "á", "à", "â", "ä", "ã", "å", "ā", "ą", "ă", "ạ", "ａ", "ᴀ", "ǎ", "ȧ"},
	'b': {"Ь", "ь", "в", "ƀ", "ɓ", "ḃ", "ʙ", "β"}, 'c': {"с", "ç", "ć", "č", "ċ", "ƈ", "ϲ", "ᴄ", "ɔ"},
	'd': {"ԁ", "ď", "đ", "ɖ", "ɗ", "ḍ", "ᴅ", "ð"}, 'e': {"е", "é", "è", "ê", "ë", "ē", "ę", "ě", "ẹ", "ё", "є", "ε", "ᴇ", "ǝ"},
	'f': {"ƒ", "ḟ", "ғ", "ꜰ"}, 'g': {"ɡ", "ğ", "ģ", "ǥ", "ɢ", "ġ", "ĝ", "ԍ"}, 'h': {"һ", "н", "ħ", "ĥ", "ḥ", "ʜ", "ɦ"},
	'i': {"і", "ı", "í", "ì", "î", "ï", "ī", "į", "ι", "ɩ", "ї", "ɪ"}, 'j': {"ј", "ĵ", "ʝ", "ɉ"},
	'k': {"к", "κ", "ķ", "ƙ", "ᴋ", "қ", "ĸ"}, 'l': {"ӏ", "ł", "ļ", "ľ", "ĺ", "ɫ", "ʟ", "ⅼ"}, 'm': {"м", "ṃ", "ɱ", "ᴍ", "ｍ", "ⅿ"},
	'n': {"п", "ñ", "ń", "ň", "ņ", "ŋ", "ɲ", "ո", "η", "ɴ"}, 'o': {"о", "ο", "ö", "ó", "ò", "ô", "õ", "ø", "ō", "ő", "ọ", "օ", "ᴏ", "σ"},
	'p': {"р", "ρ", "ƥ", "ṗ", "ᴘ", "þ"}, 'q': {"ԛ", "ɋ", "զ"}, 'r': {"г", "ŕ", "ř", "ŗ", "ɍ", "ʀ", "ᴦ"},
	's': {"ѕ", "ś", "š", "ş", "ș", "ꜱ", "ʂ", "ṡ"}, 't': {"т", "ţ", "ť", "ț", "ŧ", "τ", "ᴛ", "ƭ"},
	'u': {"υ", "ü", "ú", "ù", "û", "ū", "ů", "ű", "ц", "и", "ս", "ᴜ", "ʋ"}, 'v': {"ν", "ѵ", "ṿ", "ᴠ"},
	'w': {"ԝ", "ŵ", "ẁ", "ẅ", "ш", "ω", "ѡ", "ᴡ"}, 'x': {"х", "χ", "ẋ"}, 'y': {"у", "ý", "ÿ", "ү", "γ", "ỳ", "ʏ"},
	'z': {"ž", "ź", "ż", "ƶ", "ᴢ", "ȥ"},
}

// wholeScripts replace every letter by one of the same script.
var wholeScripts = map[string]map[byte][]string{
	"Cyrillic": {
		'a': {"а"}, 'b': {"ь"}, 'c': {"с"}, 'd': {"ԁ"}, 'e': {"е"}, 'f': {"ғ"}, 'g': {"ԍ"}, 'h': {"һ"}, 'i': {"і"}, 'j': {"ј"},
		'k': {"к"}, 'l': {"ӏ"}, 'm': {"м"}, 'n': {"п"}, 'o': {"о"}, 'p': {"р"}, 'q': {"ԛ"}, 'r': {"г"}, 's': {"ѕ"}, 't': {"т"},
		'u': {"и"}, 'v': {"ѵ"}, 'w': {"ԝ"}, 'x': {"х"}, 'y': {"у"},
	},
	"Greek": {
		'a': {"α"}, 'b': {"β"}, 'd': {"δ"}, 'e': {"ε"}, 'i': {"ι"}, 'k': {"κ"}, 'n': {"η"}, 'o': {"ο"}, 'p': {"ρ"}, 't': {"τ"},
		'u': {"υ"}, 'v': {"ν"}, 'w': {"ω"}, 'x': {"χ"}, 'y': {"γ"}, 'z': {"ζ"},
	},
	"fullwidth": {
		'a': {"ａ"}, 'b': {"ｂ"}, 'c': {"ｃ"}, 'd': {"ｄ"}, 'e': {"ｅ"}, 'f': {"ｆ"}, 'g': {"ｇ"}, 'h': {"ｈ"}, 'i': {"ｉ"}, 'j': {"ｊ"},
		'k': {"ｋ"}, 'l': {"ｌ"}, 'm': {"ｍ"}, 'n': {"ｎ"}, 'o': {"ｏ"}, 'p': {"ｐ"}, 'q': {"ｑ"}, 'r': {"ｒ"}, 's': {"ｓ"}, 't': {"ｔ"},
		'u': {"ｕ"}, 'v': {"ｖ"}, 'w': {"ｗ"}, 'x': {"ｘ"}, 'y': {"ｙ"}, 'z': {"ｚ"},
	},
}

// swapEach replaces each letter by each of its entries in table.
func swapEach(l string, table map[byte][]string) (out []string) {
	for i := range len(l) {
		for _, s := range table[l[i]] {
			out = append(out, l[:i]+s+l[i+1:])
		}
	}
	return out
}

// swapAll replaces every letter by its first entry in table.
func swapEvery(l string, table map[byte][]string) (string, bool) {
	var b strings.Builder
	for i := range len(l) {
		switch s := table[l[i]]; {
		case l[i] == '.':
			b.WriteByte('.')
		case s == nil:
			return "", false
		default:
			b.WriteString(s[0])
		}
	}
	return b.String(), true
}

// merge applies to l what changed it to s and what changed it to t, where the
// change to s is left of the one to t and they do not touch.
func merge(l, s, t string) (string, bool) {
	sFrom, sTo := changedIn(l, s)
	tFrom, _ := changedIn(l, t)
	if sFrom < 0 || tFrom < 0 || sTo >= tFrom {
		return "", false
	}
	return s[:len(s)-(len(l)-tFrom)] + t[tFrom:], true
}

// changedIn returns the range of l that differs in s.
func changedIn(l, s string) (from, to int) {
	for from < len(l) && from < len(s) && l[from] == s[from] {
		from++
	}
	if from == len(l) && from == len(s) {
		return -1, -1
	}
	to = len(l)
	for end := len(s); to > from && end > from && l[to-1] == s[end-1]; end-- {
		to--
	}
	return from, to
}

// ace returns the A-label form of each label of s, valid by IDNA or not.
func ace(s string) string {
	out, err := idna.Punycode.ToASCII(s)
	if err != nil {
		panic(err)
	}
	return out
}
