package variants

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/time/rate"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/variants"
	"github.com/lookalike-dns/lookalike/test/proof"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lists returns the lookalikes of names under ml.
func lists(tb testing.TB, classes []detect.Class, protected ...string) Lists {
	tb.Helper()
	x, err := detect.New(detect.Config{Protected: protected, TLDs: []string{"ml"}})
	if err != nil {
		tb.Fatal(err)
	}
	return Lists{variants.New(x, protected, variants.Options{TLDs: []string{"ml"}, Classes: classes})}
}

func every(l Lists) (all []variants.Variant) {
	for v := range l.All() {
		all = append(all, v)
	}
	return all
}

// TestLab has an internet of registered lookalikes, and many names besides: the run
// finds exactly those.
func TestLab(t *testing.T) {
	protected := names.Default()[:proof.N(6, 44)]
	registered := proof.N(200, 2000)
	list := lists(t, nil, protected...)
	all := every(list)
	records := make(map[string][]string)
	for i := range registered {
		v := all[i*len(all)/registered]
		records[v.Registrable] = []string{"NS ns.example.net."}
		if records[v.Name] = []string{"NS ns.example.net."}; i%2 == 0 {
			records[v.Name] = append(records[v.Name], "MX 10 mx.example.net.")
		}
	}
	want := make(map[string]bool) // names whose registrable name is registered exist, too
	for _, v := range all {
		if records[v.Registrable] != nil {
			want[v.Name] = true
		}
	}
	l := newLab(t, records, nil)
	run := &Run{List: list.All(), Resolver: l.resolver(), Workers: workers}
	began := time.Now()
	last := -1
	tally, err := run.Do(t.Context(), func(r *Result) error {
		if !want[r.Name] {
			t.Errorf("%s does not exist", r.Name)
		}
		delete(want, r.Name)
		at := slices.IndexFunc(all, func(v variants.Variant) bool { return v.Name == r.Name })
		if at <= last {
			t.Errorf("%s is out of order", r.Name)
		}
		last = at
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(want) > 0 || tally.Names != len(all) || tally.Failed != 0 || tally.Mail == 0 {
		t.Errorf("%d names are not found; %+v", len(want), tally)
	}
	t.Logf("%d names, %d exist, %d queries, %s", tally.Names, tally.Exist, l.asked(), time.Since(began).Round(time.Millisecond))
}

// TestOptionsRun writes what exists in each format, interrupts, goes on, and
// compares.
func TestOptionsRun(t *testing.T) {
	dir := t.TempDir()
	list := lists(t, []detect.Class{detect.TLDSwap, detect.Homoglyph}, "army.mil")
	mx := []string{"NS ns.example.net.", "MX 10 mx.example.net."}
	l := newLab(t, map[string][]string{"army.ml": mx, "arrny.ml": mx, "army.net.ml": {"NS ns.example.net."}}, nil)
	for _, format := range []string{"json", "csv"} {
		path := filepath.Join(dir, "found."+format)
		options := func() *Options {
			return &Options{Format: format, File: path, Resolve: true, Server: l.addr, Rate: 1e6}
		}
		tally, err := options().Run(t.Context(), list, io.Discard)
		if err != nil || tally.Exist != 3 || tally.Mail != 2 {
			t.Fatalf("%s: %+v, %v", format, tally, err)
		}
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}

		// A run that ended in the middle of any line goes on there.
		for end := range whole {
			if end%50 != 0 && end != len(whole)-1 {
				continue
			}
			if err := os.WriteFile(path, whole[:end], 0o600); err != nil {
				t.Fatal(err)
			}
			o := options()
			o.Resume = true
			tally, err := o.Run(t.Context(), list, io.Discard)
			if got, _ := os.ReadFile(path); err != nil || !bytes.Equal(got, whole) {
				t.Fatalf("%s, cut at %d: %v\n%s\nwant\n%s", format, end, err, got, whole)
			}
			if tally.Names != list.Count().Sum() {
				t.Errorf("%s, cut at %d: %d names", format, end, tally.Names)
			}
		}
		o := options()
		o.Resume = true
		if _, err := o.Run(t.Context(), lists(t, nil, "navy.mil"), io.Discard); !errors.Is(err, ErrNotOfList) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: another list: %v", format, err)
		}

		l.know(map[string][]string{"army.ml": {"NS ns.example.net.", "MX 10 other.example.net."}, "arrny.ml": mx, "armymi1.ml": mx})
		o = options()
		o.Since, o.File = path, ""
		var out bytes.Buffer
		if tally, err = o.Run(t.Context(), list, &out); err != nil || !tally.Found(true) {
			t.Errorf("%s: %+v, %v", format, tally, err)
		}
		changes := make(map[string]Change)
		if _, err := Read(&out, func(r *Result, _ int, _ int64) error { changes[r.Name] = r.Change; return nil }); err != nil {
			t.Error(err)
		}
		want := map[string]Change{"army.ml": NewMail, "arrny.ml": "", "armymi1.ml": New, "army.net.ml": Gone}
		if fmt.Sprint(changes) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", format, changes, want)
		}
		l.know(map[string][]string{"army.ml": mx, "arrny.ml": mx, "army.net.ml": {"NS ns.example.net."}})
	}
}

// TestText has the lines that people read.
func TestText(t *testing.T) {
	list := lists(t, []detect.Class{detect.TLDSwap, detect.IDNHomoglyph}, "dia.mil")
	l := newLab(t, map[string][]string{
		"dia.ml":     {"NS ns.example.net.", "MX 10 mx.example.net."},
		"dia.com.ml": {"NS ns.example.net.", "A 192.0.2.1"}, "dia.net.ml": {"NS ns.example.net.", "MX 0 ."}, "dia.org.ml": {"NS ns.example.net."},
		"xn--di-8kc.ml": {"NS ns.example.net."}, // with a Cyrillic a
	}, map[string]int{"dia.art.ml": 5})
	var out bytes.Buffer
	o := &Options{Format: "text", Resolve: true, Server: l.addr, Rate: 1e6}
	if _, err := o.Run(t.Context(), list, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"dia.ml                           tld-swap      high   dia.mil  takes mail: MX 10 mx.example.net\n",
		"dia.com.ml                       tld-swap      high   dia.mil  takes mail: no MX, address 192.0.2.1\n",
		"dia.net.ml                       tld-swap      high   dia.mil  exists, takes no mail (null MX)\n",
		"dia.org.ml                       tld-swap      high   dia.mil  exists, without MX and address\n",
		"dia.art.ml                       tld-swap      high   dia.mil  not found out: NS dia.art.ml: the resolver answers REFUSED\n",
		"xn--di-8kc.ml (diа.ml)           idn-homoglyph high   dia.mil  exists, without MX and address\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("No line %q in\n%s", want, out.String())
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 6 {
		t.Errorf("%d lines:\n%s", n, out.String())
	}
}

// TestFiltered: a resolver that blocks lookalikes itself would say that none exists.
func TestFiltered(t *testing.T) {
	l := newLab(t, nil, map[string]int{"army.ml": filters})
	o := &Options{Format: "text", Resolve: true, Server: l.addr, Rate: 1e6}
	if _, err := o.Run(t.Context(), lists(t, nil, "army.mil"), io.Discard); !errors.Is(err, errFiltered) {
		t.Errorf("%v, want %v", err, errFiltered)
	}
}

// TestRate keeps to the rate.
func TestRate(t *testing.T) {
	l := newLab(t, nil, nil)
	const queries, perSecond = 14, 50
	run := &Run{List: lists(t, []detect.Class{detect.TLDSwap}, "army.mil").All(), Workers: workers,
		Resolver: &Resolver{l.addr, rate.NewLimiter(perSecond, 1)}}
	began := time.Now()
	if _, err := run.Do(t.Context(), func(*Result) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if took, least := time.Since(began), (queries-1)*time.Second/perSecond; l.asked() != queries || took < least {
		t.Errorf("%d queries in %s, want %d in %s or more", l.asked(), took, queries, least)
	}
}

// TestEnds: a run ends when it is told to, and when its results have no place.
func TestEnds(t *testing.T) {
	l := newLab(t, map[string][]string{"army.ml": {"NS ns.example.net."}}, nil)
	list := lists(t, nil, "army.mil")
	full := errors.New("no room")
	ctx, cancel := context.WithCancel(t.Context())
	for _, tc := range []struct {
		name string
		do   func(*Result) error
		want error
	}{
		{"no room", func(*Result) error { return full }, full},
		{"told to", func(*Result) error { cancel(); return nil }, context.Canceled},
	} {
		run := &Run{List: list.All(), Resolver: l.resolver(), Workers: workers}
		if _, err := run.Do(ctx, tc.do); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		name    string
		options Options
		want    string
	}{
		{"a list", Options{Rate: 1}, ""},
		{"all without asking", Options{Rate: 1, All: true}, "need -resolve"},
		{"resume as text", Options{Rate: 1, Resolve: true, Resume: true, File: "found.txt", Format: "text"}, "-format json or csv"},
		{"resume nothing", Options{Rate: 1, Resolve: true, Resume: true, Format: "json"}, "-o FILE"},
		{"count what exists", Options{Rate: 1, Resolve: true, Count: true}, "got both"},
		{"no rate", Options{Resolve: true}, "want a number above 0"},
	} {
		err := tc.options.Check()
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"text", "army.ml  tld-swap\n", "neither JSON nor CSV"},
		{"other JSON", `{"class":"typo"}` + "\n", "line 1: the name is missing"},
		{"a broken line", `{"name":"army.ml","exists":true}` + "\n{\"name\":\n", "line 2: "},
		{"an unknown class", `{"name":"army.ml","class":"typos"}` + "\n", "unknown class"},
		{"too few fields", "name,exists\narmy.ml\n", "line 2: 1 fields, want 2"},
		{"not asked for", `{"name":"army.ml"}` + "\n", "line 1: army.ml was not asked for"},
	} {
		if _, err := ReadEarlier(strings.NewReader(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

// FuzzRead reads what it takes for an output, writes it and reads it again.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{"name":"army.ml","unicode":"","protected":"army.mil","class":"tld-swap","confidence":"high","exists":true,"mail":"mx","ns":["ns.example.net"],"mx":["10 mx.example.net"],"addresses":[]}` + "\n",
		"name,unicode,protected,class,confidence,exists,mail,ns,mx,addresses,error\narmy.ml,,army.mil,tld-swap,high,yes,mx,ns.example.net,10 mx.example.net; 20 mx2.example.net,,\n",
		"name\narmy.ml\narmy", "{}\n", "\n", "name,name\n\"a\nb\",c\n", `{"name":"x","exists":null}` + "\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var results []*Result
		var last int64
		format, err := Read(strings.NewReader(text), func(r *Result, _ int, end int64) error {
			if end <= last || end > int64(len(text)) {
				t.Fatalf("A line ends at %d, after one at %d", end, last)
			}
			last = end
			results = append(results, r)
			return nil
		})
		if err != nil || len(results) == 0 || format != "json" {
			return
		}
		var b bytes.Buffer
		w := NewWriter(&b, format, true, false, false)
		for _, r := range results {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		n := 0
		if _, err := Read(&b, func(r *Result, _ int, _ int64) error {
			if r.Name != results[n].Name || r.exists() != results[n].exists() {
				t.Errorf("%+v is read as %+v", results[n], r)
			}
			n++
			return nil
		}); err != nil || n != len(results) {
			t.Errorf("%d of %d results, %v", n, len(results), err)
		}
	})
}
