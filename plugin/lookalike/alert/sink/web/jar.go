package web

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
)

// A receiver's cookies, and how long a name and its value may be together.
const (
	maxCookies = 16
	maxCookie  = 4 << 10
)

// jar keeps the cookies of one receiver, so that a load balancer in front of
// several sends what belongs together to the same one. If a receiver sets more
// than any load balancer would, the oldest ones are dropped. The zero value is
// ready to use.
type jar struct {
	mu  sync.Mutex
	all []*http.Cookie // newest last
}

// SetCookies keeps cookies. A client of one address need not look at their
// paths and domains.
func (j *jar) SetCookies(_ *url.URL, cookies []*http.Cookie) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range cookies {
		j.all = slices.DeleteFunc(j.all, func(old *http.Cookie) bool { return old.Name == c.Name })
		if c.MaxAge >= 0 && len(c.Name)+len(c.Value) <= maxCookie {
			j.all = append(j.all, &http.Cookie{Name: c.Name, Value: c.Value}) //nolint:gosec // a client sends these two alone
		}
		if len(j.all) > maxCookies {
			j.all = slices.Delete(j.all, 0, 1)
		}
	}
}

// Cookies returns what goes with the next request.
func (j *jar) Cookies(*url.URL) []*http.Cookie {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.all)
}
