package logfile

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// sniffed is how many of the first bytes tell what a file is.
const sniffed = 4096

// magicSize is how many of them tell the compression.
const magicSize = 16

// A stream may be freeExpansion bytes long, and expansion times the bytes that
// were read of the file. Logs shrink to a tenth or a fiftieth; a file that is
// made to fill a disk holds gigabytes in a megabyte.
const (
	freeExpansion = 256 << 20
	expansion     = 1000
)

// maxWindow is how much of the text a decompressor may have to remember.
const maxWindow = 64 << 20

// compression is one that is read.
type compression struct {
	name, magic string // magic are the first bytes
	open        func(r io.Reader) (io.Reader, func(), error)
}

// compressions are those that are read, the usual ones first.
var compressions = []compression{
	{"gzip", "\x1f\x8b", openGzip},
	{"zstd", "\x28\xb5\x2f\xfd", openZstd},
	{"xz", "\xfd7zXZ\x00", openXZ},
	{"zstd", "\x50\x2a\x4d\x18", openZstd}, // pzstd begins with a frame to be skipped
	{"bzip2", "BZh91AY&SY", openBzip2},
}

// packages are files that hold other files, and what the user can do.
var packages = []struct {
	magic string
	at    int
	cure  string
}{
	{"PK\x03\x04", 0, "a zip archive: unpack it first, and give its files"},
	{"ustar", 257, "a tar archive: unpack it first, and give its files"},
	{"7z\xbc\xaf\x27\x1c", 0, "a 7-Zip archive: unpack it first, and give its files"},
	{"\x1f\x9d", 0, "compressed by compress(1): unpack it first by gzip -d"},
	{"\x04\x22\x4d\x18", 0, "compressed by lz4: unpack it first by lz4 -d"},
	{"LPKSHHRH", 0, "a file of the systemd journal: give the output of journalctl -o export --file"},
	{"SQLite format 3\x00", 0, "an SQLite database: export its table of queries as text first"},
	{"ElfFile\x00", 0, "a Windows event log: export its events as text first"},
}

// Unpacked is what a file holds once its compression is taken off: gzip, zstd,
// xz or bzip2, which the first bytes tell. Another file is as it is. Reading
// fails on a stream that grows beyond all measure.
type Unpacked struct {
	Compression string // "gzip", "zstd", "xz", "bzip2"; empty: none

	r      io.Reader
	packed counter
	free   func() // what the decompression holds; nil: nothing
}

// Unpack reads the first bytes of r and finds out how it is compressed. An
// archive, or another file that is known to be no text, is an error that says
// what to do.
func Unpack(r io.Reader) (*Unpacked, error) {
	u := &Unpacked{packed: counter{r: r}}
	raw := bufio.NewReaderSize(&u.packed, sniffed)
	raw.Peek(magicSize) // no more, since alerts may come slowly through a pipe
	head, _ := raw.Peek(raw.Buffered())
	if err := packed(head); err != nil {
		return nil, err
	}
	u.r = raw
	c := compressionOf(head)
	if c == nil {
		return u, nil
	}
	plain, free, err := c.open(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	u.Compression, u.free = c.name, free
	u.r = &capped{r: plain, name: c.name, packed: &u.packed}
	return u, nil
}

// Compressed reports whether a file with these first bytes is compressed in a
// way that Unpack takes off. Ten bytes are enough to tell.
func Compressed(head []byte) bool { return compressionOf(head) != nil }

func compressionOf(head []byte) *compression {
	for i, c := range compressions {
		if bytes.HasPrefix(head, []byte(c.magic)) {
			return &compressions[i]
		}
	}
	return nil
}

// Read reads the text. An error other than io.EOF means damage: what was read
// before it is good.
func (u *Unpacked) Read(p []byte) (int, error) { return u.r.Read(p) }

// Packed returns the number of bytes of the file read so far. It is safe for
// concurrent use.
func (u *Unpacked) Packed() int64 { return u.packed.n.Load() }

// Close frees what the decompression holds. The file itself stays open.
func (u *Unpacked) Close() {
	if u.free != nil {
		u.free()
		u.free = nil
	}
}

// packed returns an error with a cure for a file that is no text.
func packed(head []byte) error {
	for _, p := range packages {
		if len(head) > p.at && bytes.HasPrefix(head[p.at:], []byte(p.magic)) {
			return errors.New(p.cure)
		}
	}
	return nil
}

func openGzip(r io.Reader) (io.Reader, func(), error) {
	z, err := gzip.NewReader(r)
	return z, nil, err
}

func openXZ(r io.Reader) (io.Reader, func(), error) {
	z, err := xz.NewReader(r, maxWindow)
	return z, nil, err
}

func openBzip2(r io.Reader) (io.Reader, func(), error) { return bzip2.NewReader(r), nil, nil }

func openZstd(r io.Reader) (io.Reader, func(), error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

// capped ends a stream that grows beyond all measure, and names the compression
// in errors.
type capped struct {
	r      io.Reader
	name   string
	packed *counter
	n      int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.n > freeExpansion && c.n > expansion*c.packed.n.Load() {
		return 0, fmt.Errorf("%s: %d bytes have become %d, which no log does: unpack it by hand if it is one", c.name, c.packed.n.Load(), c.n)
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	switch {
	case err == nil || err == io.EOF:
		return n, err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return n, fmt.Errorf("%s: the file is cut off: %w", c.name, err)
	}
	return n, fmt.Errorf("%s: %w", c.name, err)
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}
