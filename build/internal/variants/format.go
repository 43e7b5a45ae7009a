package variants

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Formats are the names of those that results are written in.
var Formats = []string{"text", "json", "csv"}

// Writer writes results in one format.
type Writer struct {
	out      *bufio.Writer
	write    func(*Result) error
	resolved bool // with what the DNS has
	compared bool // with what has changed
}

// NewWriter returns a writer of results with what the DNS has, where that was asked
// for, and what has changed. A file that is continued has its heading.
func NewWriter(w io.Writer, format string, resolved, compared, continued bool) *Writer {
	o := &Writer{out: bufio.NewWriterSize(w, 64<<10), resolved: resolved, compared: compared}
	switch format {
	case "json":
		enc := json.NewEncoder(o.out)
		enc.SetEscapeHTML(false)
		o.write = func(r *Result) error { return enc.Encode(r) }
	case "csv":
		table := csv.NewWriter(o.out)
		if !continued {
			_ = table.Write(o.columns()) // errors stay with the writer below
		}
		o.write = func(r *Result) error {
			_ = table.Write(o.fields(r))
			table.Flush()
			return table.Error()
		}
		table.Flush()
	default:
		o.write = o.writeText
	}
	return o
}

// Write writes one result. Flush returns the error, if it does not.
func (o *Writer) Write(r *Result) error { return o.write(r) }

// Flush writes out what is buffered.
func (o *Writer) Flush() error { return o.out.Flush() }

func (o *Writer) columns() []string {
	columns := []string{"name", "unicode", "protected", "class", "confidence"}
	if o.resolved {
		columns = append(columns, "exists", "mail", "ns", "mx", "addresses", "error")
	}
	if o.compared {
		columns = append(columns, "change")
	}
	return columns
}

// separator stands between the items of one field.
const separator = "; "

func (o *Writer) fields(r *Result) []string {
	fields := []string{r.Name, r.Unicode, r.Protected, r.Class.String(), r.Confidence.String()}
	if a := r.Answer; o.resolved && a != nil {
		exists := "no"
		if a.Exists {
			exists = "yes"
		}
		fields = append(fields, exists, string(a.Mail), strings.Join(a.NS, separator), strings.Join(a.MX, separator), strings.Join(a.Addresses, separator), a.Error)
	}
	if o.compared {
		fields = append(fields, string(r.Change))
	}
	return fields
}

// writeText writes for people. Compared with an earlier run, it is only what has
// changed.
func (o *Writer) writeText(r *Result) error {
	if o.compared && r.Change == "" && (r.Answer == nil || r.Error == "") {
		return nil
	}
	name := r.Name
	if r.Unicode != "" {
		name += " (" + r.Unicode + ")"
	}
	fmt.Fprintf(o.out, "%-32s %-13s %-6s %s", name, r.Class, r.Confidence, r.Protected)
	if o.compared {
		fmt.Fprintf(o.out, "  %s", changes[r.Change])
	}
	if r.Answer != nil {
		fmt.Fprintf(o.out, "  %s", r.describe())
	}
	return o.out.WriteByte('\n')
}

// changes are the changes in words.
var changes = map[Change]string{New: "NEW", Gone: "GONE", NewMail: "MAIL CHANGED"}

// describe says in words what the DNS has.
func (a *Answer) describe() string {
	switch {
	case a.Error != "":
		return "not found out: " + a.Error
	case !a.Exists:
		return "does not exist"
	}
	switch a.Mail {
	case ByMX:
		return "takes mail: MX " + strings.Join(a.MX, ", ")
	case ByAddress:
		return "takes mail: no MX, address " + strings.Join(a.Addresses, ", ")
	case NullMX:
		return "exists, takes no mail (null MX)"
	}
	return "exists, without MX and address"
}
