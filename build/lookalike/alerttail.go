package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/address"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

const alertTailHelp = `Show an alert file in the ecs format, one readable line an alert, and go on as
it grows, also over its rotation.

Usage: lookalike alert tail [FLAGS] FILE

FILE may be - for standard input, which is shown whole.

Flags:
  -n NUMBER           begin with the last NUMBER alerts that match (default 10);
                      -1 is all of the file
  -once               end at the end of the file
  -client CIDR        only alerts of this client or network, and storms that it
                      is among
  -class CLASS        only alerts of this class: tld-swap, typo, ...
  -protected NAME     only alerts of names that resemble this one or one below
  -color auto|yes|no  colours (default auto: on a terminal, unless NO_COLOR is
                      set)
  -help               print this help

A line has the time of the last query, the confidence, the phase, the client,
the queried name and type, the protected names that it resembles, the class,
what was answered, and the number of queries since the alert before and in all.

Exit status:
  0  the end was reached, or the tail was interrupted
  2  wrong usage, or a file that cannot be read

Examples:
  lookalike alert tail /var/log/coredns/lookalike.json
  lookalike alert tail -once -n -1 -client 192.0.2.0/24 -class typo alerts.json
`

// pollEvery is how often tail checks a file for new lines.
const pollEvery = 250 * time.Millisecond

// tailGrace is how long an interrupted tail may take to finish its line.
const tailGrace = 200 * time.Millisecond

// maxRecord bounds a line; a longer one is no alert.
const maxRecord = 1 << 20

var alertTailCommand = command{
	name:    "alert tail",
	summary: "show an alert file as it grows, one readable line an alert",
	help:    alertTailHelp,
	flags: func(fs *flag.FlagSet) action {
		t := new(tail)
		fs.IntVar(&t.last, "n", 10, "")
		fs.BoolVar(&t.once, "once", false, "")
		fs.Func("client", "", func(s string) (err error) {
			if t.client, err = address.ParsePrefix(s); err != nil {
				err = errors.New("want an address or a network such as 192.0.2.0/24")
			}
			return err
		})
		fs.Func("class", "", func(s string) (err error) {
			t.class = s
			if _, err = detect.ParseClass(s); err != nil {
				err = fmt.Errorf("%w: want %s", err, classNames())
			}
			return err
		})
		fs.Func("protected", "", func(s string) error {
			t.protected = strings.ToLower(strings.TrimSuffix(s, "."))
			return nil
		})
		color := colorFlag(fs)
		return func(e *env, args []string) (int, error) {
			t.env, t.paint = e, color(e.stdout)
			return t.start(args)
		}
	},
}

// tail shows a file.
type tail struct {
	*env
	paint paint

	file      string
	last      int
	once      bool
	client    netip.Prefix
	class     string
	protected string

	strange int  // lines that are no alerts
	told    bool // of the first of them
}

// start shows the file until it is interrupted. A second signal ends the process
// whatever it does.
func (t *tail) start(args []string) (int, error) {
	if len(args) != 1 {
		return 0, misused("want one FILE, got %d", len(args))
	}
	t.file = args[0]
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	shown := make(chan error, 1)
	go func() { shown <- t.run(ctx) }()
	var err error
	select {
	case err = <-shown:
	case <-ctx.Done():
		select {
		case err = <-shown:
		case <-time.After(tailGrace): // no signal ends an open or a read
			return exitNothing, nil
		}
	}
	if t.strange > 0 {
		fmt.Fprintf(t.stderr, "lookalike: %d lines are no alerts in the ecs format\n", t.strange)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, syscall.EPIPE) {
		err = nil
	}
	return exitNothing, err
}

func classNames() string {
	names := make([]string, 0, len(detect.Classes()))
	for _, c := range detect.Classes() {
		names = append(names, c.String())
	}
	return text.Join(names, "or")
}

// run shows the end of the file and what comes to it, until ctx is done.
func (t *tail) run(ctx context.Context) error {
	if t.file == "-" {
		t.once, t.last = true, -1
		_, err := t.show(ctx, newTailLines(t.stdin), nil)
		return err
	}
	f, err := os.Open(t.file)
	if err != nil {
		return err
	}
	defer func() { f.Close() }()
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return errors.Join(err, fmt.Errorf("%s is a directory", t.file))
	}
	r := newTailLines(f)
	recent := &[]string{}
	if t.last < 0 {
		recent = nil
	}
	if _, err := t.show(ctx, r, recent); err != nil {
		return err
	}
	for !t.once {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pollEvery):
		}
		if _, err := t.show(ctx, r, nil); err != nil {
			return err
		}
		if next := t.rotated(f); next != nil {
			if _, err := t.show(ctx, r, nil); err != nil { // what came in between
				next.Close()
				return err
			}
			f.Close()
			f, r = next, newTailLines(next)
		}
	}
	return nil
}

// rotated returns the file that has taken the place of f, or that f has
// become by being cut, if so; else nil.
func (t *tail) rotated(f *os.File) *os.File {
	named, err := os.Stat(t.file)
	if err != nil {
		return nil // between the old one and the new
	}
	open, err := f.Stat()
	if err != nil {
		return nil
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err == nil && os.SameFile(open, named) && open.Size() >= at {
		return nil
	}
	next, err := os.Open(t.file)
	if err != nil {
		return nil
	}
	return next
}

// show writes the alerts up to the end. With recent, it keeps them there until
// the end is reached, and writes the last of them.
func (t *tail) show(ctx context.Context, lines *text.Lines, recent *[]string) (int, error) {
	n := 0
	for ctx.Err() == nil && lines.Next() {
		shown, ok := t.render(lines.Text)
		if !ok {
			continue
		}
		n++
		if recent == nil {
			if _, err := io.WriteString(t.stdout, shown); err != nil {
				return n, err
			}
			continue
		}
		*recent = append(*recent, shown)
		if len(*recent) > 2*t.last {
			*recent = slices.Clone((*recent)[len(*recent)-t.last:])
		}
	}
	if lines.Err != nil {
		return n, lines.Err
	}
	if begun := bytes.TrimSpace(lines.Text); ctx.Err() == nil && len(begun) > 0 && begun[0] != '{' {
		t.stranger(begun) // a line that begins so never becomes an alert
	}
	if recent == nil {
		return n, nil
	}
	last := (*recent)[max(len(*recent)-t.last, 0):]
	_, err := io.WriteString(t.stdout, strings.Join(last, ""))
	return n, err
}

// newTailLines returns the lines of a file that grows: the beginning of one that
// is not whole yet is kept for the next time.
func newTailLines(r io.Reader) *text.Lines {
	l := text.NewLines(r, maxRecord)
	l.Growing = true
	return l
}

// seenAlert holds the fields of a record that tail shows.
type seenAlert struct {
	Timestamp time.Time `json:"@timestamp"`
	Message   string
	Source    struct{ IP netip.Addr }
	Related   struct{ IP []netip.Addr }
	DNS       struct {
		Question     struct{ Name, Type string }
		ResponseCode string `json:"response_code"`
	}
	Lookalike *struct {
		Phase                              *record.Phase
		Class, Confidence, Action, Unicode string
		Context                            oneOrMore
		Vias, Protected                    []string
		Count, Total                       uint64
		DistinctNames                      uint64 `json:"distinct_names"`
		DistinctClients                    uint64 `json:"distinct_clients"`
		SMTP                               []struct{ From, To string }
	}
}

// oneOrMore is a field that is a list only where it has more than one value.
type oneOrMore []string

// UnmarshalJSON reads either.
func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(o))
	}
	var one string
	err := json.Unmarshal(b, &one)
	*o = oneOrMore{one}
	return err
}

// render returns an alert as a line, and false if it is not to be shown.
func (t *tail) render(line []byte) (string, bool) {
	if line = bytes.TrimSpace(line); len(line) == 0 {
		return "", false
	}
	var a seenAlert
	if json.Unmarshal(line, &a) != nil || a.Lookalike == nil || a.Lookalike.Phase == nil {
		t.stranger(line)
		t.strange++
		return "", false
	}
	if !t.matches(&a) {
		return "", false
	}
	return t.line(&a), true
}

// stranger reports the first line that is no alert. Otherwise a tail of a file
// in another format would seem to be waiting.
func (t *tail) stranger(line []byte) {
	if !t.told {
		fmt.Fprintf(t.stderr, "lookalike: %.60q in %s is no alert in the ecs format; other such lines are only counted\n", line, t.file)
	}
	t.told = true
}

func (t *tail) matches(a *seenAlert) bool {
	l := a.Lookalike
	if t.class != "" && l.Class != t.class {
		return false
	}
	if t.client.IsValid() && !t.client.Contains(a.Source.IP.Unmap()) &&
		(*l.Phase != record.Storm || !slices.ContainsFunc(a.Related.IP, func(ip netip.Addr) bool { return t.client.Contains(ip.Unmap()) })) {
		return false
	}
	return t.protected == "" || slices.ContainsFunc(l.Protected, func(name string) bool {
		return name == t.protected || strings.HasSuffix(name, "."+t.protected)
	})
}

// line is an alert for people.
func (t *tail) line(a *seenAlert) string {
	l := a.Lookalike
	at := a.Timestamp.Local().Format("2006-01-02 15:04:05")
	if *l.Phase == record.Lost || *l.Phase == record.Test {
		return t.paint.in(magenta, at+" "+strings.ToUpper(l.Phase.String())+" "+display(a.Message)) + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %-6s %-6s ", at, display(l.Confidence), l.Phase)
	switch {
	case a.Source.IP.IsValid():
		b.WriteString(a.Source.IP.String())
	default:
		fmt.Fprintf(&b, "about %d clients", l.DistinctClients)
	}
	fmt.Fprintf(&b, "  %s", display(a.DNS.Question.Name))
	if l.Unicode != "" {
		fmt.Fprintf(&b, " (%s)", display(l.Unicode))
	}
	if *l.Phase == record.Storm {
		fmt.Fprintf(&b, " and others, about %d names", l.DistinctNames)
	}
	if a.DNS.Question.Type != "" {
		fmt.Fprintf(&b, " %s", display(a.DNS.Question.Type))
	}
	fmt.Fprintf(&b, "  resembles %s  %s  %s", display(strings.Join(l.Protected, ", ")), display(l.Class), display(l.Action))
	for _, extra := range []struct{ name, value string }{{"via", strings.Join(l.Vias, ", ")}, {"context", strings.Join(l.Context, ", ")}} {
		if extra.value != "" {
			fmt.Fprintf(&b, "  %s %s", extra.name, display(extra.value))
		}
	}
	for _, m := range l.SMTP {
		fmt.Fprintf(&b, "  mail <%s> to <%s>", display(m.From), display(m.To))
	}
	fmt.Fprintf(&b, "  +%d of %d", l.Count, l.Total)
	color := faint
	if *l.Phase != record.Final {
		confidence, _ := detect.ParseConfidence(l.Confidence)
		color = confidenceColor[confidence]
	}
	return t.paint.in(color, b.String()) + "\n"
}
