package report

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// WriteJSON writes the page as one object, which SCHEMA.md describes. What a
// terminal would obey is escaped.
func (p *Page) WriteJSON(w io.Writer) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		return err
	}
	body := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	_, err := w.Write(append(text.EscapeJSON(body, func(r rune) bool { return r != '\n' && text.Unsafe(r) }), '\n'))
	return err
}

// Write writes the page in a format: text, json or html.
func (p *Page) Write(w io.Writer, format string) error {
	switch format {
	case "html":
		return p.WriteHTML(w)
	case "json":
		return p.WriteJSON(w)
	}
	return p.WriteText(w)
}
