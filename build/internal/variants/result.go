// Package variants finds out which of the lookalikes of a list exist and take
// mail, and writes and reads what it found.
package variants

import (
	"slices"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/variants"
)

// Result is a lookalike and, where it was asked for, what the DNS has of it. Its
// JSON form is one line of the output.
type Result struct {
	Name       string            `json:"name"`
	Unicode    string            `json:"unicode"`
	Protected  string            `json:"protected"`
	Class      detect.Class      `json:"class"`
	Confidence detect.Confidence `json:"confidence"`
	*Answer
	Change Change `json:"change,omitempty"`
}

// NewResult returns the result for a lookalike that was not asked for.
func NewResult(v *variants.Variant) Result {
	return Result{Name: v.Name, Unicode: v.Unicode, Protected: v.Protected, Class: v.Class, Confidence: v.Confidence}
}

// Answer is what the DNS has of a name.
type Answer struct {
	Exists    bool     `json:"exists"` // its registrable name is delegated
	Mail      Mail     `json:"mail"`
	NS        []string `json:"ns"` // of the registrable name
	MX        []string `json:"mx"`
	Addresses []string `json:"addresses"`
	Error     string   `json:"error,omitempty"` // why it could not be found out
}

// exists reports whether the result is of a name that is known to exist.
func (r *Result) exists() bool { return r.Answer != nil && r.Exists }

// Mail says how a name takes mail.
type Mail string

// The ways to take mail.
const (
	NoMail    Mail = "none"    // the name has neither MX nor address
	ByMX      Mail = "mx"      // it has MX records
	NullMX    Mail = "null-mx" // it says that it takes none (RFC 7505)
	ByAddress Mail = "address" // it has none, but an address (RFC 5321 section 5.1)
)

// takes reports whether mail would be delivered.
func (m Mail) takes() bool { return m == ByMX || m == ByAddress }

// Change is what has become of a name since an earlier run.
type Change string

// The changes.
const (
	New     Change = "new"  // it exists, and did not
	Gone    Change = "gone" // it existed
	NewMail Change = "mail" // it takes mail in another way, or by other hosts
)

// Earlier holds the names of an earlier run that existed.
type Earlier map[string]*Answer

// compare says what has changed about a name.
func (e Earlier) compare(r *Result) Change {
	before := e[r.Name]
	switch {
	case r.Answer == nil || r.Error != "":
		return ""
	case before == nil && r.Exists:
		return New
	case before == nil:
		return ""
	case !r.Exists:
		return Gone
	case before.Mail != r.Mail || !slices.Equal(before.MX, r.MX):
		return NewMail
	}
	return ""
}
