package render

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/lookalike-dns/lookalike/build/internal/exceptions"
	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// Result is one line of the JSON output.
type Result struct {
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

// JSON writes one object per line.
type JSON struct {
	w   io.Writer
	enc *json.Encoder // into buf
	buf bytes.Buffer
	res Result // its slices are used again
}

// NewJSON returns a JSON that writes to w.
func NewJSON(w io.Writer) *JSON {
	j := &JSON{w: w, res: Result{Protected: []string{}, DidYouMean: []string{}}}
	j.enc = json.NewEncoder(&j.buf)
	j.enc.SetEscapeHTML(false)
	return j
}

// Write writes the finding about a name in the form given. The finding is nil if the
// name resembles nothing.
func (j *JSON) Write(given, _ string, f *judge.Finding) error {
	// JSON has no other way to carry octets that are not UTF-8.
	name := text.Escape(given, func(rune) bool { return false })
	j.res = Result{Name: name, Protected: j.res.Protected[:0], DidYouMean: j.res.DidYouMean[:0]}
	if f != nil {
		v := f.Verdict
		j.res.Class, j.res.Confidence = v.Class.String(), v.Confidence.String()
		for _, m := range v.Matches {
			j.res.Protected = append(j.res.Protected, m.Protected)
		}
		j.res.DidYouMean = v.Meant()
		j.res.Unicode, j.res.Action, j.res.Reason = v.Unicode, f.ActionName(), v.Reason
		j.res.Directive = Display(f.Where)
		j.res.Exception = exceptions.NewObject(f.Exception, Display)
	}
	j.buf.Reset()
	if err := j.enc.Encode(&j.res); err != nil {
		return err
	}
	line := bytes.TrimSuffix(j.buf.Bytes(), []byte("\n"))
	_, err := j.w.Write(append(text.EscapeJSON(line, text.Unsafe), '\n'))
	return err
}

// End does nothing: each object is complete.
func (j *JSON) End() error { return nil }
