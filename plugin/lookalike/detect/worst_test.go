package detect

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/test/proof"
)

// mostWork is the promise of how much work one name makes at the most, however it
// is made up.
const mostWork = 8_000

// workOf returns how much work a name makes.
func workOf(x *Index, qname string) int {
	t := x.lookalikeTLD(qname)
	if t == nil {
		return 0
	}
	s := newSearch(x)
	defer s.release()
	if !s.start(t, qname) {
		return 0
	}
	s.run()
	return s.work
}

// TestWorstName searches for the name that makes the most work: it changes names
// step by step and keeps what makes more. The proofs search longer, and among more
// protected names.
func TestWorstName(t *testing.T) {
	for _, n := range []int{258, 5_000, 100_000}[:proof.N(2, 3)] {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			names := syntheticNames(n)
			x := mustNew(t, names...)
			r := rand.New(rand.NewPCG(31, uint64(n)))
			worst, most := "", 0
			for range proof.N(2, 20) {
				if q, work := climb(r, func(q string) int { return workOf(x, q) }, names, proof.N(500, 20_000)); work > most {
					worst, most = q, work
				}
			}
			t.Logf("the costliest name found makes %d of work: %s", most, worst)
			if most > mostWork {
				t.Errorf("%s makes %d of work, want at most %d", worst, most, mostWork)
			}
			if most < 300 {
				t.Errorf("the search finds no name that makes more than %d of work: it does not work", most)
			}
		})
	}
}

// TestWorstKnown holds the names of BenchmarkWorst to the same promise.
func TestWorstKnown(t *testing.T) {
	x := mustNew(t, benchNames(5_000)...)
	all := worstNames()
	maps.Copy(all, worstVerdicts())
	for kind, name := range all {
		if work := workOf(x, name); work > mostWork {
			t.Errorf("%s makes %d of work, want at most %d", kind, work, mostWork)
		}
	}
}

// climb changes a name at random, so many times, and undoes what costs less.
func climb[T cmp.Ordered](r *rand.Rand, cost func(qname string) T, names []string, steps int) (string, T) {
	q := piece(r, names)
	most := cost(q + ".ml")
	for range steps {
		i := r.IntN(len(q) + 1)
		j := min(len(q), i+r.IntN(8))
		changed := q[:i] + q[j:]
		if r.IntN(4) > 0 {
			changed = q[:i] + piece(r, names) + q[j:]
		}
		if c := cost(changed + ".ml"); c >= most {
			q, most = changed, c
		}
	}
	return q, most
}

// piece returns what names are made up of here.
func piece(r *rand.Rand, names []string) string {
	protected := strings.TrimSuffix(names[r.IntN(len(names))], ".mil")
	switch r.IntN(8) {
	case 0:
		return protected
	case 1:
		return protected[:r.IntN(len(protected))]
	case 2:
		return keywords[r.IntN(len(keywords))]
	case 3:
		return []string{"mil", "rnil", "mi1", "nnil"}[r.IntN(4)]
	case 4:
		return []string{"rn", "nn", "vv", "cl", "ci", "rnn"}[r.IntN(6)]
	case 5:
		return []string{".", "-", ".mil.", "xn--"}[r.IntN(4)]
	}
	return string(oracleLetters[r.IntN(len(oracleLetters))])
}
