package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"strings"
	"syscall"

	"github.com/lookalike-dns/lookalike/build/internal/popular"
	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

var listCommand = command{
	name:    "list",
	summary: "list the protected names, or only the weak ones",
	help:    helpText("list"),
	flags: func(fs *flag.FlagSet) action {
		var o listOptions
		confFlag(fs, &o.conf)
		formatFlag(fs, &o.json)
		fs.BoolVar(&o.weak, "weak", false, "")
		fs.Func("popular", "", func(file string) (err error) {
			o.popular, err = popular.Read(file)
			return err
		})
		return o.run
	},
}

// listOptions is the command line of list.
type listOptions struct {
	conf    string
	json    bool
	weak    bool
	popular popular.Names
}

func (o *listOptions) run(e *env, args []string) (int, error) {
	if len(args) > 0 {
		return 0, misused("takes no argument, got %q: 'lookalike check' is for single names", args[0])
	}
	if o.popular != nil && !o.weak {
		return 0, misused("-popular needs -weak")
	}
	policies, err := e.policies(&o.conf)
	if err != nil {
		return 0, err
	}
	l := &lister{listOptions: o, out: bufio.NewWriterSize(e.stdout, 64<<10)}
	l.enc = json.NewEncoder(l.out)
	l.enc.SetEscapeHTML(false)
	for _, p := range policies {
		if err := l.list(p); err != nil {
			return 0, err
		}
	}
	if err := l.out.Flush(); err != nil && !errors.Is(err, syscall.EPIPE) { // else the reader has seen enough
		return 0, err
	}
	if o.weak && l.listed > 0 {
		return exitFound, nil
	}
	return exitNothing, nil
}

// lister writes names. An error of the output stays with it.
type lister struct {
	*listOptions
	out    *bufio.Writer
	listed int
	enc    *json.Encoder // into out
}

// listedName is one line of the JSON output.
type listedName struct {
	Name      string   `json:"name"`
	Source    string   `json:"source"`
	Directive string   `json:"directive"`
	TLDs      []string `json:"tlds"`
	Weak      string   `json:"weak"`
	Reason    string   `json:"reason"`
}

// list writes the names of one directive.
func (l *lister) list(p *lookalike.Policy) error {
	directive := p.Where()
	if l.conf == "" {
		directive = ""
	}
	if !l.json {
		l.head(directive, p)
	}
	tlds, near := p.TLDs(), l.popular.Near(p)
	return p.EachProtected(func(name, where string) {
		w := detect.Weak(name)
		weak, reason := w.String(), w.Reason()
		if neighbour := near[name]; neighbour != nil {
			weak, reason = popular.Weakness, neighbour.Reason()
		}
		if l.weak && weak == "" {
			return
		}
		l.listed++
		if !strings.Contains(name, ".") {
			name = "*." + name
		}
		n := &listedName{name, where, directive, tlds, weak, reason}
		if l.json {
			l.writeJSON(n)
		} else {
			l.writeText(n)
		}
	})
}

// head writes the line before the names of a directive.
func (l *lister) head(directive string, p *lookalike.Policy) {
	if directive == "" {
		directive = "no Corefile"
	}
	what := "protected"
	if l.weak {
		what = "weak among the protected"
	}
	fmt.Fprintf(l.out, "# %s: %s names, lookalikes under %s\n", display(directive), what, text.Join(p.TLDs(), "and"))
}

func (l *lister) writeText(n *listedName) {
	fmt.Fprintf(l.out, "%-28s # %s", n.Name, display(n.Source))
	if l.weak {
		fmt.Fprintf(l.out, ": %s", n.Reason)
	}
	_ = l.out.WriteByte('\n') // Flush returns the error, if any
}

func (l *lister) writeJSON(n *listedName) {
	n.Source, n.Directive = display(n.Source), display(n.Directive)
	_ = l.enc.Encode(n) // Flush returns the error, if any
}
