package console

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/address"
)

// filter chooses incidents. What is zero chooses all.
type filter struct {
	Client     netip.Prefix
	Name       string // queried or resembled: a part of it
	Class      detect.Class
	Action     record.Action
	Confidence detect.Confidence
	Within     time.Duration // since the last query
	Words      []string      // all of them, anywhere

	now time.Time
}

// window is a stretch of time until now.
type window struct {
	Name, Text string
	Length     time.Duration
	Bucket     time.Duration // of the chart
}

// windows are those that numbers, charts and the filter have.
var windows = []window{
	{"hour", "Last hour", time.Hour, time.Minute},
	{"day", "Last day", 24 * time.Hour, 15 * time.Minute},
	{"week", "Last week", 7 * 24 * time.Hour, 2 * time.Hour},
}

// windowOf returns the window of that name, or the one of a day.
func windowOf(name string) window {
	if i := slices.IndexFunc(windows, func(w window) bool { return w.Name == name }); i >= 0 {
		return windows[i]
	}
	return windows[1]
}

// parseFilter reads the query of an address.
func parseFilter(q url.Values, now time.Time) (*filter, error) {
	f := &filter{
		Name: strings.ToLower(strings.Trim(q.Get("name"), ". ")), Words: strings.Fields(strings.ToLower(q.Get("q"))), now: now,
	}
	var err error
	if c := strings.TrimSpace(q.Get("client")); c != "" {
		if f.Client, err = address.ParsePrefix(c); err != nil {
			return f, fmt.Errorf("client %q: write an address or a network such as 192.0.2.0/24", c)
		}
	}
	if c := q.Get("class"); c != "" {
		if f.Class, err = detect.ParseClass(c); err != nil {
			return f, err
		}
	}
	if a := q.Get("action"); a != "" {
		var ok bool
		if f.Action, ok = record.ParseAction(a); !ok || f.Action == record.Off {
			return f, fmt.Errorf("unknown action %q", a)
		}
	}
	if c := q.Get("confidence"); c != "" {
		if f.Confidence, err = detect.ParseConfidence(c); err != nil {
			return f, err
		}
	}
	if w := q.Get("within"); w != "" {
		f.Within = windowOf(w).Length
	}
	return f, nil
}

func (f *filter) match(i *incident) bool {
	if f.Class != detect.None && i.Class != f.Class ||
		f.Action != record.Off && i.Action != f.Action ||
		f.Confidence != detect.Unsure && i.Confidence != f.Confidence ||
		f.Within != 0 && i.Last.Before(f.now.Add(-f.Within)) ||
		f.Client.IsValid() && !f.Client.Contains(i.Client) {
		return false
	}
	if f.Name != "" && !strings.Contains(strings.ToLower(i.Name), f.Name) && !strings.Contains(i.Unicode, f.Name) &&
		!slices.ContainsFunc(i.Protected, func(p string) bool { return strings.Contains(p, f.Name) }) {
		return false
	}
	for _, w := range f.Words {
		if !strings.Contains(i.words, w) {
			return false
		}
	}
	return true
}
