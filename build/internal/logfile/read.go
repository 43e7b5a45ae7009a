package logfile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// Options control how logs are read.
type Options struct {
	event.Options
	Formats  []event.Format
	Format   string         // the name of the one that all files have; empty: found by itself
	Progress func(Progress) // called often, by the goroutine of Read; can be nil
}

// Progress tells how much has been read.
type Progress struct {
	File   string
	Number int   // of the file, from 1
	Files  int   // in all
	Read   int64 // bytes of all files, as they lie there
	Size   int64 // of all files; standard input and pipes have none
}

// File is the result of reading a file.
type File struct {
	Path        string
	Found       bool     // in a directory, so that it need not be a log
	CopyOf      string   // a file that begins with the same 4096 bytes; then this one was not read
	Formats     []string // what was found in it, the first one first
	Compression string
	Size        int64 // as it lies there

	Lines   int
	Used    int // by a parser
	Passed  int // of a known kind that tells nothing
	Unknown int
	Long    int      // how many were cut at MaxLine
	First   []Sample // of the unknown lines

	Warnings []string // without the path
	Err      error    // what ended the reading too early; what came before it counts
}

// Sample is a line that no parser recognised.
type Sample struct {
	Line int
	Text string // shortened
}

// A few samples show what is wrong; a few bytes of each fit on a screen.
const (
	samples   = 3
	sampleCut = 200
)

// Read reads logs in the order of their times and calls emit for each event. An event
// is valid until emit returns. Read returns the error of the context, or an error for
// files or a format that do not exist. The summary holds the problems of single files.
// The path "-" stands for stdin.
func Read(ctx context.Context, paths []string, stdin io.Reader, o Options, emit func(*event.Event)) ([]*File, error) {
	r := &reader{Options: o, ctx: ctx}
	for _, f := range o.Formats {
		r.runs = append(r.runs, newRun(f, o.Options, emit))
	}
	if o.Format != "" {
		if r.only = r.named(o.Format); r.only == nil {
			return nil, fmt.Errorf("unknown format %q: want one of %s", o.Format, r.formats())
		}
	}
	found, err := Find(paths)
	if err != nil {
		return nil, err
	}
	sources := survey(found, stdin, &o)
	var files []*File
	for _, s := range sources {
		r.progress.Size += s.Size
		files = append(files, s.File)
		defer s.close()
	}
	r.progress.Files = len(files)
	for i, s := range sources {
		r.progress.File, r.progress.Number = s.Path, i+1
		r.file(s)
		if err := ctx.Err(); err != nil {
			return files, err
		}
	}
	for _, run := range r.runs {
		run.flush()
	}
	return files, nil
}

// reader reads the files of one call of Read.
type reader struct {
	Options
	ctx      context.Context
	runs     []*run
	only     *run // nil: all are tried
	progress Progress
	before   int64 // bytes of the files before this one

	stretches []stretch // of the files before this one
}

// run is a format whose parser goes on from file to file.
type run struct {
	event.Format
	o      event.Options
	parser event.Parser
	emit   func(*event.Event)
}

func newRun(f event.Format, o event.Options, emit func(*event.Event)) *run {
	return &run{Format: f, o: o, emit: func(e *event.Event) {
		e.Format = f.Name
		e.Count = max(e.Count, 1)
		emit(e)
	}}
}

func (r *run) line(l *event.Line) event.Taken {
	if r.parser == nil {
		r.parser = r.New(r.o)
	}
	return r.parser.Line(l, r.emit)
}

func (r *run) flush() {
	if r.parser != nil {
		r.parser.Flush(r.emit)
	}
}

func (r *reader) named(name string) *run {
	for _, run := range r.runs {
		if run.Name == name {
			return run
		}
	}
	return nil
}

func (r *reader) formats() string {
	names := make([]string, len(r.Formats))
	for i, f := range r.Formats {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

// file reads one file, unless it is a copy.
func (r *reader) file(s *source) {
	defer s.close()
	if s.Err != nil || s.CopyOf != "" {
		return
	}
	if s.stream == nil {
		if s.stream, s.Err = Open(s.Path, nil); s.Err != nil {
			return
		}
	}
	defer func() { r.before += s.Size }()
	head := s.stream.Peek(sniffed)
	if run := r.binary(head); run != nil {
		s.Formats = []string{run.Name}
		var err error
		s.Warnings, err = run.Stream(r.counted(s.stream), r.Options.Options, func(e *event.Event) {
			e.File = s.Path
			run.emit(e)
		})
		s.Err = damage(s.Path, err)
		return
	}
	if s.Found && bytes.IndexByte(head, 0) >= 0 && !bytes.Contains(head, []byte("__CURSOR=")) {
		s.Err = fmt.Errorf("%s: no text", s.Path)
		return
	}
	r.lines(s)
}

// binary returns the format of a file that has no lines.
func (r *reader) binary(head []byte) *run {
	for _, run := range r.runs {
		if run.Magic != nil && (run.Magic(head) || run == r.only) {
			return run
		}
	}
	return nil
}

func damage(path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: damaged, what came before counts: %w", path, err)
}

// lines feeds the lines of a file to the parsers.
func (r *reader) lines(s *source) {
	ahead := readAhead(s.stream)
	if s.Path != Stdin { // a read of standard input ends with the process
		defer ahead.stop()
	}
	lines := &Lines{next: func() ([]byte, error) {
		r.report(s.stream)
		if err := r.ctx.Err(); err != nil {
			return nil, err
		}
		return ahead.next()
	}}
	u := newUnwrapper(lines, s.Path, r.Options.Options, s.stream.Modified)
	u.clock.Years.Begin(s.year)
	f := &feed{File: s.File, r: r}
	if r.only != nil {
		f.activate(r.only)
	}
	for l, ok := u.next(); ok; l, ok = u.next() {
		f.line(l)
	}
	f.settle()
	s.Lines, s.Long = lines.Number, lines.Long
	if err := lines.Err(); err != nil && r.ctx.Err() == nil {
		s.Err = damage(s.Path, err)
	}
	if len(f.active) > 0 {
		f.stretch.path, f.stretch.format = s.Path, f.active[0].Name
		s.Warnings = append(s.Warnings, r.overlap(f.stretch)...)
	}
	for _, run := range f.active {
		if w, ok := run.parser.(event.Warner); ok {
			s.Warnings = append(s.Warnings, w.Warnings()...)
		}
	}
}

func (r *reader) report(s *Stream) {
	if r.Progress != nil {
		r.progress.Read = r.before + s.Packed()
		r.Progress(r.progress)
	}
}

// counted reports progress, and the end of the context, for a format without
// lines.
func (r *reader) counted(s *Stream) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		r.report(s)
		if err := r.ctx.Err(); err != nil {
			return 0, err
		}
		return s.Read(p)
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func (s *source) close() {
	if s.stream != nil {
		s.stream.Close()
		s.stream = nil
	}
}
