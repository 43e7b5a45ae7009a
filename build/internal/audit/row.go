package audit

import (
	"strconv"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/report"
)

// Columns are the columns of the CSV form, which has one row per finding. SCHEMA.md
// of package report describes them.
var Columns = []string{
	"time", "time_guessed", "host", "client", "sender", "recipient", "original", "name", "type", "outcome", "count", "deferrals", "next_hop", "id",
	"domain", "registrable", "unicode", "class", "confidence", "protected", "did_you_mean", "action", "stopped", "reason", "directive", "format", "file", "line",
}

// Row returns a finding in the order of Columns.
func (f *Finding) Row(hide *report.Hider, zone *time.Location) []string {
	v := f.Verdict
	at := ""
	if !f.Time.IsZero() {
		at = f.Time.In(zone).Format(time.RFC3339)
	}
	protected, meant := "", ""
	if len(v.Matches) > 0 {
		protected, meant = v.Matches[0].Protected, v.Matches[0].DidYouMean
	}
	line := ""
	if f.Line > 0 {
		line = strconv.Itoa(f.Line)
	}
	return []string{
		at, strconv.FormatBool(f.Guessed), f.Logger, f.Client, hide.Address(f.Sender), hide.Address(f.Recipient), hide.Address(f.Original),
		f.Name, f.Qtype, f.Outcome.String(), strconv.FormatUint(f.Times(), 10), strconv.Itoa(f.Deferrals), f.NextHop, f.ID,
		f.Domain, v.Registrable, v.Unicode, v.Class.String(), v.Confidence.String(), protected, meant,
		f.ActionName(), strconv.FormatBool(f.stopped()), v.Reason, f.Where, f.Format, f.File, line,
	}
}
