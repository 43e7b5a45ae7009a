package detect

import (
	"fmt"
	"slices"
)

// Confidence grades a verdict by its class and the length of the match.
type Confidence uint8

// The confidences; the zero value belongs to names that resemble nothing.
const (
	Unsure Confidence = iota
	Low
	Medium
	High
)

var confidenceNames = [...]string{"", "low", "medium", "high"}

// String returns the confidence as it is written in Corefiles and alerts;
// Unsure is the empty string.
func (c Confidence) String() string { return confidenceNames[c] }

// ParseConfidence is the inverse of String. It does not accept the empty
// string.
func ParseConfidence(s string) (Confidence, error) {
	for c := Low; c <= High; c++ {
		if confidenceNames[c] == s {
			return c, nil
		}
	}
	return Unsure, fmt.Errorf("unknown confidence %q", s)
}

// MarshalText writes the confidence as String does.
func (c Confidence) MarshalText() ([]byte, error) {
	if int(c) >= len(confidenceNames) {
		return nil, fmt.Errorf("no confidence has the number %d", c)
	}
	return []byte(c.String()), nil
}

// UnmarshalText reads what MarshalText writes.
func (c *Confidence) UnmarshalText(text []byte) (err error) {
	if *c = Unsure; len(text) > 0 {
		*c, err = ParseConfidence(string(text))
	}
	return err
}

// Match is one protected name that a queried name resembles. Both names are
// in lower-case presentation form without a trailing dot.
type Match struct {
	Protected  string // the protected name: army.mil
	DidYouMean string // the full name that was probably meant: mail.army.mil
}

// Verdict says how a name resembles protected names. All names in it are in
// lower-case presentation form (RFC 1035 section 5.1, RFC 4343) without a
// trailing dot.
type Verdict struct {
	Class      Class
	Confidence Confidence

	// Matches holds the protected names that match at Class, best first: all of
	// them, or the best MaxMatches.
	Matches []Match

	// Name is the queried name, canonicalised.
	Name string
	// Registrable is the name that a registrant below the lookalike TLD
	// holds: one label and the public suffix.
	Registrable string
	// Service is the run of leading labels up to the last one with an underscore:
	// "_25._tcp", "s1._domainkey". The comparison ignores it.
	Service string
	// Unicode is Name with its A-labels and raw UTF-8 labels in Unicode, or empty
	// if that equals Name.
	Unicode string
	// Reason explains the match in one sentence. It names every slip.
	Reason string
	// Slips are the differences between the first of Matches, written in Unicode,
	// and the queried name, in the order of their places. Apply turns the first
	// into the second.
	Slips []Slip
}

// Meant returns the full names that were probably meant, best first and without
// duplicates.
func (v *Verdict) Meant() []string {
	meant := make([]string, 0, len(v.Matches))
	for i := range v.Matches {
		if name := v.Matches[i].DidYouMean; !slices.Contains(meant, name) {
			meant = append(meant, name)
		}
	}
	return meant
}

// Brief is a short verdict.
type Brief struct {
	Class       Class
	Confidence  Confidence
	Protected   []string // as Matches of Verdict
	Registrable string   // as in Verdict
}
