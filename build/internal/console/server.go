package console

import (
	"embed"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/report"
)

//go:embed static
var static embed.FS

const staticPath = "/static/"

// server answers requests.
type server struct {
	*store
	boot    string // unlike that of any process before
	streams chan struct{}
}

func newServer(c *Console, s *store) http.Handler {
	srv := &server{store: s, boot: strconv.FormatInt(time.Now().UnixNano(), 36), streams: make(chan struct{}, mostStreams)}
	mux := http.NewServeMux()
	mux.Handle(staticPath, http.FileServerFS(static))
	mux.Handle(staticPath+"look.css", http.StripPrefix(staticPath, http.FileServerFS(report.Shared)))
	mux.HandleFunc("/{$}", srv.page)
	mux.HandleFunc("/rows", srv.rows)
	mux.HandleFunc("/incident/{id}", srv.incident)
	mux.HandleFunc("/events", srv.events)
	return newGuard(c.Token, c.Hosts).protect(mux)
}

// rowsShown is how many incidents a page shows at a time.
const rowsShown = 100

// listing is a page of the list.
type listing struct {
	Rows  []row
	Older string // address of the next page; empty: there is none
	Seen  string // the last change that it has, for the stream
	Error string // why the filter cannot be used
	Empty string // what to say where there are no rows
}

// list returns the page of the list that the query asks for.
func (s *server) list(q url.Values) listing {
	now := time.Now()
	f, err := parseFilter(q, now)
	if err != nil {
		return listing{Error: err.Error(), Empty: "Nothing is shown."}
	}
	before, _ := strconv.ParseUint(q.Get("before"), 10, 64) // 0, the newest, for anything else
	var l listing
	var last uint64
	v := s.Each(f, 0, before, rowsShown, func(i *incident) {
		l.Rows = append(l.Rows, newRow(i, now))
		last = i.change
	})
	if v.more {
		older := url.Values{}
		for name := range q {
			older.Set(name, q.Get(name))
		}
		older.Set("before", strconv.FormatUint(last, 10))
		l.Older = "/?" + older.Encode()
	}
	l.Seen = s.mark(v.last)
	switch {
	case v.count > 0:
	case v.last == 0:
		l.Empty = "There are no alerts yet. The page shows them as they arrive."
	default:
		l.Empty = "No incident matches."
	}
	return l
}

// mark is a change, and the process that has counted it.
func (s *server) mark(change uint64) string { return fmt.Sprintf("%s.%d", s.boot, change) }

// page is the whole page.
func (s *server) page(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	reply(w, http.StatusOK, "page", struct {
		List    listing
		Numbers numbers
		Query   form
	}{s.list(q), s.numbers(q.Get("window")), newForm(q)})
}

// rows is the list alone, for a filter that changes.
func (s *server) rows(w http.ResponseWriter, r *http.Request) {
	reply(w, http.StatusOK, "list", s.list(r.URL.Query()))
}

// incident is the page of one incident.
func (s *server) incident(w http.ResponseWriter, r *http.Request) {
	var d detail
	if !s.One(r.PathValue("id"), func(i *incident) { d = newDetail(i, time.Now()) }) {
		reply(w, http.StatusNotFound, "gone", nil)
		return
	}
	d.draw()
	reply(w, http.StatusOK, "incident", d)
}

// reply writes a page, or says that it cannot.
func reply(w http.ResponseWriter, status int, name string, data any) {
	page, err := execute(name, data)
	if err != nil {
		http.Error(w, "rendering the page failed: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout)) // not for recorders in tests
	w.WriteHeader(status)
	_, _ = io.WriteString(w, page) //nolint:gosec // html/template has escaped it; an error: the browser has gone
}

// execute writes what a template makes of data.
func execute(name string, data any) (string, error) {
	var b strings.Builder
	err := templates.ExecuteTemplate(&b, name, data)
	return b.String(), err
}
