package report

import (
	"fmt"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// Popular is the caution about a name for which only its popularity speaks.
const Popular = "popularity is no proof"

// AllowLine returns the line of an allow file about a name, with the reasons to
// allow it and the name that it resembles. A caution makes it a comment, which does
// nothing until a person takes the # away.
func AllowLine(n *Name, reasons []string, caution string) string {
	line, why := n.Name, strings.Join(reasons, ", ")
	if caution != "" {
		line, why = "# "+line, caution+": "+why
	}
	line += "  # " + why
	if len(n.Protected) > 0 {
		line += fmt.Sprintf("; resembles %s (%s)", n.Protected[0], n.Class)
	}
	return line
}

// allowFile returns lines ready for an allow file.
func (p *Page) allowFile() string {
	var b strings.Builder
	for i := range p.Allow {
		b.WriteString(text.Visible(p.Allow[i].Line))
		b.WriteByte('\n')
	}
	return b.String()
}
