package alertlog

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Filter selects alerts. A zero field selects all.
type Filter struct {
	Client    netip.Prefix // of the client, or of one among those of a roll-up
	Class     detect.Class
	Action    record.Action
	Name      string    // queried, or one that the queried one lies below; in lower case
	Protected string    // resembled, or one that it lies below; in lower case
	Since     time.Time // of the last query
	Until     time.Time // exclusive
}

// Match reports whether the filter chooses the alert.
func (f *Filter) Match(r *Record) bool {
	return (f.Class == detect.None || r.Class == f.Class) &&
		(f.Action == record.Off || r.Action == f.Action) &&
		(f.Since.IsZero() || !r.End.Before(f.Since)) &&
		(f.Until.IsZero() || r.End.Before(f.Until)) &&
		(f.Name == "" || below(r.Name, f.Name) || slices.ContainsFunc(r.Samples, func(s string) bool { return below(s, f.Name) })) &&
		(f.Protected == "" || slices.ContainsFunc(r.Protected, func(p string) bool { return below(p, f.Protected) })) &&
		(!f.Client.IsValid() || f.client(r))
}

func (f *Filter) client(r *Record) bool {
	return f.Client.Contains(r.Client) || r.Phase == record.Storm &&
		slices.ContainsFunc(r.Clients, func(a netip.Addr) bool { return f.Client.Contains(a.Unmap()) })
}

// below reports whether name is parent or lies below it.
func below(name, parent string) bool {
	rest, ok := strings.CutSuffix(strings.ToLower(name), parent)
	return ok && (rest == "" || strings.HasSuffix(rest, "."))
}
