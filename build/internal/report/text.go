package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// mostLines is how many names the text form has: it is for a terminal.
const mostLines = 25

// textLabel is how many letters of a name the text form shows.
const textLabel = 40

// WriteText writes the page for a terminal: what a reader has to know first.
func (p *Page) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s\n", wrap(p.Headline, 78))
	for _, f := range p.Figures {
		value := Number(f.Value)
		if f.Upper > 0 {
			value += " to " + Number(f.Upper)
		}
		fmt.Fprintf(b, "\n  %-20s %s", f.Label, value)
		if f.Note != "" {
			fmt.Fprintf(b, "  (%s)", f.Note)
		}
	}
	b.WriteString("\n")
	for _, n := range p.Notes {
		fmt.Fprintf(b, "\n%s", wrap("Note: "+text.Visible(n), 78))
	}
	if len(p.Notes) > 0 {
		b.WriteString("\n")
	}
	p.textNames(b)
	if len(p.Allow) > 0 {
		fmt.Fprintf(b, "\nAllow first (lines for the allow file; ask before you use one):\n\n%s", p.allowFile())
	}
	p.textRead(b)
	return b.Flush()
}

func (p *Page) textNames(b *bufio.Writer) {
	if len(p.Names) == 0 {
		return
	}
	basis := bases[p.Basis]
	who := "Senders"
	if p.Basis != Mail {
		who = "Hosts"
	}
	b.WriteString("\n")
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "Name\tResembles\tClass\tConfidence\t%s\t%s\t%s\tFirst\tLast\tPolicy\n", basis.leaked, basis.held, who)
	for i := range p.Names[:min(len(p.Names), mostLines)] {
		n := &p.Names[i]
		count := n.Senders
		if p.Basis != Mail {
			count = n.Hosts
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", middle(text.Visible(n.shown()), textLabel), middle(text.Visible(names(n.Protected)), textLabel), n.Class, n.Confidence,
			Number(p.Basis.Leaked(&n.Counts)), Number(p.Basis.Held(&n.Counts)), Number(count), date(n.First, p.Period.In), date(n.Last, p.Period.In), n.Decision.String())
	}
	t.Flush()
	if more := len(p.Names) - mostLines; more > 0 {
		fmt.Fprintf(b, "and %d more: -format json or html has them\n", more)
	}
}

// shown is the name with its Unicode beside it.
func (n *Name) shown() string {
	if n.Unicode != "" {
		return n.Name + " (" + n.Unicode + ")"
	}
	return n.Name
}

func (p *Page) textRead(b *bufio.Writer) {
	r := &p.Read
	fmt.Fprintf(b, "\nRead: %s, %s", Some(uint64(len(r.Files)), "file"), Some(r.Lines, "line"))
	if r.Unknown > 0 {
		fmt.Fprintf(b, ", %s not understood (%s)", Number(r.Unknown), share(r.Unknown, r.Lines))
	}
	fmt.Fprintf(b, "; times in %s\n", p.Period.Zone)
	for i := range r.Files {
		f := &r.Files[i]
		if f.Damage != "" {
			fmt.Fprintf(b, "  %s\n", text.Visible(f.Damage))
		}
		for _, s := range f.Samples {
			fmt.Fprintf(b, "  not understood: %s\n", text.Visible(s))
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(b, "  %s\n", text.Visible(n))
	}
}

// wrap breaks a text into lines of at most width bytes, between words.
func wrap(s string, width int) string {
	var b strings.Builder
	at := 0
	for i, word := range strings.Fields(s) {
		if i > 0 {
			if at+1+len(word) > width {
				b.WriteByte('\n')
				at = 0
			} else {
				b.WriteByte(' ')
				at++
			}
		}
		b.WriteString(word)
		at += len(word)
	}
	return b.String()
}
