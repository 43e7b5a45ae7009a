package lookalike

import (
	"errors"
	"os"
	"slices"

	"github.com/lookalike-dns/lookalike/plugin/internal/serving"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/lists"
)

// Corefile holds the lookalike directives of a file, and the server blocks that route
// queries to them.
type Corefile struct {
	Policies []*Policy // of all directives, in the order of the file
	Unknown  []error   // directives that CoreDNS does not have

	blocks serving.Blocks[*serverBlock] // with those that do not have the directive
}

// Load reads the lookalike directives of a Corefile, with their lists, and starts
// nothing. It ignores other plugins, except those that determine where a server block
// listens.
func Load(path string) (*Corefile, error) {
	contents, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return read(path, contents)
}

// Default returns the Corefile of a directive without a block, for all names.
func Default() (*Corefile, error) {
	return read("", []byte(". {\n"+pluginName+"\n}\n"))
}

func read(path string, contents []byte) (*Corefile, error) {
	c, wrong := survey(path, contents)
	for _, p := range wrong {
		if p.Refused {
			return nil, errors.New(p.Text)
		}
	}
	for _, p := range c.Policies {
		if err := p.load(); err != nil {
			return nil, err
		}
	}
	lists.Join(listsOf(c.Policies)...)
	if len(c.Policies) == 0 {
		return nil, errNoDirective(path)
	}
	return c, checkSpools(c.Policies)
}

// Serving returns the policies that see queries for qname, in the order of the file's
// addresses. It returns none if the server blocks that answer for qname have no
// directive.
func (c *Corefile) Serving(qname string) []*Policy {
	var serving []*Policy
	for _, b := range c.blocks.Answering(qname) {
		for _, p := range b.policies {
			if !slices.Contains(serving, p) {
				serving = append(serving, p)
			}
		}
	}
	return serving
}
