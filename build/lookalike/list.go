package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/lookalike-dns/lookalike/plugin/lookalike"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

const listHelp = `List the protected names, each with where it is listed, or those that raise
false alarms most easily, each with the reason.

Usage: lookalike list [-weak] [-conf COREFILE] [-format text|json]

Flags:
  -weak                list only the names that honest names resemble most
                       easily:
                         short  at most 3 letters, as one slip makes another
                                short name of it. A leading label that hosts
                                of all kinds carry (www, mail, mx1) does not
                                count: www.ai.mil has two letters.
                         word   a dictionary word: it is part of honest names
                         host   a label that hosts of all kinds carry: mail.mil
                         tld    a whole TLD: with *.mil, every name under the
                                lookalike TLD resembles a protected one
                       For such a name, protect a longer one below it (us.af.mil
                       for af.mil), put the honest names on the allow list, or
                       set the action of its directive to monitor.
  -conf COREFILE       list the names of the lookalike directives of this
                       Corefile. Without the flag: Corefile in this directory
                       or, where there is none, the built-in list of .mil names.
  -format text|json    text (default) has a comment line for each directive, and
                       then one name a line, with its place in a comment. A
                       directive can read it as a list. json is one object a
                       line:
                         name       the protected name, *.mil for a whole TLD
                         source     file and line, or built-in
                         directive  file and line of the directive; empty
                                    without a Corefile
                         tlds       the lookalike TLDs of the directive, * for
                                    every TLD
                         weak       short, word, host, tld, or empty
                         reason     one sentence that says why it is weak
  -help                print this help

A name that several lines list stands once in each directive, where it is first
listed. Everything is read as the server reads it when it starts; a server that
runs may not have taken a change yet.

Exit status:
  0  the names are listed; with -weak, there are none
  1  with -weak: there is at least one
  2  wrong usage, an unreadable Corefile or list, or output that cannot be
     written

Examples:
  lookalike list
      the names that are protected where a Corefile lists none
  lookalike list -weak -conf /etc/coredns/Corefile
      which of your own names to think about before blocking
  lookalike list -conf Corefile | grep army
      which line of which file protects a name
  lookalike list -format json -weak | jq -r 'select(.weak=="short").name'
      the short names alone
`

var listCommand = command{
	name:    "list",
	summary: "list the protected names, and the weak ones among them",
	help:    listHelp,
	flags: func(fs *flag.FlagSet) action {
		var o listOptions
		confFlag(fs, &o.conf)
		formatFlag(fs, &o.json)
		fs.BoolVar(&o.weak, "weak", false, "")
		return o.run
	},
}

// listOptions is the command line of list.
type listOptions struct {
	conf string
	json bool
	weak bool
}

func (o *listOptions) run(e *env, args []string) (int, error) {
	if len(args) > 0 {
		return 0, misused("takes no argument, got %q: 'lookalike check' is for single names", args[0])
	}
	policies, err := o.policies(e)
	if err != nil {
		return 0, err
	}
	l := &lister{listOptions: o, out: bufio.NewWriterSize(e.stdout, 64<<10)}
	l.enc = json.NewEncoder(&l.buf)
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

// policies reads the directives. Without a Corefile it is the default one.
func (o *listOptions) policies(e *env) ([]*lookalike.Policy, error) {
	if _, err := os.Stat(defaultConf); err == nil && o.conf == "" {
		o.conf = defaultConf
	}
	var file *lookalike.Corefile
	var err error
	if o.conf == "" {
		file, err = lookalike.Default()
	} else {
		file, err = e.load(o.conf)
	}
	if err != nil {
		return nil, err
	}
	return file.Policies, nil
}

// lister writes names. An error of the output stays with it.
type lister struct {
	*listOptions
	out    *bufio.Writer
	listed int
	enc    *json.Encoder // into buf
	buf    bytes.Buffer
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
	tlds := p.TLDs()
	return p.EachProtected(func(name, where string) {
		weak := detect.Weak(name)
		if l.weak && weak == detect.NotWeak {
			return
		}
		l.listed++
		if !strings.Contains(name, ".") {
			name = "*." + name
		}
		n := &listedName{name, where, directive, tlds, weak.String(), weak.Reason()}
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
	l.buf.Reset()
	if err := l.enc.Encode(n); err != nil {
		panic("list: " + err.Error()) // strings can be written as JSON
	}
	_, _ = io.Copy(l.out, &l.buf)
}
