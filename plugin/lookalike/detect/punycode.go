package detect

import (
	"unicode/utf8"
)

// maxRunes is how many code points a label can decode to: an A-label has four
// octets of prefix, and every code point takes at least one octet.
const maxRunes = maxLabel

// notUnicode marks bytes that are no UTF-8: byte c becomes notUnicode + c, a
// code point that resembles nothing.
const notUnicode = utf8.MaxRune + 1

// decodeLabel appends the code points of a label to dst, which needs room for
// as many as the label has octets: those of an A-label decoded, those of raw UTF-8 as they stand. It
// decodes whatever can be decoded, valid by IDNA or not, because whoever means
// to deceive need not care. The second result is false for a label that is
// ASCII and stays so.
func decodeLabel(dst []rune, label []byte) ([]rune, bool) {
	if hasACEPrefix(label) {
		if runes, ok := decodePunycode(dst, label[4:]); ok && len(runes) > len(dst) {
			return runes, true
		}
	}
	beyond := false
	for len(label) > 0 {
		r, size := utf8.DecodeRune(label)
		if r == utf8.RuneError && size == 1 {
			r = notUnicode + rune(label[0])
		}
		beyond = beyond || r >= utf8.RuneSelf
		dst = append(dst, r)
		label = label[size:]
	}
	return dst, beyond
}

// hasACEPrefix reports whether a lower-case label begins as A-labels do
// (RFC 5890 section 2.3.1).
func hasACEPrefix(label []byte) bool {
	return len(label) > 4 && label[0] == 'x' && label[1] == 'n' && label[2] == '-' && label[3] == '-'
}

// Parameters of Punycode (RFC 3492 section 5).
const (
	punyBase        = 36
	punyTMin        = 1
	punyTMax        = 26
	punySkew        = 38
	punyDamp        = 700
	punyInitialBias = 72
	punyInitialN    = 128
)

// decodePunycode appends what the Punycode s, in lower case, stands for
// (RFC 3492 section 6.2). It reports false, and dst unchanged, for input that
// is no Punycode or that leaves the range of Unicode.
func decodePunycode(dst []rune, s []byte) ([]rune, bool) {
	out := dst
	delimiter := -1
	for i, c := range s {
		if c >= utf8.RuneSelf {
			return dst, false
		}
		if c == '-' {
			delimiter = i
		}
	}
	for i := range delimiter {
		out = append(out, rune(s[i]))
	}
	s = s[delimiter+1:]
	base := len(dst)
	n, at, bias := int64(punyInitialN), int64(0), int64(punyInitialBias)
	for len(s) > 0 {
		before, weight := at, int64(1)
		for k := int64(punyBase); ; k += punyBase {
			if len(s) == 0 {
				return dst, false
			}
			digit, ok := punyDigit(s[0])
			s = s[1:]
			if !ok {
				return dst, false
			}
			at += digit * weight
			if at > utf8.MaxRune*maxRunes {
				return dst, false
			}
			t := min(max(k-bias, punyTMin), punyTMax)
			if digit < t {
				break
			}
			weight *= punyBase - t
		}
		length := int64(len(out)-base) + 1
		bias = punyAdapt(at-before, length, before == 0)
		n += at / length
		at %= length
		if n > utf8.MaxRune || length > maxRunes {
			return dst, false
		}
		out = append(out, 0)
		inserted := base + int(at)
		copy(out[inserted+1:], out[inserted:])
		out[inserted] = rune(n)
		at++
	}
	return out, true
}

func punyDigit(c byte) (int64, bool) {
	switch {
	case 'a' <= c && c <= 'z':
		return int64(c - 'a'), true
	case isDigit(c):
		return int64(c-'0') + 26, true
	}
	return 0, false
}

// punyAdapt is the bias adaptation of RFC 3492 section 6.1.
func punyAdapt(delta, length int64, first bool) int64 {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / length
	k := int64(0)
	for delta > (punyBase-punyTMin)*punyTMax/2 {
		delta /= punyBase - punyTMin
		k += punyBase
	}
	return k + (punyBase-punyTMin+1)*delta/(delta+punySkew)
}
