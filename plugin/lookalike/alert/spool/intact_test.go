package spool

import (
	"bytes"
	"errors"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record/recordtest"
)

// image is a spool's file in memory, to be damaged.
type image struct {
	testing.TB
	b []byte
	*meta
}

// smallPage makes files small.
const smallPage = 1024

// newImage makes a file with a bucket in a tree, one in a page, one in a value
// and one that is empty. Those of the spool are used, since their names do not
// matter here.
func newImage(tb testing.TB) *image {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), spoolFile)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: smallPage})
	if err != nil {
		tb.Fatal(err)
	}
	if err := db.Update(func(tx *bbolt.Tx) error {
		for name, n := range map[string]int{"cursors": 0, "groups": 7, "meta": 2, "records": 30} {
			b, err := tx.CreateBucket([]byte(name))
			if err != nil {
				return err
			}
			for i := range n {
				if err := b.Put(position(uint64(i+1)), bytes.Repeat([]byte("v"), 50+i)); err != nil {
					return err
				}
			}
		}
		return tx.Bucket([]byte("records")).Put(position(1000), bytes.Repeat([]byte("long"), 500))
	}); err != nil {
		tb.Fatal(err)
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	im := &image{TB: tb, b: b}
	if im.meta, err = newestMeta(bytes.NewReader(b)); err != nil {
		tb.Fatal(err)
	}
	im.b = im.b[:im.pages*smallPage]
	return im
}

func put16(b []byte, n uint16) { order.PutUint16(b, n) }
func put32(b []byte, n uint32) { order.PutUint32(b, n) }
func put64(b []byte, n uint64) { order.PutUint64(b, n) }

// page is a page and what follows in the file.
func (im *image) page(id uint64) []byte { return im.b[id*im.pageSize:] }

// bucket is the value of a bucket.
func (im *image) bucket(name string) []byte {
	im.Helper()
	p := newPage("root", im.page(im.root)[:im.pageSize], im.pageSize)
	for i := range p.count {
		e, err := p.element(i)
		if err != nil {
			im.Fatal(err)
		}
		if string(e.key) == name {
			return p.start[e.value : e.value+e.size]
		}
	}
	im.Fatalf("Got no bucket %s", name)
	return nil
}

// tree is the branch at the top of the records.
func (im *image) tree() []byte { return im.page(order.Uint64(im.bucket("records"))) }

// leaf is the page of the groups.
func (im *image) leaf() []byte { return im.page(order.Uint64(im.bucket("groups"))) }

// free is the page of the free list.
func (im *image) free() []byte { return im.page(im.freeList) }

// elementAt is the place of an element in a page.
func elementAt(page []byte, i int) []byte { return page[headerSize+i*elementSize:] }

// child is the id of the page below an element of a branch.
func child(page []byte, i int) uint64 { return order.Uint64(elementAt(page, i)[8:]) }

// reseal puts the checksums right, where a meta page may be.
func reseal(b []byte, pageSize int) {
	for _, page := range []int{0, pageSize} {
		if m := b[min(page+headerSize, len(b)):]; len(m) >= metaSize {
			sum := fnv.New64a()
			_, _ = sum.Write(m[:metaSize-8])
			put64(m[metaSize-8:], sum.Sum64())
		}
	}
}

// inMeta changes the meta that is in force.
func (im *image) inMeta(offset int, n uint64) {
	for _, m := range [][]byte{im.b[headerSize:], im.b[smallPage+headerSize:]} {
		if order.Uint64(m[48:]) == im.transaction {
			put64(m[offset:], n)
		}
	}
	reseal(im.b, smallPage)
}

// chain puts branches above each other. Below each one is a leaf, too.
func (im *image) chain(n uint64) {
	first := im.pages
	put64(im.bucket("groups"), first)
	im.inMeta(40, first+2*n+1)
	for i := range n {
		key := string([]byte{0xff - byte(i)})
		im.add(branchPage, "\x00"+key, first+2*i+2, first+2*i+1)
		im.add(leafPage, key, 0)
	}
	im.add(leafPage, "\x00", 0)
}

// add adds a page with elements that have keys of one byte, and no values.
func (im *image) add(flags uint16, keys string, children ...uint64) {
	page := make([]byte, smallPage)
	put64(page, im.pages)
	put16(page[8:], flags)
	put16(page[10:], uint16(len(children)))
	for i, id := range children {
		e := elementAt(page, i)
		if put64(e[8:], id); flags == leafPage {
			e = e[4:]
		}
		put32(e, uint32((len(children)-i)*elementSize+i))
		put32(e[4:], 1)
	}
	copy(elementAt(page, len(children)), keys)
	im.b = append(im.b, page...)
	im.pages++
}

// damages are what may have become of a file.
var damages = []struct {
	name   string
	damage func(*image)
	want   string // part of the error; empty: none
}{
	{"nothing", func(*image) {}, ""},
	{"the older meta page", func(im *image) { im.b[smallPage+headerSize]++ }, ""},
	{"a file that has grown", func(im *image) { im.b = append(im.b, make([]byte, 10*smallPage)...) }, ""},
	{"no free list", func(im *image) { im.inMeta(32, noFreeList) }, ""},
	{"a free list that says its count itself", func(im *image) {
		f := im.free()
		n := order.Uint16(f[10:])
		copy(f[headerSize+idSize:headerSize+2*idSize+int(n)*idSize], f[headerSize:])
		put64(f[headerSize:], uint64(n))
		put16(f[10:], 0xffff)
	}, ""},

	{"the start only", func(im *image) { im.b = im.b[:3000] }, "it has 3000 bytes only"},
	{"the end missing", func(im *image) { im.b = im.b[:(im.pages-1)*smallPage] }, "pages of 1024"},
	{"both checksums", func(im *image) { im.b[headerSize+60]++; im.b[smallPage+headerSize+60]++ }, "neither meta page is good"},
	{"both versions", func(im *image) {
		put32(im.b[headerSize+4:], 3)
		put32(im.b[smallPage+headerSize+4:], 3)
		reseal(im.b, smallPage)
	}, "neither meta page is good"},
	{"odd pages", func(im *image) { put32(im.b[headerSize+8:], 1000); reseal(im.b, smallPage) }, "its pages have 1000 bytes"},
	{"no pages", func(im *image) { put32(im.b[headerSize+8:], 0); reseal(im.b, smallPage) }, "its pages have 0 bytes"},
	{"pages of two sizes", func(im *image) { put32(im.b[smallPage+headerSize+8:], 2048); reseal(im.b, smallPage) }, "says that pages have 2048 bytes"},
	{"few pages", func(im *image) { im.inMeta(40, 1) }, "page 1 is beyond the last, which is 0"},
	{"many pages", func(im *image) { im.inMeta(40, 1<<60) }, "and should have 1152921504606846976 pages"},

	{"the root beyond the file", func(im *image) { im.inMeta(16, 5000) }, "page 5000 is beyond the last"},
	{"the root far beyond the file", func(im *image) { im.inMeta(16, 1<<63) }, "page 9223372036854775808 is beyond the last"},
	{"the root in the meta page", func(im *image) { im.inMeta(16, 1) }, "page 1 is used twice"},
	{"the root in a free list", func(im *image) { im.inMeta(16, im.freeList) }, "is no leaf and no branch (0x10)"},
	{"the root in a leaf of records", func(im *image) { im.inMeta(16, child(im.tree(), 0)) }, "has the flags 0x0 and 50 bytes"},
	{"another id", func(im *image) { put64(im.leaf(), 99) }, "has the id 99"},
	{"other flags", func(im *image) { put16(im.leaf()[8:], 3) }, "is no leaf and no branch (0x3)"},
	{"a leaf as branch", func(im *image) { put16(im.leaf()[8:], branchPage) }, "element 0 has a key of"},
	{"a branch as leaf", func(im *image) { put16(im.tree()[8:], leafPage) }, "element 0 has a key of"},
	{"overflow beyond the file", func(im *image) { put32(im.leaf()[12:], 5000) }, "is beyond the last"},
	{"all overflow", func(im *image) { put32(im.leaf()[12:], 1<<32-1) }, "is beyond the last"},
	{"overflow into other pages", func(im *image) { put32(im.page(child(im.tree(), 0))[12:], 2) }, "is used twice"},
	{"overflow missing", func(im *image) {
		page := im.tree()
		last := im.page(child(page, int(order.Uint16(page[10:]))-1))
		put32(last[12:], 0)
	}, "ends at"},

	{"an empty branch", func(im *image) { put16(im.tree()[10:], 0) }, "is a branch with 0 pages below"},
	{"a branch with one page", func(im *image) { put16(im.tree()[10:], 1) }, "is a branch with 1 pages below"},
	{"an empty leaf", func(im *image) { put16(im.page(child(im.tree(), 1))[10:], 0) }, "is empty"},
	{"more elements", func(im *image) { p := im.leaf(); put16(p[10:], order.Uint16(p[10:])+1) }, "element 0 has a key of 8 bytes at"},
	{"all elements", func(im *image) { put16(im.leaf()[10:], 0xffff) }, "element 0 has a key of"},
	{"a branch below itself", func(im *image) { p := im.tree(); put64(elementAt(p, 0)[8:], order.Uint64(p)) }, "is used twice"},
	{"a page below two elements", func(im *image) { p := im.tree(); put64(elementAt(p, 1)[8:], child(p, 0)) }, "is used twice"},
	{"a page of two buckets", func(im *image) { copy(im.bucket("groups")[:8], im.bucket("records")[:8]) }, "is used twice"},
	{"a free page below an element", func(im *image) { put64(elementAt(im.tree(), 0)[8:], order.Uint64(im.free()[headerSize:])) }, "is"},
	{"leaves at two depths", func(im *image) { im.chain(2) }, "has 2 pages above it, other leaves 3"},
	{"branches above each other", func(im *image) { im.chain(100) }, "has 64 pages above it"},

	{"no key", func(im *image) { put32(elementAt(im.leaf(), 1)[8:], 0) }, "element 1 has a key of 0 bytes"},
	{"a long key", func(im *image) { put32(elementAt(im.leaf(), 1)[8:], 40_000) }, "element 1 has a key of 40000 bytes"},
	{"a key beyond its page", func(im *image) { put32(elementAt(im.leaf(), 6)[8:], 30_000) }, "and should have some at"},
	{"a key far beyond its page", func(im *image) { put32(elementAt(im.leaf(), 6)[4:], 1<<32-1) }, "and should have some at 4294967"},
	{"a key in the elements", func(im *image) { put32(elementAt(im.leaf(), 0)[4:], 0) }, "element 0 has a key of 8 bytes at 16, after"},
	{"a key in the value before", func(im *image) { p := elementAt(im.leaf(), 1); put32(p[4:], order.Uint32(p[4:])-1) }, "element 1 has a key of"},
	{"a key in a branch in the elements", func(im *image) { put32(elementAt(im.tree(), 0), 3) }, "element 0 has a key of 8 bytes at 19"},
	{"a value in the next key", func(im *image) { p := elementAt(im.leaf(), 1); put32(p[12:], order.Uint32(p[12:])+1) }, "element 2 has a key of"},
	{"a value beyond its page", func(im *image) { put32(elementAt(im.leaf(), 6)[12:], 1000) }, "and element 6 of it ends at"},
	{"a value far beyond its page", func(im *image) { put32(elementAt(im.leaf(), 6)[12:], 1<<32-1) }, "and element 6 of it ends at 42949"},
	{"keys out of order", func(im *image) { p := im.leaf(); copy(pair(p, 2), pair(p, 0)[:8]) }, "the key of element 2 is out of order"},
	{"a key twice", func(im *image) { p := im.leaf(); copy(pair(p, 2), pair(p, 1)[:8]) }, "the key of element 2 is out of order"},
	{"a key that is not its branch's", func(im *image) { put32(elementAt(im.tree(), 0)[4:], 7) }, "the key of element 0 is out of order"},
	{"a key below its branch's", func(im *image) { clear(pair(im.page(child(im.tree(), 1)), 0)[:8]) }, "the key of element 0 is out of order"},
	{"a key of the next page", func(im *image) {
		p := im.page(child(im.tree(), 0))
		pair(p, int(order.Uint16(p[10:]))-1)[0] = 1
	}, "is out of order"},

	{"a bucket as record", func(im *image) { put32(elementAt(im.leaf(), 3), bucketFlag) }, "element 3 has the flags 0x1"},
	{"a record as bucket", func(im *image) { put32(elementAt(im.page(im.root), 3), 0) }, `bucket "records" has the flags 0x0 and 16 bytes`},
	{"a bucket cut off", func(im *image) { put32(elementAt(im.page(im.root), 3)[12:], 15) }, `bucket "records" has the flags 0x1 and 15 bytes`},
	{"a bucket without page", func(im *image) { put64(im.bucket("records"), 0) }, `bucket "records" has 16 bytes`},
	{"a bucket in its value, flags", func(im *image) { put16(im.bucket("meta")[bucketSize+8:], branchPage) }, `bucket "meta" has the flags 0x1 and the id 0`},
	{"a bucket in its value, id", func(im *image) { put64(im.bucket("meta")[bucketSize:], 5) }, `bucket "meta" has the flags 0x2 and the id 5`},
	{"a bucket in its value, elements", func(im *image) { put16(im.bucket("meta")[bucketSize+10:], 200) }, `bucket "meta": element 0 has a key of 8 bytes`},
	{"a bucket in its value, one element", func(im *image) { put16(im.bucket("cursors")[bucketSize+10:], 1) }, `bucket "cursors" has 16 bytes, and should have some at 32`},
	{"a bucket in its value, a value", func(im *image) { put32(elementAt(im.bucket("meta")[bucketSize:], 1)[12:], 500) }, `and element 1 of it ends at`},

	{"the free list beyond the file", func(im *image) { im.inMeta(32, 5000) }, "page 5000 is beyond the last"},
	{"the free list in the meta page", func(im *image) { im.inMeta(32, 0) }, "page 0 is used twice"},
	{"the free list in the tree", func(im *image) { im.inMeta(32, im.root) }, "is used twice"},
	{"the flags of the free list", func(im *image) { put16(im.free()[8:], leafPage) }, "is no free list (0x2)"},
	{"the count of the free list", func(im *image) { put16(im.free()[10:], 3) }, "page 0 is used twice"},
	{"a free list beyond its page", func(im *image) {
		put16(im.free()[10:], 0xffff)
		put64(im.free()[headerSize:], 1<<62)
	}, "is"},
	{"a free page beyond the file", func(im *image) { put64(im.free()[headerSize:], 5000) }, "page 5000 is beyond the last"},
	{"a free page in use", func(im *image) { put64(im.free()[headerSize:], im.root) }, "is used twice"},
	{"a free page twice", func(im *image) { copy(im.free()[headerSize+idSize:][:8], im.free()[headerSize:]) }, "is used twice"},
}

func TestIntact(t *testing.T) {
	for _, tc := range damages {
		t.Run(tc.name, func(t *testing.T) {
			im := newImage(t)
			tc.damage(im)
			err := intact(bytes.NewReader(im.b), uint64(len(im.b)))
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("Got error %v, want none", err)
			case tc.want != "" && (!errors.Is(err, errCorrupt) || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("Got error %v, want one with %q", err, tc.want)
			case tc.want == "":
				followed(t, im.b)
			}
		})
	}
}

// pair is the key and value of an element of a leaf.
func pair(page []byte, i int) []byte {
	e := elementAt(page, i)
	return page[headerSize+i*elementSize+int(order.Uint32(e[4:])):]
}

// followed lets bbolt do all that it does with a spool in a file that is intact,
// and fails the test if that is no longer so, or never was: nothing recovers.
func followed(t *testing.T, b []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), spoolFile)
	m, err := newestMeta(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	for id := range uint64(2) { // only Check looks at these headers
		put64(b[id*m.pageSize:], id)
		put16(b[id*m.pageSize+8:], 0x04)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := examine(path); err != nil {
		t.Fatalf("Got error %v of a file that is intact", err)
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true, NoGrowSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		t.Fatalf("Got error %v of a file that is intact", err)
	}
	defer db.Close()
	check := func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			if !strings.HasSuffix(err.Error(), "unreachable unfreed") { // lost and harmless
				t.Error(err)
			}
		}
		return nil
	}
	if err := db.View(check); err != nil {
		t.Error(err)
	}
	for _, change := range []func(*bbolt.Bucket) error{thinOut, fillUp, empty} {
		if err := db.Update(func(tx *bbolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return change(b) })
		}); err != nil {
			t.Error(err)
		}
	}
	if err := db.View(check); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if err := examine(path); err != nil {
		t.Errorf("Got error %v of a file that was intact, and was written to", err)
	}
}

// thinOut deletes some of what is in a bucket.
func thinOut(b *bbolt.Bucket) error {
	var keys [][]byte
	if err := b.ForEach(func(k, v []byte) error {
		if (len(k)+len(v)+int(k[len(k)-1]))%3 > 0 {
			keys = append(keys, bytes.Clone(k))
		}
		return nil
	}); err != nil {
		return err
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

func fillUp(b *bbolt.Bucket) error {
	for i := range uint64(30) {
		if err := b.Put(position(i*i), bytes.Repeat([]byte("w"), int(i)*20)); err != nil {
			return err
		}
	}
	return b.SetSequence(b.Sequence() + 1)
}

func empty(b *bbolt.Bucket) error {
	for at := b.Cursor(); ; {
		k, _ := at.First()
		if k == nil {
			return nil
		}
		if err := at.Delete(); err != nil {
			return err
		}
	}
}

// FuzzIntact holds that bbolt can follow every file that is found to be intact.
// The checksums may be put right, or nothing else would ever be found.
func FuzzIntact(f *testing.F) {
	for _, d := range damages {
		im := newImage(f)
		d.damage(im)
		f.Add(im.b, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, sealed bool) {
		if sealed {
			reseal(b, smallPage)
		}
		if intact(bytes.NewReader(b), uint64(len(b))) == nil {
			followed(t, b)
		}
	})
}

// scratch changes some bytes, most of them where bbolt has numbers.
func scratch(r *rand.Rand, b []byte, pageSize int) {
	for range 1 + r.IntN(3) {
		page := r.IntN(len(b)/pageSize) * pageSize
		i := page + r.IntN(pageSize)
		if r.IntN(4) > 0 { // a header, or one of the first elements
			i = page + r.IntN(headerSize+4*elementSize)
		}
		switch r.IntN(3) {
		case 0:
			b[i] = byte(r.Uint32())
		case 1:
			b[i] ^= 1 << r.IntN(8)
		default:
			b[i] = byte(r.IntN(4))
		}
	}
}

// TestIntactOrNot holds that bbolt can follow what is found to be intact, of
// files that are damaged at random.
func TestIntactOrNot(t *testing.T) {
	im := newImage(t)
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	good := 0
	for i := range 2000 {
		b := bytes.Clone(im.b)
		if scratch(r, b, smallPage); r.IntN(2) == 0 {
			reseal(b, smallPage)
		}
		if intact(bytes.NewReader(b), uint64(len(b))) == nil {
			if good++; i%10 == 0 {
				followed(t, b)
			}
		}
	}
	t.Logf("Got %d of 2000 intact, seed %d", good, seed)
}

// TestIntactReadError holds that a disk that cannot be read does not make a
// file corrupt.
func TestIntactReadError(t *testing.T) {
	im := newImage(t)
	for from := range int64(im.pages) {
		err := intact(badFrom{bytes.NewReader(im.b), from * smallPage}, uint64(len(im.b)))
		if err != nil && (!errors.Is(err, syscall.EIO) || errors.Is(err, errCorrupt)) {
			t.Errorf("Got error %v of a disk that is bad in page %d", err, from)
		}
	}
}

// badFrom is a file with one page that cannot be read.
type badFrom struct {
	io.ReaderAt
	page int64
}

func (f badFrom) ReadAt(b []byte, at int64) (int, error) {
	if at < f.page+smallPage && at+int64(len(b)) > f.page {
		return 0, syscall.EIO
	}
	return f.ReaderAt.ReadAt(b, at)
}

// TestIntactAfterCrash holds that no crash makes a file that is not intact:
// whatever pages of a transaction have reached the disk, and whatever part of
// its meta page.
func TestIntactAfterCrash(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, minSize, newTally())
	defer s.Close()
	s.db.NoSync, s.db.NoGrowSync = true, true // for speed: the crashes are made here
	c := s.Attach("x", "x")
	path := filepath.Join(dir, spoolFile)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range 40 {
		work(t, s, c, r)
		after, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			b := crashed(r, before, after)
			if err := intact(bytes.NewReader(b), uint64(len(b))); err != nil {
				t.Fatalf("Got error %v after %d transactions, seed %d", err, i, seed)
			}
		}
		before = after
	}
}

// TestIntactWork holds that whatever has been done to a file, it is intact.
func TestIntactWork(t *testing.T) {
	path := filepath.Join(t.TempDir(), spoolFile)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{PageSize: smallPage, NoSync: true, NoGrowSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range 150 {
		if err := db.Update(func(tx *bbolt.Tx) error { return anything(r, tx) }); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := intact(bytes.NewReader(b), uint64(len(b))); err != nil {
			t.Fatalf("Got error %v after %d transactions, seed %d", err, i, seed)
		}
	}
}

// anything puts and deletes, one by one or in runs.
func anything(r *rand.Rand, tx *bbolt.Tx) error {
	b, err := tx.CreateBucketIfNotExists([]byte{'a' + byte(r.IntN(3))})
	if err != nil {
		return err
	}
	if b.FillPercent = 0.5; r.IntN(2) == 0 {
		b.FillPercent = 0.9
	}
	from, n := r.Uint64N(3000), r.Uint64N(300)
	for i := range n {
		k := bytes.Repeat(position(from+i), 1+int(from+i)%7*r.IntN(2))
		if r.IntN(8) == 0 {
			k = position(r.Uint64N(3000))
		}
		if from%2 == 0 {
			err = b.Put(k, make([]byte, r.IntN(2)*r.IntN(300)))
		} else {
			err = b.Delete(k)
		}
		if err != nil {
			return err
		}
	}
	if r.IntN(10) == 0 {
		return empty(b)
	}
	return nil
}

// work does one transaction with a spool.
func work(t *testing.T, s *Spool, c *Cursor, r *rand.Rand) {
	t.Helper()
	switch {
	case r.IntN(3) == 0:
		groups := states(r.IntN(50), r.IntN(5))
		for id := range groups {
			if r.IntN(3) == 0 {
				groups[id] = nil
			}
		}
		if !s.Checkpoint("owner", groups) {
			t.Fatal(s.bad)
		}
	default:
		records := make([]*record.Record, r.IntN(60))
		for i := range records {
			records[i] = recordtest.Sample()
			records[i].Reason = strings.Repeat("r", r.IntN(3000))
		}
		if !s.Append("owner", records, nil) {
			t.Fatal(s.bad)
		}
	}
	if r.IntN(5) == 0 {
		c.Settle(len(c.Take(r.IntN(500))))
	}
}

// crashed is a file as a crash may leave it in the transaction that made of
// before what is after: bbolt writes the meta page when all others are on disk.
func crashed(r *rand.Rand, before, after []byte) []byte {
	size := os.Getpagesize()
	meta := -1
	b := bytes.Clone(before)
	if len(after) > len(b) && r.IntN(5) > 0 {
		b = append(b, make([]byte, len(after)-len(b))...)
	}
	all := r.IntN(2) == 0
	for at := 0; at < len(b); at += size {
		switch {
		case bytes.Equal(b[at:at+size], after[at:at+size]):
		case at < 2*size:
			meta = at
		case all:
			copy(b[at:at+size], after[at:])
		case r.IntN(2) == 0: // or only its beginning
			copy(b[at:at+size-r.IntN(2)*r.IntN(size)], after[at:])
		}
	}
	if all && meta >= 0 && len(b) == len(after) {
		copy(b[meta:meta+r.IntN(2*metaSize)], after[meta:])
	}
	return b
}
