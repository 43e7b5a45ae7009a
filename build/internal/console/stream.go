package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Limits of the streams of server-sent events.
const (
	mostStreams = 64
	mostPushed  = rowsShown              // rows in an event
	pause       = 250 * time.Millisecond // between two events
	beat        = 15 * time.Second       // between two lines, for those in between to keep the connection
)

// push is the data of an event.
type push struct {
	Rows    []pushed `json:"rows"` // the oldest change first
	Numbers string   `json:"numbers"`
	Whole   bool     `json:"whole"` // more has changed than there are rows
}

type pushed struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// events sends the incidents that the filter chooses as they change. What a
// browser has seen it says by the id of the last event, or in the address.
func (s *server) events(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	q := r.URL.Query()
	f, err := parseFilter(q, time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	seen := q.Get("seen")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		seen = last
	}
	w.Header().Set("Content-Type", "text/event-stream")
	if r.Method == http.MethodHead || http.NewResponseController(w).SetReadDeadline(time.Time{}) != nil { // it ends with the browser
		return
	}
	boot, number, _ := strings.Cut(seen, ".")
	change, err := strconv.ParseUint(number, 10, 64)
	if boot != s.boot || err != nil {
		_ = send(w, "restart", "", "{}") // the page is of another process: it has to begin anew
		return
	}
	out := &stream{server: s, w: w, filter: f, window: q.Get("window"), seen: change}
	out.run(r)
}

// stream is one browser that listens.
type stream struct {
	*server
	w      http.ResponseWriter
	filter *filter
	window string
	seen   uint64 // the last change that was sent
}

// run sends what changes until the browser goes, or cannot be written to.
func (o *stream) run(r *http.Request) {
	if send(o.w, "", "", "") != nil { // the headers
		return
	}
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		last, changed := o.Changes()
		if last > o.seen && o.push() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
			if o.beat() != nil {
				return
			}
			continue
		case <-changed:
		}
		select {
		case <-r.Context().Done():
			return
		case <-time.After(pause): // for others to come along
		}
	}
}

// push sends the incidents that have changed, and the numbers.
func (o *stream) push() error {
	now := time.Now()
	o.filter.now = now
	var rows []row
	v := o.Each(o.filter, o.seen, 0, mostPushed, func(i *incident) { rows = append(rows, newRow(i, now)) })
	p := push{Whole: v.more}
	for _, r := range slices.Backward(rows) {
		html, err := execute("row", r)
		if err != nil {
			return err
		}
		p.Rows = append(p.Rows, pushed{r.ID, html})
	}
	o.seen = v.last
	return o.send(p)
}

// beat sends the numbers, which change with time alone.
func (o *stream) beat() error { return o.send(push{}) }

func (o *stream) send(p push) (err error) {
	if p.Numbers, err = execute("numbers", o.numbers(o.window)); err != nil {
		return err
	}
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return send(o.w, "incidents", o.mark(o.seen), string(data))
}

// send writes an event (HTML Standard, section 9.2), or a comment where it has
// no name.
func send(w http.ResponseWriter, name, id, data string) error {
	c := http.NewResponseController(w)
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return err
	}
	text := ":\n\n"
	if name != "" {
		text = fmt.Sprintf("event: %s\nid: %s\ndata: %s\n\n", name, id, data)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	return c.Flush()
}
