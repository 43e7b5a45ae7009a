package sink

import (
	"net"
	"sync"
	"time"
)

// The bytes that a receiver may send a second, and at once. This is far more
// than answers need, and keeps a receiver that never stops from using up a
// processor.
const (
	pacedRate  = 1 << 20
	pacedBurst = 1 << 20
)

// Paced returns a connection that reads no faster than answers need. Only one
// goroutine may read.
func Paced(c net.Conn) net.Conn {
	return &paced{Conn: c, left: pacedBurst, at: time.Now(), closed: make(chan struct{})}
}

type paced struct {
	net.Conn
	left   int // bytes that may be read at once
	at     time.Time
	once   sync.Once
	closed chan struct{}
}

func (p *paced) Read(b []byte) (int, error) {
	now := time.Now()
	p.left = min(p.left+int(now.Sub(p.at).Seconds()*pacedRate), pacedBurst)
	p.at = now
	if p.left <= 0 {
		timer := time.NewTimer(time.Duration(1-p.left) * time.Second / pacedRate)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-p.closed:
		}
	}
	n, err := p.Conn.Read(b)
	p.left -= n
	return n, err
}

// Close also ends a Read that waits.
func (p *paced) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.Conn.Close()
}
