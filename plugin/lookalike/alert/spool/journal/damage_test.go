package journal

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/test/proof"
)

// image is the disk of a journal that was closed or killed, and what was written.
type image struct {
	disk *simDisk
	*writer
}

// newImage makes a journal whose records no one has had yet but the first ones: the
// state has a position from which on they are still needed.
func newImage(tb testing.TB, seed uint64, commits int) image {
	tb.Helper()
	d := newSim(seed)
	w := newWriter(tb, d, rand.New(rand.NewPCG(seed, 6)))
	for range commits {
		if err := w.step(); err != nil {
			tb.Fatal(err)
		}
	}
	return image{d, w}
}

// damaged opens a damaged copy of the image, and holds that what can be read is what
// was written, that nothing is missing without being known to be, and that no position
// is used again whose record may have been read. Where both the mark and the state
// are damaged, the end may be cut off and nothing tells.
func (im image) damaged(tb testing.TB, damage func(d *simDisk)) {
	tb.Helper()
	d := im.disk.copied()
	damage(d)
	changed := func(kind string) bool {
		for name, f := range im.disk.files {
			if strings.HasPrefix(name, kind) && (d.files[name] == nil || !bytes.Equal(d.files[name].content, f.content)) {
				return true
			}
		}
		return false
	}
	careless := changed(markFile) && changed("state-")
	j, found, err := open(d, testLimit)
	if err != nil {
		tb.Fatal(err)
	}
	if j.End() < im.acked && !careless {
		tb.Errorf("Got an end at %d, want %d at least: what is behind is lost in silence", j.End(), im.acked)
	}
	if j.End() > im.acked {
		tb.Errorf("Got an end at %d, want %d at most", j.End(), im.acked)
	}
	read := uint64(0)
	for at := uint64(1); at < max(j.End(), im.acked); at++ {
		r, err := j.Record(at)
		if err != nil {
			tb.Fatal(err)
		}
		wrote := im.records[at]
		if r == nil {
			continue
		}
		read++
		if at >= im.kept && string(r) != wrote[len(wrote)-1] || !slices.Contains(wrote, string(r)) {
			tb.Errorf("Got record %.20s at %d, want %.20s", r, at, wrote)
		}
	}
	whole := 0
	for name, f := range d.files {
		if strings.HasPrefix(name, "records-") {
			whole += intact(name, f.content)
		}
	}
	if int(read) < whole && !careless {
		tb.Errorf("Got %d records, %d are intact", read, whole)
	}
	im.checkState(tb, j, found, changed("state-"))
	w := &writer{Journal: j, rand: im.rand, records: maps.Clone(im.records), acked: j.End(), lost: im.lost, kept: im.kept, next: im.next, wrote: im.wrote, states: []map[string]string{{}}}
	for range 3 { // it goes on
		if err := w.step(); err != nil {
			tb.Fatal(err)
		}
	}
}

// checkState holds that each value is one that was written, the last one where the
// state is not damaged.
func (im image) checkState(tb testing.TB, j *Journal, found Found, changed bool) {
	tb.Helper()
	for _, key := range j.Keys() {
		value, err := j.Value(key)
		if err != nil {
			tb.Fatal(err)
		}
		if !im.wrote[key][string(value)] {
			tb.Errorf("Got %s as the value of %s, which was never written", value, key)
		}
		if last := im.states[0][key]; !found.Doubt && !changed && string(value) != last {
			tb.Errorf("Got %.20s as the value of %s, want %.20s", value, key, last)
		}
	}
}

// intact counts the different records in a file.
func intact(name string, content []byte) int {
	keys := make(map[string]bool)
	for line := range bytes.Lines(content) {
		if line, ended := bytes.CutSuffix(line, []byte("\n")); ended {
			if key, _, ok := parseLine(line, seedOf(name)); ok {
				keys[key] = true
			}
		}
	}
	return len(keys)
}

// pick returns a file of a kind, none of which is empty.
func (d *simDisk) pick(r *rand.Rand, kind string) (string, *simFile) {
	var names []string
	for name, f := range d.files {
		if strings.HasPrefix(name, kind) && len(f.content) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	name := names[r.IntN(len(names))]
	return name, d.files[name]
}

// damages are what may happen to one file.
var damages = map[string]func(r *rand.Rand, f *simFile){
	"1 to 8 bits flipped": func(r *rand.Rand, f *simFile) {
		for range 1 + r.IntN(8) {
			f.content[r.IntN(len(f.content))] ^= 1 << r.IntN(8)
		}
	},
	"bits flipped in a page's head": func(r *rand.Rand, f *simFile) {
		page := f.content[r.IntN(len(f.content)/pageSize+1)*pageSize:]
		for range 1 + r.IntN(8) {
			if n := min(64, len(page)); n > 0 {
				page[r.IntN(n)] ^= 1 << r.IntN(8)
			}
		}
	},
	"a page zeroed": func(r *rand.Rand, f *simFile) {
		page := f.content[r.IntN(len(f.content)/pageSize+1)*pageSize:]
		clear(page[:min(pageSize, len(page))])
	},
	"truncated": func(r *rand.Rand, f *simFile) { f.content = f.content[:r.IntN(len(f.content))] },
	"zeros":     func(_ *rand.Rand, f *simFile) { clear(f.content) },
	"a page of another place": func(r *rand.Rand, f *simFile) {
		n := len(f.content)/pageSize + 1
		copy(f.content[r.IntN(n)*pageSize:], bytes.Clone(f.content[r.IntN(n)*pageSize:][:min(pageSize, len(f.content)%pageSize)]))
	},
}

// TestDamage damages one file in a random way: never does the journal crash, hang,
// lose in silence or reuse a number, and what is intact is read.
func TestDamage(t *testing.T) {
	const images = 4
	for i := range uint64(images) {
		im := newImage(t, i, 40+int(i)*60)
		for n := range proof.N(8, 400) / images {
			for name, damage := range damages {
				for _, kind := range []string{"records-", "state-", "last"} {
					r := rand.New(rand.NewPCG(uint64(n), i))
					im.damaged(t, func(d *simDisk) {
						_, f := d.pick(r, kind)
						damage(r, f)
					})
					if t.Failed() {
						t.Fatalf("with %s in %s, image %d, case %d", name, kind, i, n)
					}
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(im.disk.files)) {
			im.damaged(t, func(d *simDisk) { delete(d.files, name) })
			if t.Failed() {
				t.Fatalf("without %s, image %d", name, i)
			}
		}
	}
}

// TestDamageCost holds what a damaged record costs: itself, and nothing else.
func TestDamageCost(t *testing.T) {
	im := newImage(t, 9, 60)
	for name, f := range im.disk.files {
		if !strings.HasPrefix(name, "records-") {
			continue
		}
		before := intact(name, f.content)
		for at := range f.content {
			content := bytes.Clone(f.content)
			content[at] ^= 1
			most := 1
			if f.content[at] == '\n' && at < len(content)-1 {
				most = 2 // the lines on both sides
			}
			if lost := before - intact(name, content); lost > most {
				t.Fatalf("Got %d records lost by one bit at %d of %s", lost, at, name)
			}
		}
		break
	}
}

// FuzzLog damages a journal's files as the fuzzer likes: bits flipped, pieces cut
// out, put in, copied over or zeroed, files gone. What is read must have been
// written there.
func FuzzLog(f *testing.F) {
	images := []image{newImage(f, 1, 10), newImage(f, 2, 80), newImage(f, 3, 1)}
	f.Add([]byte{0})
	f.Add([]byte("\x01flip"))
	f.Add([]byte{1, 0, 3, 10, 1, 20})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 || len(data) > 400 {
			return
		}
		im := images[int(data[0])%len(images)]
		im.damaged(t, func(d *simDisk) { damageBy(d, data[1:]) })
	})
}

// damageBy damages a disk in the way that data says, six bytes a time.
func damageBy(d *simDisk, data []byte) {
	names := slices.Sorted(maps.Keys(d.files))
	for ; len(data) >= 6 && len(names) > 0; data = data[6:] {
		f, other := d.files[names[int(data[1])%len(names)]], d.files[names[int(data[4])%len(names)]]
		if f == nil || other == nil || len(f.content) == 0 || len(other.content) == 0 {
			continue
		}
		at := (int(data[2])<<8 | int(data[3])) % len(f.content)
		from := int(data[5]) * 37 % len(other.content)
		n := min(1+int(data[4])*8, len(f.content)-at, len(other.content)-from)
		piece := bytes.Clone(other.content[from : from+n])
		switch data[0] % 7 {
		case 0:
			f.content[at] ^= 1 << (data[4] % 8)
		case 1:
			f.content = f.content[:at]
		case 2:
			f.content = slices.Delete(f.content, at, at+n)
		case 3:
			f.content = slices.Insert(f.content, at, piece...)
		case 4:
			copy(f.content[at:], piece)
		case 5:
			clear(f.content[at : at+n])
		case 6:
			delete(d.files, names[int(data[1])%len(names)])
		}
	}
}

// TestLines holds what a line is.
func TestLines(t *testing.T) {
	const name = "records-0000000000000007.jsonl"
	line := string(appendLine(nil, seedOf(name), "1041", []byte(`{"Sequence":1041}`)))
	if want := ` 1041 {"Sequence":1041}` + "\n"; len(line) != sumDigits+len(want) || line[sumDigits:] != want {
		t.Fatalf("Got line %q", line)
	}
	tests := []struct{ name, file, line string }{
		{"in another file", "records-0000000000000008.jsonl", line},
		{"in another log", "state-0000000000000007.jsonl", line},
		{"with another key", name, strings.Replace(line, " 1041", " 1042", 1)},
		{"with another value", name, strings.Replace(line, ":1041}", ":1040}", 1)},
		{"cut off", name, line[:len(line)-2]},
		{"without a checksum", name, line[sumDigits+1:]},
		{"with half a checksum", name, line[4:]},
		{"with another checksum", name, "00000000" + line[sumDigits:]},
		{"empty", name, ""},
		{"zeros", name, strings.Repeat("\x00", 30)},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if key, value, ok := parseLine([]byte(strings.TrimSuffix(tc.line, "\n")), seedOf(tc.file)); ok {
				t.Errorf("Got key %s and value %s", key, value)
			}
		})
	}
	if key, value, ok := parseLine([]byte(strings.TrimSuffix(line, "\n")), seedOf(name)); !ok || key != "1041" || string(value) != `{"Sequence":1041}` {
		t.Errorf("Got key %s and value %s, %v", key, value, ok)
	}
}
