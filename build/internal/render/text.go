package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/exceptions"
	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// Text writes findings for people.
type Text struct {
	W           io.Writer
	Explain     func(name string) []string // why a name resembles nothing
	ProtectedAt func(name string) string   // where a name is listed itself
	More        string                     // said once where a name resembles nothing; may be empty
	Paint       Paint
	Full        bool // say of names that resemble nothing why, too
	apart       bool // a blank line is due
	passed      bool // a name resembled nothing
}

// Write writes the finding about a name in the form given. The finding is nil if the
// name resembles nothing.
func (t *Text) Write(given, name string, f *judge.Finding) error {
	var b strings.Builder
	if t.apart {
		b.WriteByte('\n')
	}
	t.apart = f != nil || t.Full
	switch {
	case f != nil:
		t.finding(&b, given, f)
	case t.Full:
		t.unlike(&b, given, name)
	default:
		t.passed = true
		fmt.Fprintf(&b, "%s resembles no protected name\n", Display(given))
	}
	_, err := io.WriteString(t.W, b.String())
	return err
}

// unlike writes why a name resembles no other.
func (t *Text) unlike(b *strings.Builder, given, name string) {
	if at := t.ProtectedAt(name); at != "" {
		fmt.Fprintf(b, "%s is itself protected\n", Display(given))
		row(b, "listed at", Display(at))
		return
	}
	t.passed = true
	fmt.Fprintf(b, "%s resembles no protected name\n", Display(given))
	steps(b, t.Explain(name))
}

// End writes the remarks that come once, after all names.
func (t *Text) End() error {
	if !t.passed || t.More == "" {
		return nil
	}
	_, err := fmt.Fprintf(t.W, "\nnote: %s\n", Display(t.More))
	return err
}

// finding writes one name that resembles others.
func (t *Text) finding(b *strings.Builder, given string, f *judge.Finding) {
	v := f.Verdict
	protected, meant := make([]string, len(v.Matches)), v.Meant()
	for i, m := range v.Matches {
		protected[i] = Display(m.Protected)
	}
	for i, name := range meant {
		meant[i] = Display(name)
	}
	verdict := "resembles a protected name"
	if f.Allowed() {
		verdict = "is allowed; it " + verdict
	}
	color := ConfidenceColor[v.Confidence]
	if f.Allowed() {
		color = Green
	}
	fmt.Fprintf(b, "%s %s\n", Display(given), t.Paint.In(color, verdict))
	row(b, "class", fmt.Sprintf("%s (%s)", v.Class, v.Class.Meaning()))
	row(b, "confidence", v.Confidence.String())
	row(b, "protected", enumerate(protected))
	row(b, "did you mean", enumerate(meant))
	if v.Unicode != "" {
		row(b, "in Unicode", Display(v.Unicode))
	}
	if v.Service != "" {
		row(b, "service", Display(v.Service)+" (set aside)")
	}
	steps(b, f.Steps())
	switch {
	case f.Idle != "":
		row(b, "action", fmt.Sprintf("none (%s)", Display(f.Idle)))
	case f.Allowed():
		row(b, "action", fmt.Sprintf("%s (an allow line lets the name through; otherwise %s)", judge.ActionAllow, f.Action))
	default:
		row(b, "action", fmt.Sprintf("%s (%s)", f.Action, f.Action.Kind.Effect()))
	}
	if f.Exception != nil && !f.Exception.Bare() {
		row(b, "exception", Display(exceptions.Describe(f.Exception, time.Now())))
	}
	row(b, "according to", Display(f.Origin))
	if t.Full {
		if at := f.Listed(); at != "" {
			row(b, "listed at", Display(at))
		}
	}
	for _, note := range f.Besides {
		row(b, "but", Display(note))
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
		row(b, key, Display(step))
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
