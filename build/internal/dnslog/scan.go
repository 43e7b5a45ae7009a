package dnslog

import (
	"bytes"
	"time"
)

// word returns the text up to the first space, and what follows that space.
func word(b []byte) (first, rest []byte) {
	first, rest, _ = bytes.Cut(b, space)
	return first, rest
}

var space = []byte(" ")

// number returns the value of decimal digits, at most 9 of them, or -1.
func number(b []byte) int {
	if len(b) == 0 || len(b) > 9 {
		return -1
	}
	n := 0
	for _, c := range b {
		if !digit(c) {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// epoch returns the time of seconds since 1970, with up to nine decimals. It refuses
// more than 11 digits, which are beyond the year 9999.
func epoch(b []byte) (time.Time, bool) {
	seconds, fraction, _ := bytes.Cut(b, []byte("."))
	if len(seconds) > 11 || len(seconds) == 0 {
		return time.Time{}, false
	}
	var s int64
	for _, c := range seconds {
		if !digit(c) {
			return time.Time{}, false
		}
		s = s*10 + int64(c-'0')
	}
	return time.Unix(s, int64(nanoseconds(fraction))).UTC(), true
}

// nanoseconds returns the value of the decimals of a second, or 0 if they are broken.
func nanoseconds(fraction []byte) int {
	if len(fraction) > 9 {
		fraction = fraction[:9]
	}
	n := max(number(fraction), 0)
	for range 9 - len(fraction) {
		n *= 10
	}
	return n
}

func digit(c byte) bool { return c-'0' < 10 }
