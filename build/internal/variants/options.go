package variants

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/time/rate"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/variants"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// Options are those of the command, as its help explains them.
type Options struct {
	variants.Options
	Format, File, Since         string
	Count, Resolve, All, Resume bool
	Server                      netip.AddrPort
	Rate                        float64
	Progress                    func(Tally) // nil: nobody looks on
}

// SetFormat sets the format.
func (o *Options) SetFormat(s string) error {
	if o.Format = s; !slices.Contains(Formats, s) {
		return errors.New("want " + text.Join(Formats, "or"))
	}
	return nil
}

// SetServer sets the resolver to ask.
func (o *Options) SetServer(s string) (err error) {
	o.Server, err = ParseServer(s)
	return err
}

// Check returns what is wrong with the options together.
func (o *Options) Check() error {
	switch {
	case !o.Resolve && (o.All || o.Since != "" || o.Resume || o.Server.IsValid()):
		return errors.New("-server, -all, -since and -resume need -resolve")
	case o.Resume && (o.File == "" || o.Format == "text"):
		return errors.New("-resume needs -o FILE and -format json or csv")
	case o.Count && o.Resolve:
		return errors.New("want -count or -resolve, got both")
	case o.Count && (o.File != "" || o.Format != "text"):
		return errors.New("-count prints a table for people: leave -o and -format out")
	case !(o.Rate > 0):
		return fmt.Errorf("-rate %v: want a number above 0", o.Rate)
	}
	return nil
}

// Lists are the lookalikes of several directives.
type Lists []*variants.List

// Lists returns the lookalikes of the given names or, without any, of those that
// the directives protect.
func (o *Options) Lists(policies []*lookalike.Policy, given []string) (lists Lists, err error) {
	if len(given) > 0 {
		policies = policies[:1] // whose TLDs they are
	}
	for _, p := range policies {
		options := o.Options
		if options.TLDs == nil {
			options.TLDs = slices.DeleteFunc(p.TLDs(), func(tld string) bool { return tld == detect.AnyTLD })
		}
		if len(options.TLDs) == 0 {
			return nil, fmt.Errorf("%s is for every TLD: name some by -tld", p.Where())
		}
		protected := slices.Collect(p.Index().Protected())
		if len(given) > 0 {
			if protected, err = parseNames(given); err != nil {
				return nil, err
			}
		}
		index := p.Index()
		if len(given) > 0 || o.TLDs != nil { // the directive's own finds others
			if index, err = detect.New(detect.Config{Protected: protected, TLDs: options.TLDs}); err != nil {
				return nil, err
			}
		}
		lists = append(lists, variants.New(index, protected, options))
	}
	return lists, nil
}

func parseNames(given []string) (protected []string, err error) {
	for _, arg := range given {
		name, err := names.Parse(arg)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", arg, err)
		}
		protected = append(protected, name)
	}
	return protected, nil
}

// All yields what all lists do.
func (l Lists) All() iter.Seq[variants.Variant] {
	return func(yield func(variants.Variant) bool) {
		for _, list := range l {
			for v := range list.All() {
				if !yield(v) {
					return
				}
			}
		}
	}
}

// Count counts the names of all lists.
func (l Lists) Count() variants.Counts {
	sum := make(variants.Counts)
	for _, list := range l {
		for class, n := range list.Count() {
			sum[class] += n
		}
	}
	return sum
}

// WriteCounts writes for people how many names there are of each class.
func (l Lists) WriteCounts(w io.Writer) error {
	counts := l.Count()
	var b strings.Builder
	for _, class := range counts.Classes() {
		fmt.Fprintf(&b, "%-14s %9d  %s\n", class, counts[class], class.Meaning())
	}
	fmt.Fprintf(&b, "%-14s %9d\n", "all", counts.Sum())
	_, err := io.WriteString(w, b.String())
	return err
}

// Run lists the names, or asks for them, and writes the results to the file of the
// options or to stdout.
func (o *Options) Run(ctx context.Context, lists Lists, stdout io.Writer) (Tally, error) {
	run := &Run{List: lists.All(), All: o.All, Progress: o.Progress}
	if err := o.prepare(run); err != nil {
		return Tally{}, err
	}
	w := stdout
	if o.File != "" {
		out, err := Create(o.File, o.Resume)
		if err != nil {
			return Tally{}, err
		}
		defer out.Close()
		if out.After != "" && out.Format != o.Format {
			return Tally{}, fmt.Errorf("%s is %s: go on with -format %[2]s", o.File, out.Format)
		}
		w, run.After = out.File, out.After
	}
	writer := NewWriter(w, o.Format, o.Resolve, run.Since != nil, run.After != "")
	tally, err := run.Do(ctx, func(r *Result) error {
		if err := writer.Write(r); err != nil || !o.Resolve {
			return err
		}
		return writer.Flush() // a run that is killed has left what it knew
	})
	if errors.Is(err, ErrNotOfList) {
		err = fmt.Errorf("%s: %w", o.File, err)
	}
	if failed := writer.Flush(); err == nil {
		err = failed
	}
	if errors.Is(err, syscall.EPIPE) { // the reader has seen enough
		err = nil
	}
	return tally, err
}

// workers is how many names are asked for at a time. Most of the time they wait.
const workers = 64

// prepare gives a run what it asks, and compares with.
func (o *Options) prepare(run *Run) (err error) {
	if !o.Resolve {
		return nil
	}
	if !o.Server.IsValid() {
		if o.Server, err = SystemServer("/etc/resolv.conf"); err != nil {
			return err
		}
	}
	run.Workers = workers
	run.Resolver = &Resolver{Server: o.Server, Limit: rate.NewLimiter(rate.Limit(o.Rate), max(1, int(o.Rate/10)))}
	if o.Since == "" {
		return nil
	}
	f, err := os.Open(o.Since)
	if err != nil {
		return err
	}
	defer f.Close()
	if run.Since, err = ReadEarlier(f); err != nil {
		return fmt.Errorf("%s: %w", o.Since, err)
	}
	return nil
}

// Text says in a line or two what came of a run, compared with the file since
// unless that is empty.
func (t *Tally) Text(since string) string {
	s := fmt.Sprintf("lookalike: %d names: %d exist, %d of them take mail; %d could not be found out\n", t.Names, t.Exist, t.Mail, t.Failed)
	if since != "" {
		s += fmt.Sprintf("lookalike: since %s: %d new, %d gone, %d take mail in another way\n",
			since, t.Changes[New], t.Changes[Gone], t.Changes[NewMail])
	}
	return s
}

// Incomplete returns an error where names could not be found out: whether they
// exist is not known.
func (t *Tally) Incomplete() error {
	if t.Failed == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d names could not be found out: the output has why; check -server, or lower -rate, and run it again", t.Failed, t.Names)
}

// Found reports whether a name exists or, compared with an earlier run, one has
// changed.
func (t *Tally) Found(compared bool) bool {
	if compared {
		return t.Changes[New]+t.Changes[Gone]+t.Changes[NewMail] > 0
	}
	return t.Exist > 0
}
