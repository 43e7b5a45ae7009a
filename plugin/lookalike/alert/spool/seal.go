package spool

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// The file's structure is checked when it is opened, which says nothing about
// what is in it, and a digit that has changed may be one that nothing in here
// can come to terms with, or a number that is used twice. So every value begins
// with a checksum, of its key and of what follows.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sealSize = 4

func sealOf(k, v []byte) uint32 {
	return crc32.Update(crc32.Checksum(k, castagnoli), castagnoli, v)
}

// seal returns what the file has as the value of k.
func seal(k, v []byte) []byte {
	b := make([]byte, sealSize, sealSize+len(v))
	binary.BigEndian.PutUint32(b, sealOf(k, v))
	return append(b, v...)
}

// unseal returns the value that was sealed, if it is what the file has.
func unseal(k, b []byte) ([]byte, error) {
	if len(b) < sealSize || binary.BigEndian.Uint32(b) != sealOf(k, b[sealSize:]) {
		return nil, fmt.Errorf("%w: the value of %q is not what was written", errCorrupt, k)
	}
	return b[sealSize:], nil
}
