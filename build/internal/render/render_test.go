package render

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
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
	f    *judge.Finding
}) {
	steps := []string{"the TLD ml is set aside", `"army" is "army" of army.mil`}
	one := []string{"one step"}
	found := func(steps []string, o lookalike.Outcome, a record.Action, v *detect.Verdict) *judge.Finding {
		f := &judge.Finding{
			Steps: func() []string { return steps }, Listed: func() string { return "list.txt:7" },
			Origin: "the directive at Corefile:3, server block .:53", Where: "Corefile:3",
		}
		f.Verdict, f.Action.Kind, f.Outcome = v, a, o
		return f
	}
	add := func(name string, f *judge.Finding) {
		list = append(list, struct {
			name string
			f    *judge.Finding
		}{name, f})
	}
	many := &detect.Verdict{Class: detect.Embedding, Confidence: detect.Low, Reason: "many"}
	for i := range 12 {
		m := fmt.Sprintf("n%d.example", i)
		many.Matches = append(many.Matches, detect.Match{Protected: m, DidYouMean: "x." + m})
	}
	add("mail.ARMY.ml.", found(steps, lookalike.Acts, record.NXDomain, &detect.Verdict{
		Class: detect.TLDSwap, Confidence: detect.High, Name: "mail.army.ml", Registrable: "army.ml", Reason: "mail.army.ml is mail.army.mil under another TLD",
		Matches: []detect.Match{{Protected: "army.mil", DidYouMean: "mail.army.mil"}},
	}))
	add("example.ml", nil)
	add("_dmarc.xn--rmy-5cd.ml", found(steps, lookalike.Acts, record.Monitor, &detect.Verdict{
		Class: detect.IDNHomoglyph, Confidence: detect.Medium, Service: "_dmarc", Unicode: "_dmarc.аrmy.ml", Reason: "reads as army",
		Matches: []detect.Match{{Protected: "army.mil", DidYouMean: "army.mil"}, {Protected: "army.nl", DidYouMean: "army.nl"}},
	}))
	add("club.army.ml", found(one, lookalike.Allowed, record.Sinkhole, &detect.Verdict{
		Class: detect.TLDSwap, Confidence: detect.High, Reason: "swap <&>",
		Matches: []detect.Match{{Protected: "army.mil", DidYouMean: "club.army.mil"}},
	}))
	add("a\x1b[2J\xff\u202eb.ml", found(one, lookalike.TurnedOff, record.Off, many))
	add("\xef\xff.ml", nil)
	idle := found(one, lookalike.Acts, record.NXDomain, &detect.Verdict{
		Class: detect.Typo, Confidence: detect.High, Reason: "two letters swapped",
		Matches: []detect.Match{{Protected: "navy.mil", DidYouMean: "navy.mil"}},
	})
	idle.Idle, idle.Besides = "192.0.2.1 is not among the clients of Corefile:3", []string{"the directive at Corefile:9 is not for this client"}
	add("nayv.ml", idle)
	return list
}

func TestText(t *testing.T) {
	explain := func(string) []string { return []string{"the name lies under no lookalike TLD"} }
	for _, tc := range []struct {
		golden      string
		color, full bool
	}{
		{"text", false, true},
		{"text-stream", false, false},
		{"text-color", true, false},
	} {
		var b bytes.Buffer
		w := &Text{W: &b, Explain: explain, ProtectedAt: func(string) string { return "" }, Paint: Paint(tc.color), Full: tc.full}
		for _, s := range samples() {
			if err := w.Write(s.name, s.name, s.f); err != nil {
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
	w := NewJSON(&b)
	for _, s := range samples() {
		if err := w.Write(s.name, s.name, s.f); err != nil {
			t.Fatal(err)
		}
	}
	golden(t, "json", b.Bytes())
}

func TestEffectsAndMeanings(t *testing.T) {
	for _, a := range record.Actions() {
		if a.Effect() == "" {
			t.Errorf("Nobody is told what %s does", a)
		}
	}
	for _, class := range detect.Classes() {
		if class.Meaning() == "" {
			t.Errorf("Nobody is told what %s is", class)
		}
	}
}
