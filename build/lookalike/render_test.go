package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

// golden compares got with a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("Output differs from %s (go test -update writes it anew); got:\n%s", path, got)
	}
}

// samples are findings of every form, made by hand so that the wording of the
// detector does not matter.
func samples() (list []struct {
	name string
	f    *finding
}) {
	r := &rule{
		explain: func(string) []string { return []string{"the TLD ml is set aside", `"army" is "army" of army.mil`} },
		origin:  "server block .:53 of Corefile",
	}
	one := &rule{explain: func(string) []string { return []string{"one step"} }, origin: r.origin}
	add := func(name string, f *finding) {
		list = append(list, struct {
			name string
			f    *finding
		}{name, f})
	}
	many := &detect.Verdict{Class: detect.Embedding, Confidence: detect.Low, Reason: "many"}
	for i := range 12 {
		m := fmt.Sprintf("n%d.example", i)
		many.Matches = append(many.Matches, detect.Match{Protected: m, DidYouMean: "x." + m})
	}
	add("mail.ARMY.ml.", &finding{rule: r, action: "nxdomain", verdict: &detect.Verdict{
		Class: detect.TLDSwap, Confidence: detect.High, Name: "mail.army.ml", Registrable: "army.ml", Reason: "mail.army.ml is mail.army.mil under another TLD",
		Matches: []detect.Match{{Protected: "army.mil", DidYouMean: "mail.army.mil"}},
	}})
	add("example.ml", nil)
	add("_dmarc.xn--rmy-5cd.ml", &finding{rule: r, action: "monitor", verdict: &detect.Verdict{
		Class: detect.IDNHomoglyph, Confidence: detect.Medium, Service: "_dmarc", Unicode: "_dmarc.аrmy.ml", Reason: "reads as army",
		Matches: []detect.Match{{Protected: "army.mil", DidYouMean: "army.mil"}, {Protected: "army.nl", DidYouMean: "army.nl"}},
	}})
	add("club.army.ml", &finding{rule: one, action: "sinkhole", allowed: true, verdict: &detect.Verdict{
		Class: detect.TLDSwap, Confidence: detect.High, Reason: "swap <&>",
		Matches: []detect.Match{{Protected: "army.mil", DidYouMean: "club.army.mil"}},
	}})
	add("a\x1b[2J\xff\u202eb.ml", &finding{rule: one, action: "off", verdict: many})
	add("\xef\xff.ml", nil)
	return list
}

func TestText(t *testing.T) {
	rules := []*rule{{explain: func(string) []string { return []string{"the name lies under no lookalike TLD"} }}}
	d := &decider{rules: rules, serving: func(string) []*rule { return rules }}
	for _, tc := range []struct {
		golden      string
		color, full bool
	}{
		{"text", false, true},
		{"text-stream", false, false},
		{"text-color", true, false},
	} {
		var b bytes.Buffer
		w := &textWriter{w: &b, decide: d, color: tc.color, full: tc.full}
		for _, s := range samples() {
			if err := w.write(s.name, s.name, s.f); err != nil {
				t.Fatal(err)
			}
		}
		golden(t, tc.golden, b.Bytes())
		if !tc.color && strings.ContainsAny(b.String(), "\x1b\u202e") {
			t.Error("The text has control characters")
		}
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	w := newJSONWriter(&b)
	for _, s := range samples() {
		if err := w.write(s.name, s.name, s.f); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "json", b.Bytes())
}

func TestEffectsAndMeanings(t *testing.T) {
	for _, action := range []string{"off", "monitor", "nxdomain", "nodata", "nullmx", "sinkhole", "refused", "servfail", "drop"} {
		if effects[action] == "" {
			t.Errorf("Nobody is told what %s does", action)
		}
	}
	for _, class := range detect.Classes() {
		if meanings[class] == "" {
			t.Errorf("Nobody is told what %s is", class)
		}
	}
}
