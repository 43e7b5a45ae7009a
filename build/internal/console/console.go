// Package console serves a live page of alerts to a browser: incidents as they arrive,
// their details and their numbers. It is read-only.
package console

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/alertlog"
)

// Console reads alerts and serves the page.
type Console struct {
	Alerts []string // files, or streams, as package alertlog has them
	Token  string   // that a browser has to show; empty: none
	Hosts  []string // names under which a browser may ask, besides addresses and localhost

	// Problem receives each reading problem, which the page shows, too.
	Problem func(alertlog.Problem)
}

// Time limits of the server.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	writeTimeout  = 20 * time.Second // for a page, or one event
	shutdown      = 2 * time.Second
	maxHeader     = 16 << 10
)

// Run reads the alerts and serves the page at l until ctx is done. It closes l.
func (c *Console) Run(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := newStore()
	read := make(chan error, 1)
	go func() { // ends with ctx
		err := c.read(ctx, s)
		if err != nil {
			cancel(err)
		}
		read <- err
	}()

	server := &http.Server{
		Handler: newServer(c, s), ReadHeaderTimeout: headerTimeout, ReadTimeout: headerTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	stopped := context.AfterFunc(ctx, func() {
		late, stop := context.WithTimeout(context.Background(), shutdown)
		defer stop()
		if server.Shutdown(late) != nil {
			server.Close()
		}
	})
	defer stopped()
	err := server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	cancel(err)
	return errors.Join(err, ended(<-read))
}

// ended is the error of a reading that has come to its end, if it was no order.
func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// read reads the alerts until ctx is done. A record that makes it panic is an
// error: the page must not go on without saying that it sees no more.
func (c *Console) read(ctx context.Context, s *store) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reading alerts: %v", p)
		}
	}()
	o := alertlog.Options{Follow: true, Current: func() error { s.Current(); return nil }}
	lines := 0
	o.Problem = func(p alertlog.Problem) {
		if lines++; p.Line == 0 || lines == 1 { // of lines the first tells enough
			s.Problem(p, time.Now())
			if c.Problem != nil {
				c.Problem(p)
			}
		}
	}
	return alertlog.Read(ctx, c.Alerts, o, func(r *alertlog.Record) error { s.Add(r); return nil })
}
