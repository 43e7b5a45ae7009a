//go:build e2e

package test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"golang.org/x/net/idna"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/test/wait"
)

// debianPython is the interpreter that Debian's python3-icu belongs to.
const debianPython = "/usr/bin/python3"

// listConfusables prints, for every code point whose UTS #39 skeleton is one
// ASCII letter or digit (or rn, the skeleton of m), the code point and that
// skeleton in lower case.
const listConfusables = `
import icu, unicodedata
checker = icu.SpoofChecker()
for cp in range(0x80, 0x20000):
    c = chr(cp)
    if unicodedata.category(c) in ("Cn", "Cs", "Co", "Lu", "Lt"):
        continue
    s = checker.getSkeleton(0, c)
    if s.isascii() and s.isalnum() and (len(s) == 1 or s == "rn"):
        print("%x %s" % (cp, s.lower()))
`

// compareSkeletons reads an A-label and a protected label from each line,
// decodes the former with Python's own Punycode and prints whether the
// skeletons, in lower case, are the same.
const compareSkeletons = `
import icu, sys
checker = icu.SpoofChecker()
def skeleton(s):
    return checker.getSkeleton(0, checker.getSkeleton(0, s).lower()).lower()
for line in sys.stdin:
    label, protected = line.split()
    if label.startswith("xn--"):
        label = label[4:].encode("ascii").decode("punycode")
    print(int(skeleton(label) == skeleton(protected)))
`

// TestSkeletons compares the detector with ICU on thousands of random IDN
// labels: whatever has the UTS #39 skeleton of a protected label resembles it,
// and labels of scripts that resemble no ASCII letter resemble nothing.
func TestSkeletons(t *testing.T) {
	glyphs := confusables(t)
	var labels []string
	for label := range strings.FieldsSeq("army navy disa darpa usmc centcom stratcom socom pentagon africom dtra osd whs tricare usace bluegrass jcs quantico fvw xyzk") {
		labels = append(labels, label)
	}
	protected := make([]string, 0, len(labels))
	for _, l := range labels {
		protected = append(protected, l+".mil")
	}
	index, err := detect.New(detect.Config{Protected: protected, TLDs: []string{"ml"}})
	if err != nil {
		t.Fatal(err)
	}

	r := rand.New(rand.NewPCG(39, 72))
	type pair struct{ ace, protected string }
	pairs := make([]pair, 6000)
	for i := range pairs {
		label := labels[r.IntN(len(labels))]
		pairs[i] = pair{ace(t, disguise(r, label, glyphs)), label}
	}
	var in strings.Builder
	for _, p := range pairs {
		fmt.Fprintln(&in, p.ace, p.protected)
	}
	same := 0
	for i, answer := range strings.Fields(python(t, compareSkeletons, in.String())) {
		p := pairs[i]
		if answer != "1" {
			continue
		}
		same++
		v, ok := index.Match(p.ace + ".ml.")
		if !ok || v.Class > detect.Homoglyph || !slices.ContainsFunc(v.Matches, func(m detect.Match) bool { return m.Protected == p.protected+".mil" }) {
			t.Errorf("Match(%q) = %+v; ICU says its skeleton is that of %q", p.ace+".ml.", v, p.protected)
		}
	}
	t.Logf("%d of %d labels have the skeleton of the protected one", same, len(pairs))
	if same < 3000 {
		t.Errorf("ICU finds only %d of %d labels alike: too few to compare with", same, len(pairs))
	}

	for range 2000 {
		other := ace(t, foreign(r))
		if v, ok := index.Match(other + ".ml."); ok {
			t.Errorf("Match(%q) = %+v, want no match", other+".ml.", v)
		}
	}
}

// confusables asks ICU for the code points that look like ASCII ones.
func confusables(t *testing.T) map[string][]rune {
	t.Helper()
	glyphs := make(map[string][]rune)
	lines := bufio.NewScanner(strings.NewReader(python(t, listConfusables, "")))
	for lines.Scan() {
		var r rune
		var s string
		if _, err := fmt.Sscanf(lines.Text(), "%x %s", &r, &s); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		if s == "rn" {
			s = "m"
		}
		glyphs[s] = append(glyphs[s], r)
	}
	if len(glyphs) < 30 {
		t.Fatalf("ICU lists confusables of %d letters only", len(glyphs))
	}
	return glyphs
}

// disguise replaces one or more letters of label by confusable ones.
func disguise(r *rand.Rand, label string, glyphs map[string][]rune) string {
	var b strings.Builder
	must := r.IntN(len(label))
	for i, c := range label {
		if all := glyphs[string(c)]; len(all) > 0 && (i == must || r.IntN(3) == 0) {
			c = all[r.IntN(len(all))]
		}
		b.WriteRune(c)
	}
	return b.String()
}

// foreign returns a word of Han, Hangul, Devanagari or Thai letters.
func foreign(r *rand.Rand) string {
	ranges := [][2]rune{{0x4e00, 0x9fff}, {0xac00, 0xd7a3}, {0x0915, 0x0939}, {0x0e01, 0x0e30}}
	from := ranges[r.IntN(len(ranges))]
	var b strings.Builder
	for n := 4 + r.IntN(5); n > 0; {
		if c := from[0] + r.Int32N(from[1]-from[0]+1); unicode.IsLetter(c) {
			b.WriteRune(c)
			n--
		}
	}
	return b.String()
}

func ace(t *testing.T, label string) string {
	t.Helper()
	s, err := idna.Punycode.ToASCII(label)
	if err != nil {
		t.Fatalf("%q: %v", label, err)
	}
	return s
}

// python runs a script. That python3-icu is missing is a failure, not a reason
// to skip: without it nothing is compared.
func python(t *testing.T, script, stdin string) string {
	t.Helper()
	cmd := wait.Command(t, 5*time.Minute, debianPython, "-c", script)
	cmd.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s(the skeletons come from ICU: apt-get install python3-icu)", debianPython, err, stderr.String())
	}
	return string(out)
}
