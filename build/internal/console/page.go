package console

import (
	"embed"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/lookalike-dns/lookalike/build/internal/render"
	"github.com/lookalike-dns/lookalike/build/internal/report"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

//go:embed pages.html
var pages embed.FS

var templates = template.Must(template.Must(template.New("").Funcs(template.FuncMap{
	"show":   render.Display,
	"number": report.Number,
	"level":  report.Level,
	"glyph":  report.Glyph,
	"stamp":  stamp,
	"join":   join,
}).ParseFS(report.Shared, "slips.html")).ParseFS(pages, "pages.html"))

func join(list []string) string { return render.Display(strings.Join(list, ", ")) }

// stamp is a time for machines and for people, both in UTC: resolvers and
// analysts may be in different zones.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

// when is a time near to now, as short as can be.
func when(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04:05")
	case now.Sub(t) < 300*24*time.Hour:
		return t.Format("2 Jan 15:04")
	}
	return t.Format("2 Jan 2006")
}

// row is an incident in the list.
type row struct {
	ID, Address   string
	When, Stamp   string
	Who           string
	Name, Unicode string
	Protected     string
	Class         string
	Confidence    detect.Confidence
	Action        string
	Stopped       bool
	Queries       uint64
	Sensors       string
}

func newRow(i *incident, now time.Time) row {
	r := row{
		ID: i.id, Address: "/incident/" + i.id,
		When: when(i.Last, now), Stamp: i.Last.UTC().Format(time.RFC3339),
		Who: who(i), Name: render.Display(i.Name), Unicode: render.Display(i.Unicode),
		Class: i.Class.String(), Confidence: i.Confidence,
		Action: i.Action.String(), Stopped: i.Action.Blocks(), Queries: i.Queries, Sensors: join(i.Sensors),
	}
	if len(i.Protected) > 0 {
		r.Protected = render.Display(i.Protected[0])
	}
	if i.Storm {
		r.Name += " and others"
	}
	return r
}

func who(i *incident) string {
	if i.Client.IsValid() {
		return i.Client.String()
	}
	return fmt.Sprintf("about %d clients", i.Clients)
}

// form is the filter, as the page has it.
type form struct {
	Words, Client, Name string
	Selects             []choice
	Window              string
	Paged               bool // older incidents are shown, which do not move
}

// choice is a list of which one value is chosen.
type choice struct {
	Name, Label string
	Options     []option
}

type option struct {
	Value, Text string
	Chosen      bool
}

func newForm(q url.Values) form {
	f := form{Words: q.Get("q"), Client: q.Get("client"), Name: q.Get("name"), Window: windowOf(q.Get("window")).Name, Paged: q.Get("before") != ""}
	add := func(name, label, all string, values []option) {
		c := choice{name, label, []option{{Text: all}}}
		for _, v := range values {
			v.Chosen = v.Value == q.Get(name)
			c.Options = append(c.Options, v)
		}
		f.Selects = append(f.Selects, c)
	}
	times := make([]option, len(windows))
	for i, w := range windows {
		times[i] = option{Value: w.Name, Text: w.Text}
	}
	add("class", "Class", "Any class", optionsOf(detect.Classes()))
	add("confidence", "Confidence", "Any confidence", optionsOf([]detect.Confidence{detect.High, detect.Medium, detect.Low}))
	add("action", "Action", "Any action", optionsOf(record.Actions()[1:]))
	add("within", "Last query", "Any time", times)
	return f
}

func optionsOf[T fmt.Stringer](values []T) []option {
	options := make([]option, len(values))
	for i, v := range values {
		options[i] = option{Value: v.String(), Text: v.String()}
	}
	return options
}

// detail is the page of an incident.
type detail struct {
	row
	First, Last string
	Meant       []string
	Reason      string
	Also        []string // other protected names
	Contexts    []string
	Mail        []record.SMTP
	Entries     []entry // the latest first
	Dropped     int
	Allow       string // a line for an allow file
	Explain     string // a command
	Drawing     *report.Drawing

	name string
}

// exceptionFor is how long the exception that the page suggests lasts.
const exceptionFor = 90 * 24 * time.Hour

func newDetail(i *incident, now time.Time) detail {
	d := detail{
		row: newRow(i, now), First: stamp(i.First), Last: stamp(i.Last), Reason: render.Display(i.Reason),
		Meant: i.Meant, Also: i.Protected[min(1, len(i.Protected)):], Contexts: i.Contexts, Mail: i.Mail,
		Entries: slices.Clone(i.Entries), Dropped: i.Dropped, name: i.Name,
	}
	slices.Reverse(d.Entries)
	allowed := i.Registrable
	if allowed == "" || allowed == record.Any {
		allowed = i.Name
	}
	d.Allow = fmt.Sprintf(`%s  until=%s owner=NAME reason="WHY"`, render.Display(allowed), now.Add(exceptionFor).UTC().Format(time.DateOnly))
	client := ""
	if i.Client.IsValid() {
		client = "-client " + i.Client.String() + " "
	}
	d.Explain = "lookalike check -conf Corefile " + client + "-- " + quote(render.Display(i.Name))
	return d
}

// quote makes a word of a text for a shell.
func quote(s string) string {
	plain := func(r rune) bool {
		return r == '.' || r == '-' || r == '_' || unicode.IsDigit(r) || unicode.IsLetter(r)
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// draw finds the slips. It takes too long for the store to wait.
func (d *detail) draw() {
	d.Drawing = report.Draw(d.Protected, d.Name, report.SlipsOf(d.name, d.Protected))
}

// numbers are the figures and the chart.
type numbers struct {
	Windows  []windowNumbers
	Chart    chart
	Problems []problem
	Dropped  int
	Reading  bool // the files are still read
}

type windowNumbers struct {
	window
	counts
	Chosen bool
}

func (s *store) numbers(chosen string) numbers {
	now := time.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := numbers{Problems: slices.Clone(s.problems), Dropped: s.dropped, Reading: !s.current}
	c := windowOf(chosen)
	for _, w := range windows {
		buckets, sum := s.activity.series(w, now)
		n.Windows = append(n.Windows, windowNumbers{w, sum, w.Name == c.Name})
		if w.Name == c.Name {
			n.Chart = newChart(w, buckets, now)
		}
	}
	return n
}

// chart is drawn as SVG: what goes across is a percentage, what goes up is in
// pixels.
type chart struct {
	Title, Desc string
	Bars        []bar
	Top         string // the value of the line
	From, To    string
}

type bar struct {
	X, Width                           string // percent
	Stopped, StoppedY, Passed, PassedY int
}

const chartHeight = 96

func newChart(w window, buckets []counts, now time.Time) chart {
	c := chart{
		Title: w.Text + ": queries for lookalikes", To: "now",
		From: when(now.Add(-w.Length), now),
	}
	var most, stopped, passed uint64
	for _, b := range buckets {
		most, stopped, passed = max(most, b.Stopped+b.Passed), stopped+b.Stopped, passed+b.Passed
	}
	c.Desc = fmt.Sprintf("%s stopped and %s let through; at most %s in %s.", report.Number(stopped), report.Number(passed), report.Number(most), duration(w.Bucket))
	c.Top = report.Number(most)
	n := float64(len(buckets))
	for j, b := range buckets {
		if b.Stopped+b.Passed == 0 {
			continue
		}
		passed, all := report.Height(b.Passed, most, chartHeight), report.Height(b.Stopped+b.Passed, most, chartHeight)
		c.Bars = append(c.Bars, bar{
			X: report.Percent(float64(j)+.1, n), Width: report.Percent(.8, n),
			Passed: passed, PassedY: chartHeight - passed, Stopped: all - passed, StoppedY: chartHeight - all,
		})
	}
	return c
}

func duration(d time.Duration) string {
	if d < time.Hour {
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}
