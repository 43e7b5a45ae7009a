package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
	"github.com/lookalike-dns/lookalike/build/internal/interrupt"
	"github.com/lookalike-dns/lookalike/build/internal/render"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

var alertTailCommand = command{
	name:    "alert tail",
	summary: "show alert files as they grow, one readable line per alert",
	help:    helpText("alert tail"),
	flags: func(fs *flag.FlagSet) action {
		t := &tail{last: defaultLast}
		fs.Func("n", "", func(s string) (err error) {
			t.counted = true
			if t.last, err = strconv.Atoi(s); err != nil {
				err = errors.New("want a number")
			}
			return err
		})
		fs.BoolVar(&t.once, "once", false, "")
		filterFlags(fs, &t.filter)
		color := colorFlag(fs)
		return func(e *env, args []string) (int, error) {
			t.env, t.paint = e, color(e.stdout)
			return t.start(args)
		}
	},
}

// defaultLast is how many alerts a tail begins with.
const defaultLast = 10

// tail shows files.
type tail struct {
	*env
	paint render.Paint

	filter  alertlog.Filter
	last    int
	counted bool // last was given
	once    bool

	strangers int // lines that are no alerts
}

// follows reports whether the tail goes on at the ends of the files.
func (t *tail) follows(files []string) bool {
	return !t.once && slices.ContainsFunc(files, func(f string) bool { return f != "-" })
}

// start shows the files until it is interrupted. A second signal ends the process
// whatever it does.
func (t *tail) start(args []string) (int, error) {
	if len(args) == 0 {
		return 0, misused("want a FILE or more")
	}
	if !t.counted && !t.filter.Since.IsZero() || !t.follows(args) && !t.once {
		t.last = -1
	}
	ctx, stop := interrupt.Context()
	defer stop()
	strangers, err := interrupt.Within(ctx, func() (int, error) {
		err := t.run(ctx, args)
		return t.strangers, err
	})
	if strangers > 0 {
		fmt.Fprintf(t.stderr, "lookalike: %d lines are no alerts in the ecs format\n", strangers)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, syscall.EPIPE) {
		err = nil
	}
	return exitNothing, err
}

// run shows the last alerts of the files and what comes to them, until ctx is
// done.
func (t *tail) run(ctx context.Context, files []string) error {
	var recent []string
	current := false // the ends of the files have been reached
	o := alertlog.Options{Stdin: t.stdin, Follow: t.follows(files), Problem: t.strange}
	o.Current = func() error {
		current = true
		_, err := io.WriteString(t.stdout, strings.Join(latest(recent, t.last), ""))
		recent = nil
		return err
	}
	return alertlog.Read(ctx, files, o, func(r *alertlog.Record) error {
		switch {
		case !t.filter.Match(r):
			return nil
		case current || t.last < 0:
			_, err := io.WriteString(t.stdout, t.line(r))
			return err
		}
		recent = append(recent, t.line(r))
		if len(recent) > 2*t.last {
			recent = slices.Clone(latest(recent, t.last))
		}
		return nil
	})
}

// latest returns the last n lines, or all where n is negative.
func latest(lines []string, n int) []string {
	if n < 0 {
		return lines
	}
	return lines[max(len(lines)-n, 0):]
}

// strange reports the first line that is no alert. Otherwise a tail of a file in
// another format would seem to be waiting.
func (t *tail) strange(p alertlog.Problem) {
	if p.Line == 0 {
		fmt.Fprintf(t.stderr, "lookalike: %s\n", display(p.Error()))
		return
	}
	if t.strangers++; t.strangers == 1 {
		fmt.Fprintf(t.stderr, "lookalike: %.60q in %s is no alert in the ecs format; other such lines are only counted\n", p.Text, p.File)
	}
}

// line is an alert for people.
func (t *tail) line(a *alertlog.Record) string {
	at := a.End.Local().Format("2006-01-02 15:04:05")
	if a.Phase == record.Lost || a.Phase == record.Test {
		return t.paint.In(render.Magenta, at+" "+strings.ToUpper(a.Phase.String())+" "+display(a.Text)) + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %-6s %-6s ", at, a.Confidence, a.Phase)
	switch {
	case a.Client.IsValid():
		b.WriteString(a.Client.String())
	default:
		fmt.Fprintf(&b, "about %d clients", a.DistinctClients)
	}
	fmt.Fprintf(&b, "  %s", display(a.Name))
	if a.Unicode != "" {
		fmt.Fprintf(&b, " (%s)", display(a.Unicode))
	}
	if a.Phase == record.Storm {
		fmt.Fprintf(&b, " and others, about %d names", a.DistinctNames)
	}
	if a.Qtype != "" {
		fmt.Fprintf(&b, " %s", display(a.Qtype))
	}
	fmt.Fprintf(&b, "  resembles %s  %s  %s", display(strings.Join(a.Protected, ", ")), a.Class, a.Action)
	for _, extra := range []struct{ name, value string }{{"via", strings.Join(a.Vias, ", ")}, {"context", strings.Join(a.Contexts, ", ")}} {
		if extra.value != "" {
			fmt.Fprintf(&b, "  %s %s", extra.name, display(extra.value))
		}
	}
	for _, m := range a.SMTP {
		fmt.Fprintf(&b, "  mail <%s> to <%s>", display(m.From), display(m.To))
	}
	fmt.Fprintf(&b, "  +%d of %d", a.Count, a.Total)
	color := render.Faint
	if a.Phase != record.Final {
		color = render.ConfidenceColor[a.Confidence]
	}
	return t.paint.In(color, b.String()) + "\n"
}
