package logfile

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/therootcompany/xz"
)

// sniffed is how many of the first bytes tell the compression.
const sniffed = 4096

// A stream may be freeExpansion bytes long, and expansion times the bytes that
// were read of the file. Logs shrink to a tenth or a fiftieth; a file that is
// made to fill a disk holds gigabytes in a megabyte.
const (
	freeExpansion = 256 << 20
	expansion     = 1000
)

// maxWindow is how much of the text a decompressor may have to remember.
const maxWindow = 64 << 20

// compressions are those that are read, by their first bytes.
var compressions = []struct {
	name, magic string
	open        func(r io.Reader) (io.Reader, func(), error)
}{
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

// decompressed returns the text of the file.
func (s *Stream) decompressed(raw *bufio.Reader) (io.Reader, error) {
	head, _ := raw.Peek(sniffed)
	if err := packed(head); err != nil {
		return nil, err
	}
	s.Compression = ""
	for _, c := range compressions {
		if !bytes.HasPrefix(head, []byte(c.magic)) {
			continue
		}
		r, free, err := c.open(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		s.Compression, s.free = c.name, free
		return &capped{r: r, name: c.name, packed: &s.packed}, nil
	}
	return raw, nil
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
