package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/lookalike-dns/lookalike/build/internal/input"
	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/build/internal/render"
)

// FuzzCheck gives arbitrary bytes to check as its input: nothing panics, each
// name gives one JSON object, and text for people holds nothing that a
// terminal would obey.
func FuzzCheck(f *testing.F) {
	f.Add([]byte("army.ml\nexample.ml\n"))
	f.Add([]byte("\xef\xbb\xbf# c\r\n\r\nARMY.ml. # x\r\na#b.ml"))
	f.Add([]byte("xn--rmy-5cd.ml\nармия.ml\n\x1b[2J.ml\nus\\.army.ml\n\xff.army.ml\n"))
	f.Add([]byte(strings.Repeat("x", input.MaxLine+1) + "\nnavy.ml\n"))
	f.Add([]byte("ａｒｍｙ．ｍｌ\narmy.ⓜⓛ\narmy.ml,high\n\"army.ml\"\narmy.ml\x00"))
	f.Add([]byte("_25._tcp.mx.army.ml\na..b\n\x00\n\u202eyvan.ml\n"))
	j, err := silent.judge("")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		var text, objects, messages bytes.Buffer
		c := stream(j, input, &objects, &messages, true)
		c2 := stream(j, input, &text, &messages, false)
		if c.checked != c2.checked || c.found != c2.found || c.broken != c2.broken {
			t.Errorf("JSON says %+v, text %+v", c, c2)
		}
		lines := bytes.SplitAfter(objects.Bytes(), []byte("\n"))
		if got := len(lines) - 1; got != c.checked {
			t.Errorf("%d lines for %d names", got, c.checked)
		}
		for _, line := range lines[:len(lines)-1] {
			var r render.Result
			if err := json.Unmarshal(line, &r); err != nil || r.Protected == nil || r.DidYouMean == nil {
				t.Errorf("Line %q: %v", line, err)
			}
		}
		for _, b := range []bytes.Buffer{text, messages} {
			if s := b.String(); !utf8.ValidString(s) || strings.ContainsFunc(s, hostile) {
				t.Errorf("Text %q is not fit for a terminal", s)
			}
		}
	})
}

func hostile(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }

func stream(j *judge.Judge, input []byte, out, messages io.Writer, asJSON bool) *checker {
	c := &checker{env: &env{bytes.NewReader(input), out, messages}, judge: j, out: bufio.NewWriter(out)}
	if asJSON {
		c.render = render.NewJSON(c.out)
	} else {
		c.render = &render.Text{W: c.out, Explain: j.Explain, ProtectedAt: j.ProtectedAt, Full: true}
	}
	c.stream()
	return c
}

// FuzzTail shows arbitrary bytes as a file of alerts: nothing that a terminal
// would obey comes out.
func FuzzTail(f *testing.F) {
	f.Add([]byte(alertLine("192.0.2.25", "army.ml", "tld-swap", "army.mil", 1)))
	f.Add([]byte(strings.ReplaceAll(alertLine("192.0.2.25", "a@b.ml", "typo", "army.mil", 1), "@", `\u001b\u202e`)))
	f.Add([]byte(`{"message":"\u009b2J","lookalike":{"phase":"lost"}}` + "\n{}\n\xff\x1b[2J\n"))
	f.Add([]byte(`{"lookalike":{"phase":"storm","smtp":[{"from":"\u2028","to":"\u0007"}],"unicode":"\u200b"}}` + "\n"))
	f.Add([]byte("\xff\xfe{\x00\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, args := range [][]string{{"alert", "tail", "-"}, {"alert", "tail", "-class", "typo", "-client", "192.0.2.0/24", "-protected", "army.mil", "-"}} {
			_, stdout, stderr := runTool(string(input), args...)
			if s := stdout + stderr; !utf8.ValidString(s) || strings.ContainsFunc(s, hostile) {
				t.Errorf("%q is not fit for a terminal", s)
			}
		}
	})
}
