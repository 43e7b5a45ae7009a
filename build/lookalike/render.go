package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/lookalike-dns/lookalike/build/internal/exceptions"
	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// jsonResult is one line of the JSON output.
type jsonResult struct {
	Name       string   `json:"name"`
	Class      string   `json:"class"`
	Confidence string   `json:"confidence"`
	Protected  []string `json:"protected"`
	DidYouMean []string `json:"did_you_mean"`
	Unicode    string   `json:"unicode"`
	Action     string   `json:"action"`
	Reason     string   `json:"reason"`
	Directive  string   `json:"directive"`

	Exception *exceptions.Object `json:"exception,omitempty"`
}

// jsonWriter writes one object a line.
type jsonWriter struct {
	w   io.Writer
	enc *json.Encoder // into buf
	buf bytes.Buffer
	res jsonResult // its slices are used again
}

func newJSONWriter(w io.Writer) *jsonWriter {
	j := &jsonWriter{w: w, res: jsonResult{Protected: []string{}, DidYouMean: []string{}}}
	j.enc = json.NewEncoder(&j.buf)
	j.enc.SetEscapeHTML(false)
	return j
}

func (j *jsonWriter) write(given, _ string, f *judge.Finding) error {
	// JSON has no other way to carry octets that are not UTF-8.
	name := text.Escape(given, func(rune) bool { return false })
	j.res = jsonResult{Name: name, Protected: j.res.Protected[:0], DidYouMean: j.res.DidYouMean[:0]}
	if f != nil {
		v := f.Verdict
		j.res.Class, j.res.Confidence = v.Class.String(), v.Confidence.String()
		for _, m := range v.Matches {
			j.res.Protected = append(j.res.Protected, m.Protected)
		}
		j.res.DidYouMean = v.Meant()
		j.res.Unicode, j.res.Action, j.res.Reason = v.Unicode, f.ActionName(), v.Reason
		j.res.Directive = display(f.Where)
		j.res.Exception = exceptions.NewObject(f.Exception, display)
	}
	j.buf.Reset()
	if err := j.enc.Encode(&j.res); err != nil {
		return err
	}
	line := bytes.TrimSuffix(j.buf.Bytes(), []byte("\n"))
	_, err := j.w.Write(append(text.EscapeJSON(line, text.Unsafe), '\n'))
	return err
}

func (j *jsonWriter) end() error { return nil }

// display returns text fit for a terminal: what is not printable could move the
// cursor or turn the direction of writing.
func display(s string) string {
	return text.Escape(s, func(c rune) bool { return !unicode.IsPrint(c) })
}

// textWriter writes for people.
type textWriter struct {
	w           io.Writer
	explain     func(name string) []string // why a name resembles nothing
	protectedAt func(name string) string   // where a name is listed itself
	more        string                     // said once where a name resembles nothing; may be empty
	paint       paint
	full        bool // say of names that resemble nothing why, too
	apart       bool // a blank line is due
	passed      bool // a name resembled nothing
}

func (t *textWriter) write(given, name string, f *judge.Finding) error {
	var b strings.Builder
	if t.apart {
		b.WriteByte('\n')
	}
	t.apart = f != nil || t.full
	switch {
	case f != nil:
		t.finding(&b, given, f)
	case t.full:
		t.unlike(&b, given, name)
	default:
		t.passed = true
		fmt.Fprintf(&b, "%s resembles no protected name\n", display(given))
	}
	_, err := io.WriteString(t.w, b.String())
	return err
}

// unlike writes why a name resembles no other.
func (t *textWriter) unlike(b *strings.Builder, given, name string) {
	if at := t.protectedAt(name); at != "" {
		fmt.Fprintf(b, "%s is itself protected\n", display(given))
		row(b, "listed at", display(at))
		return
	}
	t.passed = true
	fmt.Fprintf(b, "%s resembles no protected name\n", display(given))
	steps(b, t.explain(name))
}

func (t *textWriter) end() error {
	if !t.passed || t.more == "" {
		return nil
	}
	_, err := fmt.Fprintf(t.w, "\nnote: %s\n", display(t.more))
	return err
}

// finding writes one name that resembles others.
func (t *textWriter) finding(b *strings.Builder, given string, f *judge.Finding) {
	v := f.Verdict
	protected, meant := make([]string, len(v.Matches)), v.Meant()
	for i, m := range v.Matches {
		protected[i] = display(m.Protected)
	}
	for i, name := range meant {
		meant[i] = display(name)
	}
	verdict := "resembles a protected name"
	if f.Allowed() {
		verdict = "is allowed; it " + verdict
	}
	color := confidenceColor[v.Confidence]
	if f.Allowed() {
		color = green
	}
	fmt.Fprintf(b, "%s %s\n", display(given), t.paint.in(color, verdict))
	row(b, "class", fmt.Sprintf("%s (%s)", v.Class, v.Class.Meaning()))
	row(b, "confidence", v.Confidence.String())
	row(b, "protected", enumerate(protected))
	row(b, "did you mean", enumerate(meant))
	if v.Unicode != "" {
		row(b, "in Unicode", display(v.Unicode))
	}
	if v.Service != "" {
		row(b, "service", display(v.Service)+" (set aside)")
	}
	steps(b, f.Steps())
	switch {
	case f.Idle != "":
		row(b, "action", fmt.Sprintf("none (%s)", display(f.Idle)))
	case f.Allowed():
		row(b, "action", fmt.Sprintf("%s (an allow line lets the name through; otherwise %s)", judge.ActionAllow, f.Action))
	default:
		row(b, "action", fmt.Sprintf("%s (%s)", f.Action, f.Action.Kind.Effect()))
	}
	if f.Exception != nil && !f.Exception.Bare() {
		row(b, "exception", display(exceptions.Describe(f.Exception, time.Now())))
	}
	row(b, "according to", display(f.Origin))
	if t.full {
		if at := f.Listed(); at != "" {
			row(b, "listed at", display(at))
		}
	}
	for _, note := range f.Besides {
		row(b, "but", display(note))
	}
}

func row(b *strings.Builder, key, value string) { fmt.Fprintf(b, "  %-13s %s\n", key, value) }

// steps writes the reasoning, one step a line.
func steps(b *strings.Builder, why []string) {
	for i, step := range why {
		key := ""
		if i == 0 {
			key = "why"
		}
		if len(why) > 1 {
			step = fmt.Sprintf("%d. %s", i+1, step)
		}
		row(b, key, display(step))
	}
}

// maxListed is how many names are listed for people; JSON has them all.
const maxListed = 8

// enumerate joins names for people.
func enumerate(names []string) string {
	if more := len(names) - maxListed; more > 0 {
		names = append(slices.Clone(names[:maxListed]), fmt.Sprintf("%d more", more))
	}
	return text.Join(names, "and")
}
