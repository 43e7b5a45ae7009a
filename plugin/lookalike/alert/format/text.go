package format

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// visible prepares s for formats that cannot write every character. Unsafe
// characters, invalid UTF-8 and those in also are written \DDD; other text
// stays as it is.
func visible(s, also string) string {
	return text.Escape(s, func(c rune) bool { return text.Unsafe(c) || strings.ContainsRune(also, c) })
}

// textStyle is how a format without nesting writes values.
type textStyle struct {
	milliseconds bool // times as milliseconds since 1970, else RFC 3339
	plain        bool // strings are not in the presentation form of the DNS
}

// plainText makes s a text in which a backslash always begins an escape, as in
// names. Together with visible it is reversible for any s.
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
		return v.UTC().Format(TimeLayout)
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
	}
	return ""
}
