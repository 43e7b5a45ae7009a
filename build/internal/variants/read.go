package variants

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxLine bounds a line of an earlier output, in octets.
const maxLine = 1 << 20

// Read hands over the results of an earlier output, which is JSON or CSV, with the
// number of their line and where that ends, in octets. A last line that is not
// complete, as that of a run that was killed, is left out.
func Read(r io.Reader, do func(result *Result, line int, end int64) error) (format string, err error) {
	in := bufio.NewReaderSize(r, 64<<10)
	parse := parseJSON
	var end int64
	for n := 1; ; n++ {
		line, err := readLine(in)
		if err != nil || line == nil {
			return format, err
		}
		end += int64(len(line))
		text := strings.TrimRight(string(line), "\r\n")
		if n == 1 && !strings.HasPrefix(text, "{") {
			columns, err := heading(text)
			if err != nil {
				return "", err
			}
			format, parse = "csv", columns.parse
			continue
		} else if n == 1 {
			format = "json"
		}
		result, err := parse(text)
		if err == nil && result.Name == "" {
			err = errors.New("the name is missing")
		}
		if err != nil {
			return format, fmt.Errorf("line %d: %w: is it an output of lookalike variants?", n, err)
		}
		if err := do(result, n, end); err != nil {
			return format, err
		}
	}
}

// readLine returns the next line with its end, nil where no complete one is left.
func readLine(in *bufio.Reader) (line []byte, err error) {
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF):
			return nil, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > maxLine:
			return nil, fmt.Errorf("a line of more than %d octets: it is no output of lookalike variants", maxLine)
		}
	}
}

func parseJSON(text string) (*Result, error) {
	r := new(Result)
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := d.Decode(r); err != nil {
		return nil, err
	}
	return r, nil
}

// columns are the names of the fields of a CSV file.
type columns []string

// heading reads the first line of a CSV file.
func heading(text string) (columns, error) {
	c, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil || !slices.Contains(c, "name") {
		return nil, errors.New("neither JSON nor CSV of lookalike variants: write the earlier run with -format json or csv")
	}
	return c, nil
}

func (c columns) parse(text string) (*Result, error) {
	fields, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return nil, err
	}
	if len(fields) != len(c) {
		return nil, fmt.Errorf("%d fields, want %d", len(fields), len(c))
	}
	r, a := new(Result), new(Answer)
	for i, field := range fields {
		err = errors.Join(err, r.set(c[i], field, a))
	}
	return r, err
}

// set takes one field over.
func (r *Result) set(column, field string, a *Answer) error {
	switch column {
	case "name":
		r.Name = field
	case "unicode":
		r.Unicode = field
	case "protected":
		r.Protected = field
	case "class":
		return r.Class.UnmarshalText([]byte(field))
	case "confidence":
		return r.Confidence.UnmarshalText([]byte(field))
	case "exists":
		a.Exists, r.Answer = field == "yes", a
	case "mail":
		a.Mail = Mail(field)
	case "ns":
		a.NS = items(field)
	case "mx":
		a.MX = items(field)
	case "addresses":
		a.Addresses = items(field)
	case "error":
		a.Error = field
	case "change":
		r.Change = Change(field)
	}
	return nil
}

func items(field string) []string {
	if field == "" {
		return []string{}
	}
	return strings.Split(field, separator)
}

// ReadEarlier returns the names of an earlier output that existed.
func ReadEarlier(r io.Reader) (Earlier, error) {
	e := make(Earlier)
	_, err := Read(r, func(result *Result, line int, _ int64) error {
		if result.Answer == nil {
			return fmt.Errorf("line %d: %s was not asked for: compare with an output of -resolve", line, result.Name)
		}
		if result.exists() {
			e[result.Name] = result.Answer
		}
		return nil
	})
	return e, err
}

// ReadLast returns the last name of an earlier output, empty without any, its
// format, and where its last complete line ends, in octets.
func ReadLast(r io.Reader) (last, format string, end int64, err error) {
	format, err = Read(r, func(result *Result, _ int, at int64) error {
		last, end = result.Name, at
		return nil
	})
	return last, format, end, err
}
