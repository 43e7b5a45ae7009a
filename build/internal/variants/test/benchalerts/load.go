package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	clients  = 8   // addresses to ask from: announcements are limited for each
	oldNames = 100 // that are asked again and again
	newOnes  = 10  // one name in so many is new, so that groups begin all the time
	giveUp   = 2 * time.Second
)

// moment is what the time of a run is divided into, to leave out those in which
// the machine was busy.
const moment = 200 * time.Millisecond

// sample is the latency of an answer, and the moment it was asked in.
type sample struct {
	latency time.Duration
	moment  int
}

// load is what one server is asked and what came of it.
type load struct {
	addr    netip.AddrPort
	cached  bool // ask for no new names
	mu      sync.Mutex
	asked   [1 << 16]time.Time // by message id; zero: not asked, or answered
	samples []sample
	lost    int
}

// answered notes an answer.
func (l *load) answered(id uint16, now, began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := l.asked[id]; !at.IsZero() {
		l.samples = append(l.samples, sample{now.Sub(at), int(at.Sub(began) / moment)})
		l.asked[id] = time.Time{}
	}
}

// ask notes a query that is about to be sent.
func (l *load) ask(id uint16) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked[id] = time.Now()
}

// finish counts what has no answer as lost.
func (l *load) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.asked {
		if !l.asked[id].IsZero() {
			l.lost++
			l.asked[id] = time.Time{}
		}
	}
}

func (l *load) question(i int) string {
	if i%newOnes == 0 && !l.cached {
		return fmt.Sprintf("x%x.ml.", rand.Uint64()>>16)
	}
	return fmt.Sprintf("x%d.ml.", i%oldNames)
}

// measure asks each server once in a round, in random order, at even times
// whatever the answers do, so that a server that stops for a moment is late for
// all that it was asked in it. What was measured before is forgotten.
func measure(ctx context.Context, subjects []*subject, duration time.Duration, rate int) error {
	began := time.Now()
	conns := make([][]net.Conn, len(subjects))
	var readers sync.WaitGroup
	defer readers.Wait()
	for i, s := range subjects {
		s.samples, s.lost = nil, 0
		for c := range clients {
			conn, err := (&net.Dialer{LocalAddr: &net.UDPAddr{IP: net.IPv4(127, 0, 1, byte(c+1))}}).DialContext(ctx, "udp", s.addr.String())
			if err != nil {
				return err
			}
			defer conn.Close()
			conns[i] = append(conns[i], conn)
			readers.Go(func() { read(conn, &s.load, began) })
		}
	}
	step := time.Second / time.Duration(rate*len(subjects))
	for i, due := 0, began; time.Since(began) < duration; i++ {
		id, client := uint16(i), i%clients // ids come again after 65,536 rounds
		for _, n := range rand.Perm(len(subjects)) {
			q := new(dns.Msg).SetQuestion(subjects[n].question(i), dns.TypeMX)
			q.Id = id
			wire, err := q.Pack()
			if err != nil {
				return err
			}
			time.Sleep(time.Until(due))
			due = due.Add(step)
			subjects[n].ask(id)
			if _, err := conns[n][client].Write(wire); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	time.Sleep(giveUp)
	for _, s := range subjects {
		s.finish()
		if len(s.samples) == 0 {
			return fmt.Errorf("no answer from the server with %s", s.name)
		}
	}
	return nil
}

// read takes answers until the connection is closed.
func read(conn net.Conn, l *load, began time.Time) {
	for b := make([]byte, dns.MaxMsgSize); ; {
		n, err := conn.Read(b)
		if err != nil {
			return
		}
		if n >= 2 {
			l.answered(uint16(b[0])<<8|uint16(b[1]), time.Now(), began)
		}
	}
}
