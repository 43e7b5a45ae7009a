package report

import (
	"embed"
	"fmt"
	"html/template"
	"io"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// Shared has what the pages of the tool have in common: look.css, and the template
// "slips" in slips.html, which needs the function glyph.
//
//go:embed look.css slips.html
var Shared embed.FS

var (
	//go:embed page.html
	pageHTML string
	//go:embed look.css
	lookCSS string
	//go:embed style.css
	styleCSS string
)

// What a browser shows without a pause: the JSON has all.
const (
	mostTabled    = 500
	mostSectioned = 100
	mostShared    = 25
)

// view is a page as the template needs it.
type view struct {
	*Page
	Title, Made, Foot string
	Style             template.CSS
	Found             bool
	Parts             []part
	Leaked, Held      string // headings
	Things, Who       string

	Weeks                  weeks
	NamesCaption           string
	NameBars, ClassBars    bars
	HostsHeading           string
	HostBars               bars
	Table                  []nameRow
	Untabled, Unsectioned  uint64
	ClassTable             shareTable
	HostTable, DomainTable shareTable

	AllowText, AllowFile, NoCandidates string
	ExceptionRows                      []exceptionRow
	HealthText                         string
	SensorRows                         []sensorRow
	Sections                           []section
	ReadFacts                          []fact
	FileRows                           []fileRow
	Samples                            []string
}

// part is an entry of the table of contents.
type part struct{ ID, Title string }

// fact is a value under a label.
type fact struct{ Label, Value string }

// shareRow is a row of a table, or a bar.
type shareRow struct {
	Label, Sub   string
	Leaked, Held uint64
}

type shareTable struct {
	Caption, What, Leaked, Held string
	Rows                        []shareRow
}

// nameRow is a row of the table of names.
type nameRow struct {
	*Name
	ID                string // of its section; empty: it has none
	Leaked, Held, Who uint64
	First, Last       string
	Urgent            bool
}

type exceptionRow struct {
	Exception
	UntilText string
}

type sensorRow struct {
	Sensor
	LastText string
}

type fileRow struct {
	File
	Understood string
}

// levels draw a confidence; the word stands beside it.
var levels = map[detect.Confidence]string{detect.High: "●●●", detect.Medium: "●●○", detect.Low: "●○○"}

// Level returns as many marks as the confidence is high, for those who see no colour.
func Level(c detect.Confidence) string { return levels[c] }

var page = template.Must(template.Must(template.New("page").Funcs(template.FuncMap{
	"number": Number,
	"show":   text.Visible,
	"level":  Level,
	"glyph":  Glyph,
}).Parse(pageHTML)).ParseFS(Shared, "slips.html"))

// WriteHTML writes the page as one file that needs no other: no script, no
// request, nothing of the data in a place where a browser would obey it.
func (p *Page) WriteHTML(w io.Writer) error { return page.Execute(w, p.view()) }

func (p *Page) view() *view {
	b := bases[p.Basis]
	v := &view{
		Page: p, Style: template.CSS(lookCSS + styleCSS), //nolint:gosec // ours
		Leaked: b.leaked, Held: b.held, Things: Plural(2, b.unit), Who: "Senders",
		Found: len(p.Names) > 0,
		Made:  "Made on " + stamp(p.Created, p.Period.In) + " " + p.Period.Zone,
	}
	if p.Basis != Mail {
		v.Who = "Hosts"
	}
	v.Title = "lookalike " + string(p.Kind) + ": " + p.Headline
	v.Foot = p.foot()
	if v.Found {
		v.charts(b)
		v.tables()
	}
	v.allow()
	v.health()
	v.read()
	v.parts()
	return v
}

// charts draws what is found.
func (v *view) charts(b *basis) {
	v.Weeks = newWeeks(&v.Trend, v.Basis, b.trend(v.Trend.Unit))
	names := make([]shareRow, 0, len(v.Names))
	for i := range v.Names {
		names = append(names, v.row(v.Names[i].Name, "", &v.Names[i].Counts))
	}
	v.NameBars = newBars("name-bars", b.perName, v.Basis, names)
	v.ClassTable = v.shares("By class of lookalike", "Class", v.Classes)
	for i := range v.ClassTable.Rows {
		row := &v.ClassTable.Rows[i]
		if c, err := detect.ParseClass(row.Label); err == nil {
			row.Sub = c.Meaning()
		}
	}
	v.ClassBars = newBars("class-bars", b.perClass, v.Basis, v.ClassTable.Rows)
	v.HostTable = v.shares("By "+lower(b.host), b.host, v.Hosts)
	v.HostBars = newBars("host-bars", b.perHost, v.Basis, v.HostTable.Rows)
	v.DomainTable = v.shares("By domain of the sender", "Domain", v.Domains)
	v.HostsHeading = b.hosts
	v.NamesCaption = Some(uint64(len(v.Names)), "registrable name") + ", most mail first"
	if v.Basis != Mail {
		v.NamesCaption = Some(uint64(len(v.Names)), "registrable name") + ", most queries first"
	}
}

func (v *view) row(label, sub string, c *Counts) shareRow {
	return shareRow{label, sub, v.Basis.Leaked(c), v.Basis.Held(c)}
}

func (v *view) shares(caption, what string, all []Share) shareTable {
	t := shareTable{Caption: caption, What: what, Leaked: v.Leaked, Held: v.Held}
	if more := len(all) - mostShared; more > 0 {
		t.Caption += fmt.Sprintf(", the first %d of %s", mostShared, Number(uint64(len(all))))
		all = all[:mostShared]
	}
	for i := range all {
		t.Rows = append(t.Rows, v.row(all[i].Name, "", &all[i].Counts))
	}
	return t
}

// tables fills the table of names and the sections.
func (v *view) tables() {
	for i := range v.Names {
		n := &v.Names[i]
		if i < mostSectioned {
			v.Sections = append(v.Sections, v.section(n, fmt.Sprintf("name-%d", i+1)))
		}
		if i == mostTabled {
			break
		}
		row := nameRow{
			Name: n, Leaked: v.Basis.Leaked(&n.Counts), Held: v.Basis.Held(&n.Counts), Who: n.Senders,
			First: date(n.First, v.Period.In), Last: date(n.Last, v.Period.In),
			Urgent: n.Decision == Ask || n.Decision == Reported,
		}
		if v.Basis != Mail {
			row.Who = n.Hosts
		}
		if i < mostSectioned {
			row.ID = fmt.Sprintf("name-%d", i+1)
		}
		v.Table = append(v.Table, row)
	}
	v.Untabled = uint64(max(0, len(v.Names)-mostTabled))
	v.Unsectioned = uint64(max(0, len(v.Names)-mostSectioned))
}

// allow says what may have to be allowed.
func (v *view) allow() {
	v.NoCandidates = "No name has two-way mail, many senders or a long history, so none is a candidate for an exception."
	if v.Kind == Review {
		v.NoCandidates = "No name has queries from many hosts or over a long time, so none is a candidate for an exception."
	}
	if !v.Found {
		v.NoCandidates = "Nothing was found, so there is nothing to allow."
	}
	v.AllowText = "These names may belong to partners. Ask before you allow one: a name that many people write to can be a slip that many people make. " +
		"Lines that begin with # are comments: remove the # to allow the name."
	v.AllowFile = v.allowFile()
	for i := range v.Exceptions {
		row := exceptionRow{v.Exceptions[i], "no end"}
		if !row.Until.IsZero() {
			row.UntilText = date(row.Until, v.Period.In)
		}
		v.ExceptionRows = append(v.ExceptionRows, row)
	}
}

func (v *view) health() {
	var lost, missing uint64
	for i := range v.Destinations {
		lost += v.Destinations[i].Lost
	}
	for i := range v.Sensors {
		v.SensorRows = append(v.SensorRows, sensorRow{v.Sensors[i], stamp(v.Sensors[i].Last, v.Period.In)})
		missing += v.Sensors[i].Missing
	}
	v.HealthText = "No alert is missing from the resolvers' sequences."
	if missing > 0 || lost > 0 {
		v.HealthText = fmt.Sprintf("%s %s missing from the resolvers' sequences; %s %s reported as lost. A rotated file may contain the rest.",
			Some(missing, "alert"), Plural(missing, "is"), Number(lost), Plural(lost, "was"))
	}
}

// parts lists the parts of the page.
func (v *view) parts() {
	add := func(ok bool, id, title string) {
		if ok {
			v.Parts = append(v.Parts, part{id, title})
		}
	}
	add(v.Found, "trend", "Trend")
	add(v.Found, "names", "Names")
	add(v.Found, "hosts", "Hosts")
	add(true, "allow", "Allow first")
	add(len(v.Exceptions) > 0, "exceptions", "Exceptions")
	add(len(v.Destinations)+len(v.Sensors) > 0, "health", "Health")
	add(len(v.Sections) > 0, "each", "Each name")
	add(true, "read", "Input")
}

// hidings say what has become of the addresses, for the foot of the page.
var hidings = map[string]string{
	Full:      "This page shows addresses in full: protect it like the logs.",
	Pseudonym: "Eight characters of a keyed hash replace the part of each address before the @. They differ from page to page, because the key is discarded.",
	None:      "This page leaves out the part of each address before the @.",
}

func (p *Page) foot() string {
	return fmt.Sprintf("Made by lookalike %s. “Resembles” says that two names are alike, not that somebody meant the other. %s",
		p.Version, hidings[p.Read.Addresses])
}
