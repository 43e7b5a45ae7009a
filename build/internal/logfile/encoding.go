package logfile

import (
	"bufio"
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decoded returns the text as UTF-8 without a byte order mark. Microsoft's
// programs export UTF-16, not always with a mark.
func decoded(r io.Reader) *bufio.Reader {
	text := bufio.NewReaderSize(r, sniffed)
	head, _ := text.Peek(64)
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		text.Discard(3)
	case bytes.HasPrefix(head, []byte("\xff\xfe")), zeroes(head, 1):
		return utf16(text, unicode.LittleEndian)
	case bytes.HasPrefix(head, []byte("\xfe\xff")), zeroes(head, 0):
		return utf16(text, unicode.BigEndian)
	}
	return text
}

func utf16(r io.Reader, order unicode.Endianness) *bufio.Reader {
	return bufio.NewReaderSize(transform.NewReader(r, unicode.UTF16(order, unicode.UseBOM).NewDecoder()), sniffed)
}

// zeroes reports whether each second byte is a NUL and the others are not, as
// in ASCII text that was written as UTF-16.
func zeroes(head []byte, at int) bool {
	if len(head) < 16 {
		return false
	}
	for i, c := range head {
		if (c == 0) != (i%2 == at) {
			return false
		}
	}
	return true
}
