package spool

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"os"

	"go.etcd.io/bbolt"
)

// bbolt follows what a file says without asking whether it can be so: a count
// or an offset that is wrong makes it read memory that is not the file's, and
// may end the process in ways that no recover catches. So a file is looked
// through here, page by page and within its bounds, before bbolt has it.
//
// The layout is version 2 of the one that go.etcd.io/bbolt/internal/common
// declares. Numbers are in the machine's byte order, their sizes in bytes:
//
//	page       id 8, flags 2, count 2, overflow 4: how many pages follow that
//	           belong to it; then its elements, then their keys and values
//	branch     element: offset of the key from the element 4, its size 4, page 8
//	leaf       element: flags 4, offset 4, size of the key 4, of the value 4
//	bucket     a value in the tree of the root: page 8, sequence 8; without a
//	           page, what would be in it, a leaf, follows in the value
//	free list  ids of pages, 8 each; if their count is 0xffff, the first is the count
//	meta       magic 4, version 4, size of a page 4, flags 4, bucket of the root
//	           16, page of the free list 8, number of pages 8, transaction 8,
//	           checksum of all this 8; pages 0 and 1 have one each
const (
	headerSize  = 16
	elementSize = 16
	bucketSize  = 16
	idSize      = 8
	metaSize    = 64

	branchPage   = 0x01
	leafPage     = 0x02
	freeListPage = 0x10

	bucketFlag = 0x01

	metaMagic   = 0xed0cdaed
	metaVersion = 2
	noFreeList  = 1<<64 - 1 // bbolt finds the free pages itself

	// Pages are as large as those of the system that made the file; bbolt reads
	// minFile bytes to learn it.
	minPage, maxPage = 1 << 10, 1 << 24
	minFile          = 4 << 10

	// No tree is so deep: a branch has two pages below it at least, and all leaves
	// are equally deep.
	maxDepth = 64
)

var order = binary.NativeEndian

// damaged is the error about a file that is not intact.
func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errCorrupt, fmt.Sprintf(format, args...))
}

// examine looks through the file at path, if there is one. Other processes are
// kept from it meanwhile by bbolt's lock; one that writes it later leaves it
// intact.
func examine(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular() || info.Size() == 0: // nothing to read; bbolt begins in an empty file
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	db, err := bbolt.Open(path, 0, &bbolt.Options{ // follows nothing yet
		ReadOnly: true, Timeout: lockTimeout,
		OpenFile: func(string, int, fs.FileMode) (*os.File, error) { return f, nil },
	})
	if err != nil {
		return err
	}
	if info, err = f.Stat(); err == nil {
		err = intact(f, uint64(info.Size())) //nolint:gosec // no size is negative
	}
	return errors.Join(err, db.Close())
}

// intact returns an error if a file of bbolt, of so many bytes, has anything
// that bbolt could not follow: pages that are not what refers to them says, that
// reach beyond the file, are used twice or are out of order.
func intact(r io.ReaderAt, size uint64) error {
	if size < minFile {
		return damaged("it has %d bytes only", size)
	}
	m, err := newestMeta(r)
	if err != nil {
		return err
	}
	if m.pages > size/m.pageSize {
		return damaged("it has %d bytes, and should have %d pages of %d", size, m.pages, m.pageSize)
	}
	c := &checker{meta: m, file: r, used: make([]uint64, m.pages/64+1)}
	if err := c.use(0, 2); err != nil { // the meta pages
		return err
	}
	root := bucketTree{checker: c, root: true}
	if err := root.walk(m.root, nil, nil, 0); err != nil {
		return err
	}
	if m.freeList == noFreeList {
		return nil
	}
	return c.freePages(m.freeList)
}

// meta is what a meta page says.
type meta struct {
	pageSize, root, freeList, pages, transaction uint64
}

// newestMeta returns the meta that is in force: the one of the later
// transaction, unless it was not written to its end. Like bbolt, it takes the
// size of a page from the first, or else looks for the second.
func newestMeta(r io.ReaderAt) (*meta, error) {
	first, err := readMeta(r, 0)
	if err != nil {
		return nil, err
	}
	from, to := uint64(minPage), uint64(maxPage)
	if first != nil {
		from, to = first.pageSize, first.pageSize
	}
	for at := from; at <= to; at *= 2 {
		second, err := readMeta(r, at)
		switch {
		case err != nil:
			return nil, err
		case second == nil:
			continue
		case second.pageSize != at:
			return nil, damaged("its second meta page is at %d, and says that pages have %d bytes", at, second.pageSize)
		case first == nil || second.transaction > first.transaction:
			return second, nil
		}
	}
	if first == nil {
		return nil, damaged("neither meta page is good")
	}
	return first, nil
}

// readMeta returns the meta of the page at an offset, or nil if it is none, or
// not what was written.
func readMeta(r io.ReaderAt, at uint64) (*meta, error) {
	b := make([]byte, metaSize)
	_, err := r.ReadAt(b, int64(at+headerSize)) //nolint:gosec // at most maxPage
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	sum := fnv.New64a()
	_, _ = sum.Write(b[:metaSize-8])
	if order.Uint32(b) != metaMagic || order.Uint32(b[4:]) != metaVersion || order.Uint64(b[metaSize-8:]) != sum.Sum64() {
		return nil, nil //nolint:nilnil // no error: the other one may be good
	}
	m := &meta{
		pageSize: uint64(order.Uint32(b[8:])), root: order.Uint64(b[16:]), freeList: order.Uint64(b[32:]),
		pages: order.Uint64(b[40:]), transaction: order.Uint64(b[48:]),
	}
	if m.pageSize < minPage || m.pageSize > maxPage || m.pageSize&(m.pageSize-1) != 0 {
		return nil, damaged("its pages have %d bytes", m.pageSize)
	}
	return m, nil
}

// checker walks through a file.
type checker struct {
	*meta
	file   io.ReaderAt
	used   []uint64         // a bit for each page
	starts [maxDepth][]byte // of the pages that it is in
}

// use notes that n pages are in use, which they must not have been.
func (c *checker) use(id, n uint64) error {
	if n > c.pages || id > c.pages-n {
		return damaged("page %d is beyond the last, which is %d", id+n-1, c.pages-1)
	}
	for ; n > 0; id, n = id+1, n-1 {
		word, bit := &c.used[id/64], uint64(1)<<(id%64)
		if *word&bit != 0 {
			return damaged("page %d is used twice", id)
		}
		*word |= bit
	}
	return nil
}

// open reads the beginning of a page.
func (c *checker) open(id uint64, depth int) (*page, error) {
	if err := c.use(id, 1); err != nil {
		return nil, err
	}
	if depth == maxDepth {
		return nil, damaged("page %d has %d pages above it", id, depth)
	}
	if c.starts[depth] == nil {
		c.starts[depth] = make([]byte, c.pageSize)
	}
	at := int64(id * c.pageSize) //nolint:gosec // is within the file
	start := c.starts[depth]
	if _, err := c.file.ReadAt(start, at); err != nil {
		return nil, err
	}
	overflow := uint64(order.Uint32(start[12:]))
	if err := c.use(id+1, overflow); err != nil {
		return nil, err
	}
	size := (overflow + 1) * c.pageSize
	p := newPage(fmt.Sprint("page ", id), start, size)
	p.rest = io.NewSectionReader(c.file, at, int64(size)) //nolint:gosec // is within the file
	if p.id != id {
		return nil, damaged("page %d has the id %d", id, p.id)
	}
	return p, nil
}

// bucketTree is the pages of one bucket.
type bucketTree struct {
	*checker
	root   bool // it has buckets and nothing else; the others have none
	height int  // depth of all its leaves; 0: not known
}

// walk checks a page, and those below it. Its first key is low, and all are below
// high; where they are nil, that is left open. Depth counts the pages above it.
func (t *bucketTree) walk(id uint64, low, high []byte, depth int) error {
	p, err := t.open(id, depth)
	if err != nil {
		return err
	}
	p.key, p.high = low, high
	switch {
	case p.flags == branchPage:
		return t.branch(p, depth)
	case p.flags != leafPage:
		return damaged("%s is no leaf and no branch (%#x)", p.name, p.flags)
	case p.count == 0 && low != nil:
		return damaged("%s is empty", p.name)
	case t.height != 0 && t.height != depth:
		return damaged("%s has %d pages above it, other leaves %d", p.name, depth, t.height)
	}
	t.height = depth
	return t.leaf(p, depth)
}

func (t *bucketTree) branch(p *page, depth int) error {
	if p.count < 2 {
		return damaged("%s is a branch with %d pages below", p.name, p.count)
	}
	e, err := p.element(0)
	if err != nil {
		return err
	}
	for i := range p.count {
		next := element{key: p.high}
		if i+1 < p.count {
			if next, err = p.element(i + 1); err != nil {
				return err
			}
		}
		if err := t.walk(e.child, e.key, next.key, depth+1); err != nil {
			return err
		}
		e = next
	}
	return nil
}

func (t *bucketTree) leaf(p *page, depth int) error {
	for i := range p.count {
		e, err := p.element(i)
		if err != nil {
			return err
		}
		if t.root {
			err = t.bucket(p, &e, depth+1)
		} else if e.flags != 0 {
			err = damaged("%s: element %d has the flags %#x", p.name, i, e.flags)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bucket checks a bucket in the tree of the root.
func (c *checker) bucket(p *page, e *element, depth int) error {
	name := fmt.Sprintf("bucket %q", e.key)
	if e.flags != bucketFlag || e.size < bucketSize || e.size > bucketSize+c.pageSize {
		return damaged("%s has the flags %#x and %d bytes", name, e.flags, e.size)
	}
	b, err := p.bytes(e.value, e.size)
	if err != nil {
		return err
	}
	in := bucketTree{checker: c}
	if id := order.Uint64(b); id != 0 {
		return in.walk(id, nil, nil, depth)
	}
	if b = b[bucketSize:]; len(b) < headerSize {
		return damaged("%s has %d bytes", name, e.size)
	}
	inline := newPage(name, b, uint64(len(b)))
	if inline.flags != leafPage || inline.id != 0 {
		return damaged("%s has the flags %#x and the id %d", name, inline.flags, inline.id)
	}
	return in.leaf(inline, depth)
}

// freePages checks the list of the pages that are not in use.
func (c *checker) freePages(id uint64) error {
	p, err := c.open(id, 0)
	if err != nil {
		return err
	}
	if p.flags != freeListPage {
		return damaged("%s is no free list (%#x)", p.name, p.flags)
	}
	n, r := p.count, bufio.NewReader(p.rest)
	_, _ = r.Discard(headerSize)
	var b [idSize]byte
	if n == 0xffff {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return err
		}
		n = order.Uint64(b[:])
	}
	for range n {
		if _, err := io.ReadFull(r, b[:]); errors.Is(err, io.EOF) {
			return damaged("%s has no room for %d ids", p.name, n)
		} else if err != nil {
			return err
		}
		if err := c.use(order.Uint64(b[:]), 1); err != nil {
			return err
		}
	}
	return nil
}

// page is a page, or a bucket that has its own in its value.
type page struct {
	name  string
	start []byte            // its beginning
	rest  *io.SectionReader // all of it, if start is not
	size  uint64

	id    uint64
	flags uint16
	count uint64

	end  uint64 // of what its elements so far have
	key  []byte // of the element before; at first the one in the page above, if any
	high []byte // all keys are below; nil: any
}

func newPage(name string, start []byte, size uint64) *page {
	p := &page{
		name: name, start: start, size: size,
		id: order.Uint64(start), flags: order.Uint16(start[8:]), count: uint64(order.Uint16(start[10:])),
	}
	p.end = headerSize + p.count*elementSize
	return p
}

// bytes returns n bytes of p.
func (p *page) bytes(at, n uint64) ([]byte, error) {
	if at > p.size || n > p.size-at {
		return nil, damaged("%s has %d bytes, and should have some at %d", p.name, p.size, at+n)
	}
	if at+n <= uint64(len(p.start)) {
		return p.start[at : at+n], nil
	}
	b := make([]byte, n)
	_, err := p.rest.ReadAt(b, int64(at)) //nolint:gosec // is within the page
	return b, err
}

// element is a key, and what it stands for.
type element struct {
	key         []byte
	child       uint64 // page, in a branch
	flags       uint32 // in a leaf
	value, size uint64 // place in the page, in a leaf
}

// element reads an element, after the one before it.
func (p *page) element(i uint64) (element, error) {
	var e element
	at := headerSize + i*elementSize
	b, err := p.bytes(at, elementSize)
	if err != nil {
		return e, err
	}
	var offset, keySize uint32
	if p.flags == branchPage {
		offset, keySize, e.child = order.Uint32(b), order.Uint32(b[4:]), order.Uint64(b[8:])
	} else {
		e.flags, offset, keySize, e.size = order.Uint32(b), order.Uint32(b[4:]), order.Uint32(b[8:]), uint64(order.Uint32(b[12:]))
	}
	at += uint64(offset)
	if at < p.end || keySize == 0 || keySize > bbolt.MaxKeySize {
		return e, damaged("%s: element %d has a key of %d bytes at %d, after %d", p.name, i, keySize, at, p.end)
	}
	if e.key, err = p.bytes(at, uint64(keySize)); err != nil {
		return e, err
	}
	e.value = at + uint64(keySize)
	p.end = e.value + e.size
	if p.end > p.size {
		return e, damaged("%s has %d bytes, and element %d of it ends at %d", p.name, p.size, i, p.end)
	}
	return e, p.follow(i, e.key)
}

// follow checks that a key is the next one. The first key of a page is the one
// that it has in the page above.
func (p *page) follow(i uint64, key []byte) error {
	after := bytes.Compare(key, p.key)
	first := i == 0 && (after == 0 || p.key == nil)
	if !first && (i == 0 || after <= 0) || p.high != nil && bytes.Compare(key, p.high) >= 0 {
		return damaged("%s: the key of element %d is out of order", p.name, i)
	}
	p.key = key
	return nil
}
