package format

import (
	"slices"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// MaxRecord is the largest size of a record in octets, with the header of its
// transport: by default, rsyslog cuts longer messages.
const MaxRecord = 8 << 10

// maxBody is what remains behind the longest header of syslog.
const maxBody = MaxRecord - 512

// Append appends r to b, on one line and without a line end. Values that do not
// fit into a record are left out, or shortened, and counted.
func (f *Format) Append(b []byte, r *record.Record) []byte {
	start := len(b)
	b = f.append(b, r)
	for i := 0; i < len(cuts) && size(b[start:]) > maxBody; i++ {
		if i == 0 {
			r = clone(r)
		}
		r.LeftOut += cuts[i](r)
		b = f.append(b[:start], r)
	}
	return b
}

// size is the length of a line when all that is not ASCII is written as \uXXXX,
// as syslog needs it.
func size(line []byte) int {
	n := len(line)
	for _, c := range string(line) {
		switch {
		case c >= 0x10000:
			n += 12 - 4
		case c >= 0x800:
			n += 6 - 3
		case c >= 0x80:
			n += 6 - 2
		}
	}
	return n
}

// clone copies the parts of r that cuts change.
func clone(r *record.Record) *record.Record {
	c := *r
	c.SMTP = slices.Clone(r.SMTP)
	if r.Exception != nil {
		e := *r.Exception
		c.Exception = &e
	}
	for _, list := range lists(&c) {
		*list = slices.Clone(*list)
	}
	return &c
}

// cuts make a record smaller, beginning with what is missed least. Each returns
// how many values it has left out or shortened.
var cuts = []func(*record.Record) int{
	func(r *record.Record) int { return few(r, 2) },
	func(r *record.Record) int { return few(r, 1) },
	func(r *record.Record) int { return short(r, 255) },
	func(r *record.Record) int { return short(r, 120) },
	func(r *record.Record) int { return short(r, 40) },
}

// few keeps n of each list.
func few(r *record.Record, n int) int {
	cut := keep(&r.Clients, n) + keep(&r.Answers, n)
	for _, list := range lists(r) {
		cut += keep(list, n)
	}
	envelopes := keep(&r.SMTP, n)
	r.SMTPMore += uint64(envelopes) //nolint:gosec // eight at most
	return cut + envelopes
}

func keep[T any](list *[]T, n int) int {
	cut := max(len(*list)-n, 0)
	*list = (*list)[:len(*list)-cut]
	return cut
}

// short shortens each text to n octets.
func short(r *record.Record, n int) int {
	texts := []*string{&r.Name, &r.Registrable, &r.Unicode, &r.Reason, &r.Sensor, &r.Version}
	for _, list := range lists(r) {
		for i := range *list {
			texts = append(texts, &(*list)[i])
		}
	}
	for i := range r.SMTP {
		texts = append(texts, &r.SMTP[i].From, &r.SMTP[i].To, &r.SMTP[i].HELO)
	}
	if e := r.Exception; e != nil {
		texts = append(texts, &e.Name, &e.Until, &e.Owner, &e.Reason, &e.Ticket)
	}
	cut := 0
	for _, s := range texts {
		if len(*s) > n {
			*s = shorten(*s, n)
			cut++
		}
	}
	return cut
}

// shorten cuts s to at most n octets, but never an escape of the DNS, \DDD.
func shorten(s string, n int) string {
	const mark = "..."
	cut := strings.TrimSuffix(text.Shorten(s, n), mark)
	end := 0
	for end < len(cut) {
		width := 1
		if cut[end] == '\\' {
			_, used := text.Unescape(cut[end+1:])
			if used == 0 && end+len(`\DDD`) > len(cut) {
				break
			}
			width += used
		}
		end += width
	}
	return cut[:end] + mark
}

// lists are the lists of texts that a record has.
func lists(r *record.Record) []*[]string {
	return []*[]string{
		&r.Protected, &r.DidYouMean, &r.Qtypes, &r.Samples, &r.Contexts, &r.Protocols, &r.ServerBlocks, &r.Views, &r.Vias,
	}
}
