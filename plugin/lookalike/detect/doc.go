// Package detect tells how a domain name under a lookalike TLD resembles names
// to protect under other TLDs. It knows no DNS library, no clock and no I/O.
//
// An [Index] is built once of the protected names and asked for each name by
// [Index.Match]. Both sides are taken apart the same way: the TLD or public
// suffix goes, and the labels before it become a reading, which is letters
// (Unicode folded to ASCII) and, apart from them, the places of dots and
// hyphens. Two keys are taken of the letters of up to four rightmost labels:
//
//   - The skeleton, in which letters that are taken for each other are one (0
//     and o) and letters that a pair reads as are taken apart (m is rn). Equal
//     skeletons are the classes tld-swap, tld-kept, idn-homoglyph, separator,
//     homoglyph and split; which one follows from the letters, dots and hyphens.
//   - The letters whole and with each one left out in turn. Names at one edit
//     (optimal string alignment: transposed neighbours are one edit) share at
//     least one of these keys, and are of the classes typo and edit. With two
//     left out they are of the class double-typo.
//
// The classes combosquat and embedding look the skeletons of parts of the name
// up. Keys are hashes in one open-addressing table, behind bitmaps that answer
// most misses; of longer names, a look at the letters at both ends answers them
// first. Whatever they find is aligned with the queried name, character by
// character: that says what went wrong, which is what a verdict is graded by, its
// reason says, and its [Slip]s hold.
//
// The first class that matches wins, in the order of [Classes], which is that of
// the table in classes.go. Two slips are never graded as one.
package detect
