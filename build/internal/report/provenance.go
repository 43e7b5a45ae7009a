package report

import (
	"fmt"
	"strings"
)

// read says what the page was made of.
func (v *view) read() {
	r := &v.Read
	add := func(label, value string) {
		if value != "" {
			v.ReadFacts = append(v.ReadFacts, fact{label, value})
		}
	}
	add("Period", date(v.Period.From, v.Period.In)+" to "+date(v.Period.To, v.Period.In))
	add("Time zone", v.Period.Zone)
	if r.Lines > 0 {
		add("Lines", Number(r.Lines))
		add("Not understood", fmt.Sprintf("%s (%s)", Number(r.Unknown), share(r.Unknown, r.Lines)))
	}
	if r.Guessed > 0 {
		add("Year or zone assumed", Some(r.Guessed, "event"))
	}
	if r.WithoutTime > 0 {
		add("Without a time", Some(r.WithoutTime, "event"))
	}
	if r.Protected > 0 {
		add("Protected names", Number(uint64(r.Protected)))
	}
	add("TLDs searched", strings.Join(r.TLDs, ", "))
	policy := r.Corefile
	if policy == "" {
		policy = "the default policy"
	}
	add("Policy", policy)
	add("SHA-256 of the Corefile", r.SHA256)
	for i := range r.Files {
		f := fileRow{r.Files[i], "all"}
		if f.Unknown > 0 {
			f.Understood = share(f.Lines-min(f.Unknown, f.Lines), f.Lines)
		}
		v.FileRows = append(v.FileRows, f)
		for _, sample := range f.Samples {
			if len(v.Samples) < mostSamples {
				v.Samples = append(v.Samples, sample)
			}
		}
	}
}

// mostSamples is how many lines that were not understood the page shows.
const mostSamples = 12

// share writes a part in percent, never as 0 or 100 where it is not.
func share(of, all uint64) string {
	switch {
	case all == 0 || of == 0:
		return "0 %"
	case of == all:
		return "100 %"
	}
	p := 100 * float64(of) / float64(all)
	switch {
	case p < 0.1:
		return "< 0.1 %"
	case p > 99.9:
		return "> 99.9 %"
	}
	return fmt.Sprintf("%.1f %%", p)
}
