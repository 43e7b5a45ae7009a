package alert

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// visible makes s fit for the formats that have no way to write every
// character: control and format characters, line ends, bytes that are no
// UTF-8, and the characters of also, are written as the DNS writes bytes in
// names, \DDD (RFC 1035 section 5.1). Other text stays as it is.
func visible(s, also string) string {
	var b []byte
	kept := 0
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		if c == utf8.RuneError && n == 1 || unsafeRune(c) || strings.ContainsRune(also, c) {
			b = append(b, s[kept:i]...)
			for _, octet := range []byte(s[i : i+n]) {
				b = append(b, '\\', '0'+octet/100, '0'+octet/10%10, '0'+octet%10)
			}
			kept = i + n
		}
		i += n
	}
	if kept == 0 {
		return s
	}
	return string(append(b, s[kept:]...))
}

// unsafeRune reports characters that end lines, move cursors, or hide or
// reorder text on a screen.
func unsafeRune(c rune) bool { return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

// textStyle is how a format without nesting writes values.
type textStyle struct {
	milliseconds bool // times as milliseconds since 1970, else RFC 3339
	plain        bool // strings are not in the presentation form of the DNS
}

// plainText makes s text in which a backslash always begins an escape, as in
// names: with visible it can be undone, whatever was in s.
func plainText(s string) string { return strings.ReplaceAll(s, `\`, `\092`) }

// text returns v, or the empty string when v is empty. Lists are joined with
// commas; one in an item is written \044, since the DNS does not escape it.
func (style textStyle) text(v any) string {
	switch v := v.(type) {
	case string:
		if style.plain {
			return plainText(v)
		}
		return v
	case int:
		return strconv.Itoa(v)
	case uint64:
		return strconv.FormatUint(v, 10)
	case time.Time:
		switch {
		case v.IsZero():
			return ""
		case style.milliseconds:
			return strconv.FormatInt(v.UnixMilli(), 10)
		}
		return v.UTC().Format(timeFormat)
	case netip.Addr:
		if v.IsValid() {
			return v.String()
		}
	case []string:
		items := make([]string, len(v))
		for i, s := range v {
			if style.plain {
				s = plainText(s)
			}
			items[i] = strings.ReplaceAll(s, ",", `\044`)
		}
		return strings.Join(items, ",")
	case []TypeCount:
		all := make([]string, len(v))
		for i, c := range v {
			all[i] = c.Type + ":" + strconv.FormatUint(c.Count, 10)
		}
		return strings.Join(all, ",")
	}
	return ""
}
