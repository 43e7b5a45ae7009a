// Package detect tells how a domain name under a lookalike TLD resembles names
// to protect under other TLDs. It knows no DNS library, no clock and no I/O.
//
// An [Index] is built once from the protected names; [Index.Match] compares one
// queried name with all of them. Both sides are parsed the same way. The TLD or
// public suffix is removed. The labels before it become a reading: the letters
// (Unicode folded to ASCII) and, separately, the places of dots and hyphens. The
// letters of up to four rightmost labels yield two kinds of keys:
//
//   - The skeleton merges letters that look alike (0 and o) and expands letters
//     that a pair looks like (m is rn). Equal skeletons make the classes tld-swap,
//     tld-kept, idn-homoglyph, separator, homoglyph and split. The letters, dots
//     and hyphens decide which one.
//   - The letters whole and with each one left out in turn. Names at one edit
//     (optimal string alignment: transposed neighbours are one edit) share at
//     least one of these keys, and make the classes typo and edit. With two
//     letters left out, they make the class double-typo.
//
// The classes combosquat and embedding look up the skeletons of parts of the name.
// Keys are hashes in one open-addressing table, behind bitmaps that answer most
// misses. For longer names, the letters at both ends answer most misses first. Each
// protected name found is then aligned with the queried name, character by
// character. The alignment lists the slips: they determine the confidence of the
// verdict, its reason and its [Slip]s.
//
// The first class that matches wins, in the order of [Classes], which is that of
// the table in classes.go. Two slips are never graded as one.
package detect
