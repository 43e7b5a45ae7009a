package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
	"github.com/lookalike-dns/lookalike/build/internal/judge"
	"github.com/lookalike-dns/lookalike/build/internal/logfile"
	"github.com/lookalike-dns/lookalike/build/internal/report"
)

// Options control how Run reads and judges logs.
type Options struct {
	Judge   *judge.Judge
	Formats []event.Format
	Format  string // the name of the one that all logs have; empty: found by itself
	CoreDNS string // the format of CoreDNS's log directive; empty: the default
	Year    int    // of times without a year; 0: from the file
	Zone    *time.Location
	Since   time.Time // zero: from the beginning
	Until   time.Time // zero: to the end
	Now     time.Time
	Hide    *report.Hider
	Version string

	// Finding is called for each finding, in the order of the logs. It may be
	// nil, and must not keep what it is given.
	Finding func(*Finding) error
	// Progress is called often. It may be nil.
	Progress func(p logfile.Progress, events, found uint64)
}

// Result holds the findings of an audit.
type Result struct {
	Page  *report.Page
	Found uint64 // findings that no exception lets through
	Files []*logfile.File
}

// Damaged returns the reasons why files were not read to their ends.
func (r *Result) Damaged() (all []error) {
	for _, f := range r.Files {
		if f.Err != nil {
			all = append(all, f.Err)
		}
	}
	return all
}

// Run reads and judges logs: files, directories, and stdin for "-". It returns the
// error of ctx or Finding, or an error for a path that does not exist. The result
// holds the problems of single files.
func Run(ctx context.Context, paths []string, stdin io.Reader, o *Options) (*Result, error) {
	swift := judge.NewSwift(o.Judge)
	b := newBuilder(swift, o.Hide, o, usual)
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	lo := logfile.Options{
		Options: event.Options{Location: o.Zone, Year: o.Year, CoreDNS: o.CoreDNS, Now: o.Now, Wanted: swift.WatchesBytes},
		Formats: o.Formats, Format: o.Format,
	}
	if o.Progress != nil {
		lo.Progress = func(p logfile.Progress) { o.Progress(p, b.mail.events+b.queries.events, b.found) }
	}
	files, err := logfile.Read(ctx, paths, stdin, lo, func(e *event.Event) {
		if f := b.Add(e); f != nil && o.Finding != nil {
			if err := o.Finding(f); err != nil {
				stop(err)
			}
		}
	})
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, err
	}
	p := b.Page(o.Now)
	p.Version = o.Version
	provenance(p, files, o)
	return &Result{p, b.found, files}, nil
}

// provenance says what the page was made of.
func provenance(p *report.Page, files []*logfile.File, o *Options) {
	r := &p.Read
	r.Addresses, r.TLDs, r.Protected = o.Hide.Mode(), o.Judge.TLDs(), o.Judge.Protected()
	r.Corefile = o.Judge.Corefile()
	if contents, err := os.ReadFile(r.Corefile); err == nil {
		sum := sha256.Sum256(contents)
		r.SHA256 = hex.EncodeToString(sum[:])
	}
	titles := make(map[string]string)
	for _, f := range o.Formats {
		titles[f.Name] = f.Title
	}
	for _, f := range files {
		if f.CopyOf != "" {
			r.Notes = append(r.Notes, fmt.Sprintf("%s is a copy of %s, and was not read.", f.Path, f.CopyOf))
			continue
		}
		row := report.File{
			Name: f.Path, Bytes: f.Size,
			Lines: uint64(f.Lines), Used: uint64(f.Used), Passed: uint64(f.Passed), Unknown: uint64(f.Unknown), //nolint:gosec // counts
		}
		formats := make([]string, len(f.Formats))
		for i, name := range f.Formats {
			formats[i] = titles[name]
		}
		row.Format = strings.Join(formats, ", ")
		for _, s := range f.First {
			row.Samples = append(row.Samples, fmt.Sprintf("%s:%d: %s", f.Path, s.Line, o.Hide.Line(s.Text)))
		}
		if f.Err != nil {
			row.Damage = f.Err.Error()
		}
		r.Lines += row.Lines
		r.Unknown += row.Unknown
		r.Files = append(r.Files, row)
		for _, w := range f.Warnings {
			if note := f.Path + ": " + w; !slices.Contains(r.Notes, note) {
				r.Notes = append(r.Notes, note)
			}
		}
	}
}
