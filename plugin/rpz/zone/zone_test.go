package zone

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

const origin = "rpz.example.org."

// sources reads the directives of a server block, which may name the file
// ./allow.txt.
func sources(tb testing.TB, directives string, exceptions ...string) []Source {
	tb.Helper()
	dir := tb.TempDir()
	file, allow := filepath.Join(dir, "Corefile"), filepath.Join(dir, "allow.txt")
	if err := os.WriteFile(allow, []byte(strings.Join(exceptions, "\n")), 0o600); err != nil {
		tb.Fatal(err)
	}
	directives = strings.ReplaceAll(directives, "./allow.txt", allow)
	if err := os.WriteFile(file, []byte(".:53 {\n"+directives+"\n}\n"), 0o600); err != nil {
		tb.Fatal(err)
	}
	c, err := lookalike.Load(file)
	if err != nil {
		tb.Fatal(err)
	}
	return SourcesOf(c.Policies)
}

func compile(tb testing.TB, s []Source, o Options) *Zone {
	tb.Helper()
	z, err := Compile(tb.Context(), s, o)
	if err != nil {
		tb.Fatal(err)
	}
	return z
}

// records returns the records of a zone as "owner type data", without the origin.
func records(z *Zone, origin string) (all []string) {
	for rrs := range z.Records(origin) {
		for _, rr := range rrs {
			all = append(all, strings.TrimSuffix(rr.Header().Name, "."+origin)+" "+dns.TypeToString[rr.Header().Rrtype]+" "+data(rr))
		}
	}
	return all
}

func classes(names string) (all []detect.Class) {
	for name := range strings.FieldsSeq(names) {
		c, err := detect.ParseClass(name)
		if err != nil {
			panic(err)
		}
		all = append(all, c)
	}
	return all
}

// TestCompile has directives, and records that the zone must have and must not.
func TestCompile(t *testing.T) {
	const army = "lookalike ml {\n protect army.mil\n"
	for _, tc := range []struct {
		name       string
		directives string
		options    Options
		want       []string
		never      []string // beginnings
	}{
		{"both owner and wildcard", army + "}", Options{},
			[]string{"army.ml CNAME .", "*.army.ml CNAME .", "*.mil.ml CNAME .", "armymil.ml CNAME .", "arrny.ml CNAME .", "*.arrny.ml CNAME ."},
			[]string{"mil.ml ", "army.mil.ml ", "army-mail.ml ", "armymil-login.ml ", "a-rmy.ml ", "army1.ml ", "army.mil "}},
		{"classes", army + "}", Options{Classes: classes("combosquat"), All: true},
			[]string{"army-mail.ml CNAME ."}, []string{"army.ml", "arrny.ml", "*.mil.ml"}},
		{"what is watched is not blocked", army + " action monitor\n action tld-swap nxdomain\n action tld-kept off\n }", Options{},
			[]string{"army.ml CNAME ."}, []string{"arrny.ml", "*.mil.ml", "armymil.ml"}},
		{"but where all is", army + " action monitor\n action tld-kept off\n }", Options{All: true},
			[]string{"army.ml CNAME .", "arrny.ml CNAME .", "*.mil.ml CNAME ."}, nil},
		{"nodata", army + " action nodata\n }", Options{}, []string{"army.ml CNAME *."}, nil},
		{"drop", army + " action drop\n }", Options{}, []string{"army.ml CNAME rpz-drop."}, nil},
		{"servfail", army + " action servfail\n }", Options{}, []string{"army.ml CNAME rpz-drop."}, nil},
		{"nullmx", army + " action nullmx\n }", Options{}, []string{"army.ml MX 0 .", "*.army.ml MX 0 ."}, []string{"army.ml CNAME"}},
		{"sinkhole", army + " action high sinkhole 192.0.2.25 2001:db8::25\n action tld-kept nxdomain\n }", Options{},
			[]string{"army.ml A 192.0.2.25", "army.ml AAAA 2001:db8::25", "*.army.ml A 192.0.2.25", "armymil.ml CNAME ."}, []string{"army.ml CNAME"}},
		{"an exception", army + " allow arrny.ml mx.partner.ml example.org\n }", Options{},
			[]string{"arrny.ml CNAME rpz-passthru.", "*.arrny.ml CNAME rpz-passthru.", "mx.partner.ml CNAME rpz-passthru."},
			[]string{"arrny.ml CNAME .", "example.org"}},
		{"an exception below a blocked name, and what lies between", army + " allow a.b.c.army.ml d.b.c.army.ml\n }", Options{},
			[]string{"army.ml CNAME .", "*.army.ml CNAME .", "c.army.ml CNAME .", "*.c.army.ml CNAME .", "b.c.army.ml CNAME .", "*.b.c.army.ml CNAME .",
				"a.b.c.army.ml CNAME rpz-passthru.", "*.a.b.c.army.ml CNAME rpz-passthru.", "d.b.c.army.ml CNAME rpz-passthru."},
			[]string{"a.b.c.army.ml CNAME .", "x.army.ml"}},
		{"an exception below a kept TLD", army + " allow partner.mil.ml\n }", Options{},
			[]string{"*.mil.ml CNAME .", "partner.mil.ml CNAME rpz-passthru."}, []string{"mil.ml "}},
		{"a whole TLD", "lookalike ml {\n protect *.mil\n allow partner.ml\n }", Options{},
			[]string{"*.ml CNAME .", "partner.ml CNAME rpz-passthru."}, []string{"ml ", "*.mil.ml"}},
		{"all is allowed", army + " allow *.ml\n }", Options{}, []string{"ml CNAME rpz-passthru."}, []string{"army.ml", "arrny.ml"}},
		{"the first directive decides", army + " action tld-swap nodata\n }\n lookalike ml {\n protect army.mil navy.mil\n }", Options{},
			[]string{"army.ml CNAME *.", "navy.ml CNAME ."}, []string{"army.ml CNAME ."}},
		{"the second does what the first allows", army + " allow army.ml\n }\n lookalike ml {\n protect army.mil\n }", Options{},
			[]string{"army.ml CNAME ."}, []string{"army.ml CNAME rpz"}},
		{"own names below a blocked one pass", "lookalike ml cm {\n protect *.mil mail.example.ml\n }", Options{},
			[]string{"*.ml CNAME .", "mail.example.ml CNAME rpz-passthru.", "example.ml CNAME ."}, []string{"mail.example.ml CNAME ."}},
		{"every TLD", "lookalike * {\n protect example.com\n }", Options{}, nil, []string{"example"}},
		{"of which some are named", "lookalike * {\n protect example.com\n }", Options{TLDs: []string{"cm", "com"}},
			[]string{"example.cm CNAME .", "examlpe.com CNAME ."}, []string{"example.com ", "example.ml"}},
	} {
		z := compile(t, sources(t, tc.directives), tc.options)
		all := records(z, origin)
		for _, want := range tc.want {
			if !slices.Contains(all, want) {
				t.Errorf("%s: no record %q", tc.name, want)
			}
		}
		for _, never := range tc.never {
			if i := slices.IndexFunc(all, func(r string) bool { return strings.HasPrefix(r, never) && !slices.Contains(tc.want, r) }); i >= 0 {
				t.Errorf("%s: record %q", tc.name, all[i])
			}
		}
		wellFormed(t, tc.name, z)
	}
}

// TestExceptions has exceptions with words: those that hold for all are in the
// zone.
func TestExceptions(t *testing.T) {
	for _, tc := range []struct {
		line string
		name string
		want string // what becomes of it
	}{
		{"arrny.ml owner=mail@example.net", "arrny.ml", "rpz-passthru."},
		{"arrny.ml until=2999-12-31", "arrny.ml", "rpz-passthru."},
		{"arrny.ml until=2020-12-31", "arrny.ml", "."},
		{"arrny.ml clients=192.0.2.25", "arrny.ml", "."},
		{"arrny.ml class=typo", "arrny.ml", "."},
		{"arrny.ml class=homoglyph", "arrny.ml", ""}, // passes, without a record
		{"mx.arrny.ml class=homoglyph", "mx.arrny.ml", ""},
	} {
		z := compile(t, sources(t, "lookalike ml {\n protect army.mil\n allow ./allow.txt\n}", tc.line), Options{})
		got := ""
		for _, r := range records(z, origin) {
			if data, ok := strings.CutPrefix(r, tc.name+" CNAME "); ok {
				got += data
			}
		}
		if got != tc.want {
			t.Errorf("%q: %s has %q, want %q", tc.line, tc.name, got, tc.want)
		}
	}
}

// TestAgain compiles for lists that change. It must be the zone of the lists as they
// are, and only other protected names are searched anew.
func TestAgain(t *testing.T) {
	c, last := NewCompiler(Options{}), []*lookalikes(nil)
	indexes := make(map[string]*detect.Index)
	for _, tc := range []struct {
		name       string
		directives string // the same one has the same index
		allow      string
		kept       int
	}{
		{"the first time", "lookalike {\n protect army.mil navy.mil\n allow ./allow.txt\n}\n", "", 0},
		{"the same", "lookalike {\n protect army.mil navy.mil\n allow ./allow.txt\n}\n", "", 1},
		{"another exception", "lookalike {\n protect army.mil navy.mil\n allow ./allow.txt\n}\n", "mx.arrny.ml", 1},
		{"without it", "lookalike {\n protect army.mil navy.mil\n allow ./allow.txt\n}\n", "navy.ml", 1},
		{"another protected name", "lookalike {\n protect army.mil navy.mil disa.mil\n allow ./allow.txt\n}\n", "navy.ml", 0},
		{"another TLD", "lookalike ml cm {\n protect army.mil navy.mil disa.mil\n allow ./allow.txt\n}\n", "navy.ml", 0},
		{"a second directive", "lookalike ml cm {\n protect army.mil navy.mil disa.mil\n allow ./allow.txt\n}\n" +
			"lookalike {\n protect army.mil amry.mil\n action medium nodata\n}\n", "navy.ml", 1},
		{"with another exception", "lookalike ml cm {\n protect army.mil navy.mil disa.mil\n allow ./allow.txt\n}\n" +
			"lookalike {\n protect army.mil amry.mil\n action medium nodata\n}\n", "navy.ml arrny.ml", 2},
	} {
		s := sources(t, tc.directives, strings.Fields(tc.allow)...)
		for i := range s {
			directive := strings.SplitAfter(tc.directives, "}\n")[i]
			if indexes[directive] != nil {
				s[i].Index = indexes[directive]
			}
			indexes[directive] = s[i].Index
		}
		z, err := c.Compile(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if want := compile(t, s, Options{}); !z.Equal(want) || z.Passed != want.Passed {
			t.Errorf("%s: %v, want %v", tc.name, z, want)
		}
		kept := 0
		for i, l := range c.kept {
			if i < len(last) && l == last[i] {
				kept++
			}
		}
		if kept != tc.kept {
			t.Errorf("%s: the lookalikes of %d directives are kept, want %d", tc.name, kept, tc.kept)
		}
		last = c.kept
	}
}

// wellFormed checks what holds for all zones: names are sorted, stand there once,
// and below a blocked name is nothing but exceptions, and what leads to them.
func wellFormed(t *testing.T, what string, z *Zone) {
	t.Helper()
	passing := make(map[string]bool) // names above an exception
	for _, e := range z.entries {
		if name := z.name(e); e.policy == passes {
			for rest := name; rest != ""; _, rest, _ = strings.Cut(rest, ".") {
				passing[rest] = true
			}
		}
	}
	covered := make(map[string]bool)
	for i, e := range z.entries {
		name := z.name(e)
		if i > 0 && compareNames(z.name(z.entries[i-1]), name) >= 0 {
			t.Errorf("%s: %s does not come behind %s", what, name, z.name(z.entries[i-1]))
		}
		for _, rest, _ := strings.Cut(name, "."); rest != ""; _, rest, _ = strings.Cut(rest, ".") {
			if covered[rest] && !passing[name] {
				t.Errorf("%s: %s stands below %s", what, name, rest)
			}
		}
		covered[name] = e.policy != passes
	}
}

// TestEachIsBlocked asks the detector for every owner of the zone of the built-in
// list, and for a name below it.
func TestEachIsBlocked(t *testing.T) {
	s := sources(t, "lookalike")
	z := compile(t, s, Options{})
	for _, e := range z.entries {
		for _, name := range []string{z.name(e), "mx." + z.name(e)} {
			if e.wild && name == z.name(e) {
				continue
			}
			if b, ok := s[0].Index.Brief(name); !ok || b.Confidence != detect.High {
				t.Fatalf("%s is in the zone, the detector has %+v", name, b)
			}
		}
	}
	if z.Passed == 0 || len(z.entries) < 10_000 {
		t.Errorf("%v, %d pass", z, z.Passed)
	}
}

// TestTooLong leaves out what is too long with the name of the zone.
func TestTooLong(t *testing.T) {
	z := compile(t, sources(t, "lookalike ml {\n protect army.mil\n}"), Options{})
	long := strings.Repeat(strings.Repeat("a", 60)+".", 4) // 244 characters with the dots
	for _, tc := range []struct {
		origin string
		want   bool
	}{
		{long, true}, // with *.army.ml. before it 253 characters, and the last dot
		{"a" + long, false},
	} {
		got := slices.Contains(records(z, tc.origin), "army.ml CNAME .")
		if got != tc.want {
			t.Errorf("army.ml below a zone of %d characters: %v, want %v", len(tc.origin), got, tc.want)
		}
		for rrs := range z.Records(tc.origin) {
			for _, rr := range rrs {
				if _, ok := dns.IsDomainName(rr.Header().Name); !ok || len(rr.Header().Name) > maxOwner+1 {
					t.Fatalf("%s is no name", rr.Header().Name)
				}
			}
		}
	}
}

// TestDiff changes a list and applies the difference.
func TestDiff(t *testing.T) {
	zones := []*Zone{
		compile(t, sources(t, "lookalike ml {\n protect army.mil\n}"), Options{}),
		compile(t, sources(t, "lookalike ml {\n protect army.mil navy.mil\n allow arrny.ml\n}"), Options{}),
		compile(t, sources(t, "lookalike ml {\n protect navy.mil\n action nodata\n}"), Options{}),
		compile(t, nil, Options{}),
	}
	for i, from := range zones {
		for j, to := range zones {
			have := make(map[string]bool)
			for _, r := range records(from, origin) {
				have[r] = true
			}
			for rrs := range from.Minus(to).Records(origin) {
				for _, rr := range rrs {
					delete(have, strings.TrimSuffix(rr.Header().Name, "."+origin)+" "+dns.TypeToString[rr.Header().Rrtype]+" "+data(rr))
				}
			}
			for rrs := range to.Minus(from).Records(origin) {
				for _, rr := range rrs {
					have[strings.TrimSuffix(rr.Header().Name, "."+origin)+" "+dns.TypeToString[rr.Header().Rrtype]+" "+data(rr)] = true
				}
			}
			want := records(to, origin)
			if len(have) != len(want) {
				t.Errorf("%d to %d: %d records, want %d", i, j, len(have), len(want))
			}
			for _, r := range want {
				if !have[r] {
					t.Errorf("%d to %d: no %q", i, j, r)
				}
			}
			if from.Equal(to) != (i == j) || (from.Minus(to).Names()+to.Minus(from).Names() == 0) != (i == j) {
				t.Errorf("%d and %d: equal %v, %d differ", i, j, from.Equal(to), from.Minus(to).Names())
			}
		}
	}
}

// TestWrite reads a file back with a parser of zones, which finds the records of
// the zone and the serial.
func TestWrite(t *testing.T) {
	const directives = "lookalike ml {\n protect army.mil\n allow arrny.ml\n action high sinkhole 192.0.2.25\n }\n lookalike * {\n protect example.com\n }"
	z := compile(t, sources(t, directives), Options{})
	var b strings.Builder
	about := About{Writer: "lookalike 1", Time: time.Unix(1795644000, 0)}
	if err := z.Write(&b, origin, 1795644000, about); err != nil {
		t.Fatal(err)
	}
	var got []string
	parser := dns.NewZoneParser(strings.NewReader(b.String()), "", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		if rr.Header().Ttl != TTL {
			t.Fatalf("TTL: %v", rr)
		}
		if name, below := strings.CutSuffix(rr.Header().Name, "."+origin); below {
			got = append(got, name+" "+dns.TypeToString[rr.Header().Rrtype]+" "+data(rr))
		}
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	if want := records(z, origin); !slices.Equal(got, want) {
		t.Errorf("%d records, want %d", len(got), len(want))
	}
	if serial, err := ReadSerial(strings.NewReader(b.String())); err != nil || serial != 1795644000 {
		t.Errorf("Serial %d, %v", serial, err)
	}
	for _, want := range []string{
		"; Response policy zone rpz.example.org., written by lookalike 1 on 2026-11-25T22:00:00Z\n",
		"; Not included:\n", "embedding and double-typo", "split, edit and combosquat", "whose action is monitor or off", "lookalike *", "clients",
		"@\tIN\tSOA\tlocalhost. hostmaster.localhost. 1795644000 60 30 604800 60\n@\tIN\tNS\tlocalhost.\n",
		"\narmy.ml\tA\t192.0.2.25\t; tld-swap\n*.army.ml\tA\t192.0.2.25\t; tld-swap\n", "\narrny.ml\tCNAME\trpz-passthru.\t; exception\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("The file has no %q:\n%.2500s", want, b.String())
		}
	}
}

// TestTooMany gives up where the names are more than allowed, or the time is over.
func TestTooMany(t *testing.T) {
	s := sources(t, "lookalike ml {\n protect army.mil navy.mil\n}")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tc := range []struct {
		name string
		ctx  context.Context
		max  int
		want string
	}{
		{"enough room", t.Context(), 10_000, ""},
		{"no room", t.Context(), 20, "more than 20 names to list: name fewer classes, or protect fewer names"},
		{"the server ends", ended, 10_000, "context canceled"},
	} {
		_, err := Compile(tc.ctx, s, Options{Max: tc.max})
		if (err == nil) != (tc.want == "") || err != nil && err.Error() != tc.want {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

func TestNextSerial(t *testing.T) {
	now := time.Unix(1795644000, 0)
	for _, tc := range []struct {
		name       string
		last, want uint32
	}{
		{"the first", 0, 1795644000},
		{"a day later", 1795644000 - 86400, 1795644000},
		{"in the same second", 1795644000, 1795644001},
		{"the clock was set back", 1795644000 + 3600, 1795644000 + 3601},
		{"a serial of another kind", 2026112501, 2026112502},
		{"at the end of the numbers", 1<<32 - 1, 1795644000},
	} {
		if got := NextSerial(tc.last, now); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}

func FuzzReadSerial(f *testing.F) {
	for _, text := range []string{"", "; a comment\n$ORIGIN rpz.example.org.\n$TTL 60\n@\tIN\tSOA\tlocalhost. hostmaster.localhost. 7 60 30 604800 60\n",
		"@ IN NS localhost.\n", "$INCLUDE /etc/passwd\n", "@ IN SOA . . 4294967296 1 1 1 1\n", "$GENERATE 1-9999999 a$ A 192.0.2.1\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		serial, err := ReadSerial(strings.NewReader(text))
		if err != nil {
			return
		}
		z := new(Zone)
		var b strings.Builder
		if err := z.Write(&b, origin, serial, About{}); err != nil {
			t.Fatal(err)
		}
		if again, err := ReadSerial(strings.NewReader(b.String())); err != nil || again != serial {
			t.Errorf("Serial %d, then %d, %v", serial, again, err)
		}
	})
}

// BenchmarkCompile makes the zone of the built-in list, and says how much room it
// takes.
func BenchmarkCompile(b *testing.B) {
	s := sources(b, "lookalike")
	b.ReportAllocs()
	var z *Zone
	for b.Loop() {
		z = compile(b, s, Options{})
	}
	b.ReportMetric(float64(cap(z.text)+cap(z.entries)*int(unsafe.Sizeof(entry{}))), "resting-B")
	b.ReportMetric(float64(len(z.entries)), "names")
}

// BenchmarkChange makes that zone again with another exception, and finds out what
// has changed.
func BenchmarkChange(b *testing.B) {
	before, after := sources(b, "lookalike"), sources(b, "lookalike {\n allow army.ml\n }")
	after[0].Index = before[0].Index
	c := NewCompiler(Options{})
	old, err := c.Compile(b.Context(), before)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		z, err := c.Compile(b.Context(), after)
		if err != nil {
			b.Fatal(err)
		}
		if old.Equal(z) || z.Minus(old).Names() != 1 || old.Minus(z).Names() != 1 {
			b.Fatalf("%v, then %v", old, z)
		}
		old, before, after = z, after, before
	}
}
