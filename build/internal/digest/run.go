package digest

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
)

// Options select the alerts of a page.
type Options struct {
	Month   time.Time // any time in it, in the zone of the page
	Now     time.Time
	Hide    *report.Hider
	Version string
	// Policies are the directives whose exceptions the page lists. There may be none.
	Policies []*lookalike.Policy

	// Alert is called for each alert on the page. It may be nil.
	Alert func(*alertlog.Record) error
}

// Run reads the alerts of files, streams, and stdin for "-", and makes a page of them.
// It returns the error of ctx or Alert, or an error for a file that cannot be opened.
// It returns the problems of single files separately.
func Run(ctx context.Context, files []string, stdin io.Reader, o *Options) (*report.Page, []error, error) {
	b := New(o.Month, o.Hide)
	sources := make(map[string]*report.File)
	var damaged []error
	for _, source := range files {
		name := alertlog.Name(source)
		sources[name] = &report.File{Name: name, Format: "alerts (ecs)"}
		b.file(name)
	}
	ao := alertlog.Options{Stdin: stdin, Problem: func(p alertlog.Problem) {
		f := sources[p.File]
		if p.Line == 0 {
			damaged = append(damaged, p)
			f.Damage = p.Error()
			return
		}
		const most = 3
		f.Lines++
		if f.Unknown++; len(f.Samples) < most {
			f.Samples = append(f.Samples, o.Hide.Line(fmt.Sprintf("%s: %.200s", p.Error(), p.Text)))
		}
	}}
	err := alertlog.Read(ctx, files, ao, func(r *alertlog.Record) error {
		f := sources[r.File]
		f.Lines++
		f.Used++
		if b.Add(r) && o.Alert != nil {
			return o.Alert(r)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	p := b.Page(o.Now)
	p.Version = o.Version
	if p.Exceptions, err = Exceptions(o.Policies, o.Now); err != nil {
		return nil, nil, err
	}
	for _, source := range files {
		f := sources[alertlog.Name(source)]
		p.Read.Files = append(p.Read.Files, *f)
		p.Read.Lines += f.Lines
		p.Read.Unknown += f.Unknown
	}
	return p, damaged, nil
}
