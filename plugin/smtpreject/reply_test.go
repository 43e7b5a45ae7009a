package smtpreject

import (
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

func verdict(didYouMean ...string) *detect.Verdict {
	v := &detect.Verdict{Class: detect.TLDSwap}
	for _, name := range didYouMean {
		v.Matches = append(v.Matches, detect.Match{Protected: name, DidYouMean: name})
	}
	return v
}

func TestRefusal(t *testing.T) {
	long := strings.Repeat("x", 600)
	tests := []struct {
		name     string
		template string
		local    string
		domain   string
		verdict  *detect.Verdict
		want     string // after the code; "*" stands for anything
	}{
		{"one", defaultReply, "bob", "army.ml", verdict("army.mil"),
			"<bob@army.ml>: not delivered: army.ml resembles army.mil; did you mean bob@army.mil?"},
		{"below a protected name", defaultReply, "bob", "mail.army.ml",
			&detect.Verdict{Matches: []detect.Match{{Protected: "army.mil", DidYouMean: "mail.army.mil"}}},
			"<bob@mail.army.ml>: not delivered: mail.army.ml resembles army.mil; did you mean bob@mail.army.mil?"},
		{"three", defaultReply, "bob", "dla.ml", verdict("dla.mil", "dia.mil", "dma.mil"),
			"<bob@dla.ml>: not delivered: dla.ml resembles dla.mil, dia.mil and dma.mil; did you mean bob@dla.mil, bob@dia.mil or bob@dma.mil?"},
		{"the same suggestion twice", defaultReply, "bob", "army.ml", verdict("army.mil", "army.mil"),
			"<bob@army.ml>: not delivered: army.ml resembles army.mil; did you mean bob@army.mil?"},
		{"more than fit", defaultReply, "bob", "x.ml", verdict(ambiguous()...),
			"<bob@x.ml>: not delivered: x.ml resembles a-name-that-ends-in-a.mil, * more; did you mean bob@a-name-that-ends-in-a.mil, * more?"},
		{"a name of 250 octets", defaultReply, "bob", strings.Repeat("x.", 124) + "ml", verdict(strings.Repeat("x.", 123) + "mil"), "*"},
		{"a long local part", "{suggestions}", strings.Repeat("x", 300), "army.ml", verdict("army.mil"),
			strings.Repeat("x", 300) + "@army.mil"},
		{"a local part that cannot fit", defaultReply, long, "army.ml", verdict("army.mil"),
			"*...>: not delivered: army.ml resembles army.mil; did you mean xxx*...@army.mil?"},
		{"a local part outside ASCII", defaultReply, "ω\u202e", "army.ml", verdict("army.mil"),
			`<\x{3C9}\x{202E}@army.ml>: not delivered: army.ml resembles army.mil; did you mean \x{3C9}\x{202E}@army.mil?`},
		{"own text", "{domain} is in Mali, {protected} is not. Try {suggestions}, {recipient}.", "bob", "army.ml", verdict("army.mil"),
			"army.ml is in Mali, army.mil is not. Try bob@army.mil, bob@army.ml."},
		{"own text without a placeholder", "Call extension 100.", "bob", "army.ml", verdict("army.mil"), "Call extension 100."},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			template, err := parseTemplate(tc.template)
			if err != nil {
				t.Fatal(err)
			}
			got := template.refusal(path{local: tc.local, domain: tc.domain, ascii: tc.domain}, tc.verdict)
			checkReply(t, got)
			if want := "550 5.1.2 " + tc.want; !matches(got, want) {
				t.Errorf("Got  %q (%d octets)\nwant %q", got, len(got), want)
			}
		})
	}
}

// matches reports whether s is want, in which "*" stands for anything.
func matches(s, want string) bool {
	parts := strings.Split(want, "*")
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	for _, part := range parts[1:] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return s == "" || strings.HasSuffix(want, "*")
}

// checkReply checks what holds for every reply line.
func checkReply(t *testing.T, line string) {
	t.Helper()
	if len(line) > maxReply {
		t.Errorf("%d octets, more than %d: %q", len(line), maxReply, line)
	}
	if i := strings.IndexFunc(line, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
		t.Errorf("Not printable ASCII at %d: %q", i, line)
	}
}

func TestParseTemplate(t *testing.T) {
	tests := []struct{ text, err string }{
		{defaultReply, ""},
		{"Call extension 100.", ""},
		{"{suggestions}", ""},
		{"", "the text is empty"},
		{" ", "the text is empty"},
		{"see {url}", "unknown placeholder {url}"},
		{"see {recipient", "no '}'"},
		{"naïve", "only printable ASCII"},
		{"two\nlines", "only printable ASCII"},
		{strings.Repeat("x", 256), "too many"},
	}
	for _, tc := range tests {
		_, err := parseTemplate(tc.text)
		if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
			t.Errorf("%.40q: got error %v, want %q", tc.text, err, tc.err)
		}
	}
}
