package text

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	comma := func(s string) string { return Escape(s, func(c rune) bool { return c == ',' }) }
	body := func(s string) string { return string(EscapeJSON([]byte(s), Unsafe)) }
	ascii := func(s string) string { return string(EscapeJSON([]byte(s), func(c rune) bool { return c > '~' })) }
	to := func(n int) func(string) string { return func(s string) string { return Shorten(s, n) } }
	tests := []struct {
		name     string
		f        func(string) string
		in, want string
	}{
		{"nothing to escape", Visible, `bücher.ml \046`, `bücher.ml \046`},
		{"empty", Visible, "", ""},
		{"controls", Visible, "a\x00\x1b[31m\r\n\x7fb", `a\000\027[31m\013\010\127b`},
		{"C1", Visible, "a\u009bb", `a\194\155b`},
		{"format characters", Visible, "\u202ea\u200b\ufeff", `\226\128\174a\226\128\139\239\187\191`},
		{"line separators", Visible, "a\u2028b\u2029", `a\226\128\168b\226\128\169`},
		{"not UTF-8", Visible, "\xffa\xe9", `\255a\233`},
		{"cut character", Visible, "a\xe2\x80", `a\226\128`},
		{"replacement character itself", Visible, "\ufffd", "\ufffd"},
		{"bad characters of one's own", comma, "a,b\n\xff", "a\\044b\n\\255"},

		{"stripped", Strip, "a\x1b[31m\u202eb\u2028\n", "a[31mb"},
		{"stripped, not UTF-8", Strip, "a\xffb", "a\ufffdb"},

		{"JSON as it is", body, `{"a":"ü\n"}`, `{"a":"ü\n"}`},
		{"JSON, unsafe", body, "{\"a\":\"\u007f\u009b\u202e\U000e0041\"}", `{"a":"\u007f\u009b\u202e\udb40\udc41"}`},
		{"JSON, not UTF-8", body, "\"\xff\"", `"\ufffd"`},
		{"JSON in ASCII", ascii, `{"a":"ü😀"}`, `{"a":"\u00fc\ud83d\ude00"}`},

		{"clean", Clean, "dial: \x1b]0;x\a\nforged", `dial: \027]0;x\007\010forged`},
		{"clean, long", Clean, strings.Repeat("a", 600), strings.Repeat("a", 509) + "..."},
		{"clean, at most", Clean, strings.Repeat("a", 512), strings.Repeat("a", 512)},
		{"clean, long when escaped", Clean, strings.Repeat("\n", 512), strings.Repeat(`\010`, 127) + `\...`},

		{"short enough", to(4), "army", "army"},
		{"shortened", to(6), "army.ml", "arm..."},
		{"shortened before a character", to(6), "aaü.ml", "aa..."},
		{"shortened behind a character", to(7), "aaü.ml.", "aaü..."},
		{"shortened, not UTF-8", to(8), strings.Repeat("\xbf", 9), strings.Repeat("\xbf", 5) + "..."},
		{"no room for the dots", to(2), "army", ".."},
		{"no room", to(0), "army", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.f(tc.in); got != tc.want {
				t.Errorf("Got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestJoin(t *testing.T) {
	for want, items := range map[string][]string{
		"":                        nil,
		"army.mil":                {"army.mil"},
		"army.mil and navy.mil":   {"army.mil", "navy.mil"},
		"a.mil, b.mil and c.mil":  {"a.mil", "b.mil", "c.mil"},
		"a.mil, b.mil and 3 more": {"a.mil", "b.mil", "3 more"},
	} {
		if got := Join(items, "and"); got != want {
			t.Errorf("Got %q, want %q", got, want)
		}
	}
}

func TestASCII(t *testing.T) {
	for s, want := range map[string]bool{"": true, "army.ml\x00\x7f": true, "ärmy": false, "\x80": false} {
		if got := ASCII(s); got != want {
			t.Errorf("Got %v for %q", got, s)
		}
	}
}

func TestUnescape(t *testing.T) {
	tests := []struct {
		behind string
		octet  byte
		used   int
	}{
		{".ml", '.', 1},
		{`\ml`, '\\', 1},
		{"046ml", '.', 3},
		{"2551", 255, 3},
		{"000", 0, 3},
		{"", 0, 0},
		{"256", 0, 0},
		{"99", 0, 0},
		{"1a2", 0, 0},
	}
	for _, tc := range tests {
		if octet, used := Unescape(tc.behind); octet != tc.octet || used != tc.used {
			t.Errorf("Got octet %d, used %d of %q, want %d, %d", octet, used, tc.behind, tc.octet, tc.used)
		}
	}
}

// FuzzText holds that nothing unsafe is left, that what was escaped can be
// undone, that lengths are kept, and that JSON keeps its meaning.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"army.ml", "a\x1b[31m\u202e", "\xff\xe2\x80", `\046`, "ü\u2028\U000e0041", strings.Repeat("ü", 300)} {
		f.Add(seed, 7)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		escaped := Escape(s, func(c rune) bool { return c == '\\' || Unsafe(c) })
		if !utf8.ValidString(escaped) || unescaped(escaped) != s {
			t.Errorf("%q escaped is %q", s, escaped)
		}
		for _, got := range []string{Visible(s), Strip(s), Clean(s)} {
			if !utf8.ValidString(got) || strings.ContainsFunc(got, Unsafe) {
				t.Errorf("%q became %q", s, got)
			}
		}
		if got := Clean(s); len(got) > maxClean {
			t.Errorf("Clean text of %d bytes", len(got))
		}
		short := Shorten(s, n)
		if len(short) > max(n, 0) && short != s || utf8.ValidString(s) && !utf8.ValidString(short) {
			t.Errorf("%q shortened to %d is %q", s, n, short)
		}
		body, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var want, got string
		safe := EscapeJSON(body, Unsafe)
		if json.Unmarshal(body, &want) != nil || json.Unmarshal(safe, &got) != nil || got != want || strings.ContainsFunc(string(safe), Unsafe) {
			t.Errorf("JSON %q became %q", body, safe)
		}
	})
}

func unescaped(s string) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b = append(b, s[i])
			continue
		}
		octet, used := Unescape(s[i+1:])
		b = append(b, octet)
		i += used
	}
	return string(b)
}

// all reads lines to the end.
func all(l *Lines) (lines []line) {
	for l.Next() {
		lines = append(lines, line{l.N, string(l.Text), l.Long})
	}
	return lines
}

type line struct {
	n    int
	text string
	long bool
}

func TestLines(t *testing.T) {
	const limit = 8
	tests := []struct {
		name, in string
		want     []line
		err      error
	}{
		{"empty", "", nil, nil},
		{"one", "a\n", []line{{1, "a", false}}, nil},
		{"no end", "a\nb", []line{{1, "a", false}, {2, "b", false}}, nil},
		{"blank lines", "\n\na\n", []line{{1, "", false}, {2, "", false}, {3, "a", false}}, nil},
		{"CRLF", "a\r\nb\r\r\n\r", []line{{1, "a", false}, {2, "b\r", false}, {3, "", false}}, nil},
		{"at the limit", "12345678\r\n12345678", []line{{1, "12345678", false}, {2, "12345678", false}}, nil},
		{"too long", "123456789\nb", []line{{1, "12345678", true}, {2, "b", false}}, nil},
		{"too long, of line ends", "\r\r\r\r\r\r\r\r\r\r\nb", []line{{1, "\r\r\r\r\r\r\r\r", true}, {2, "b", false}}, nil},
		{"much too long", strings.Repeat("a", 1<<20) + "\nb", []line{{1, "aaaaaaaa", true}, {2, "b", false}}, nil},
		{"byte order mark", "\ufeffa\n\ufeffb", []line{{1, "a", false}, {2, "\ufeffb", false}}, nil},
		{"UTF-16", "\xff\xfea\x00\n\x00", nil, ErrUTF16},
		{"UTF-16, big", "\xfe\xff\x00a", nil, ErrUTF16},
		{"NUL", "a\x00\n", []line{{1, "a\x00", false}}, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			l := NewLines(strings.NewReader(tc.in), limit)
			if got := all(l); !reflect.DeepEqual(got, tc.want) || l.Err != tc.err {
				t.Errorf("Got %v and error %v, want %v and %v", got, l.Err, tc.want, tc.err)
			}
			if l.Err == nil && l.Read != int64(len(tc.in)) {
				t.Errorf("Read %d of %d bytes", l.Read, len(tc.in))
			}
		})
	}
}

func TestLinesOfGrowingInput(t *testing.T) {
	var in strings.Builder
	l := NewLines(&growing{b: &in}, 8)
	l.Growing = true
	for _, step := range []struct {
		more string
		want []line
		part string
	}{
		{"a\nb", []line{{1, "a", false}}, "b"},
		{"", nil, "b"},
		{"c\n", []line{{2, "bc", false}}, ""},
		{strings.Repeat("x", 9), nil, "xxxxxxxx"},
		{"y\nz\n", []line{{3, "xxxxxxxx", true}, {4, "z", false}}, ""},
	} {
		in.WriteString(step.more)
		if got := all(l); !reflect.DeepEqual(got, step.want) || l.Err != nil || string(l.Text) != step.part {
			t.Errorf("After %q: got %v, error %v and part %q, want %v and %q", step.more, got, l.Err, l.Text, step.want, step.part)
		}
	}
}

// growing reads what has been written so far.
type growing struct {
	b  *strings.Builder
	at int
}

func (g *growing) Read(p []byte) (int, error) {
	r := strings.NewReader(g.b.String()[g.at:])
	n, err := r.Read(p)
	g.at += n
	return n, err
}

// FuzzLines holds that lines are those that strings.Split finds, cut to the
// limit.
func FuzzLines(f *testing.F) {
	for _, seed := range []string{"a\nb", "\r\n\r", "\ufeffa\r\r\n", "123456789\n1", "\xff\xfea", strings.Repeat("\r", 70_000)} {
		f.Add(seed, 8)
	}
	f.Fuzz(func(t *testing.T, in string, limit int) {
		limit = limit&0xff + 4
		l := NewLines(strings.NewReader(in), limit)
		got := all(l)
		if l.Err != nil {
			return
		}
		want := strings.Split(in, "\n")
		if want[len(want)-1] == "" {
			want = want[:len(want)-1]
		}
		if len(got) != len(want) {
			t.Fatalf("Got %d lines of %q, want %d", len(got), in, len(want))
		}
		for i, w := range want {
			w = strings.TrimSuffix(w, "\r")
			if long := len(w) > limit; long != got[i].long {
				t.Errorf("Line %d of %q: long is %v", i+1, in, got[i].long)
			}
			w = w[:min(len(w), limit)]
			if i == 0 {
				w = strings.TrimPrefix(w, "\ufeff")
			}
			if got[i].text != w {
				t.Errorf("Got %q, want %q", got[i].text, w)
			}
		}
	})
}
