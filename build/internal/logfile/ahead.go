package logfile

import (
	"fmt"
	"io"
	"sync"
)

// blockSize and blocks say how far the reading goes ahead.
const (
	blockSize = 256 << 10
	blocks    = 4
)

// ahead reads and decompresses in a goroutine of its own, while the owner
// parses. stop ends it.
type ahead struct {
	full  chan block
	free  chan []byte
	done  chan struct{}
	ended sync.WaitGroup
	last  []byte // what next returned last
}

type block struct {
	text []byte
	err  error
}

func readAhead(r io.Reader) *ahead {
	a := &ahead{full: make(chan block, blocks), free: make(chan []byte, blocks), done: make(chan struct{})}
	for range blocks {
		a.free <- nil
	}
	a.ended.Go(func() { a.run(r) })
	return a
}

// run fills blocks until the end, an error or stop.
func (a *ahead) run(r io.Reader) {
	defer close(a.full)
	for {
		var buf []byte
		select {
		case buf = <-a.free:
		case <-a.done:
			return
		}
		if buf == nil {
			buf = make([]byte, blockSize)
		}
		n, err := fill(r, buf[:blockSize])
		select {
		case a.full <- block{buf[:n], err}:
		case <-a.done:
			return
		}
		if err != nil {
			return
		}
	}
}

// fill reads until buf is full or the input ends. A fault of a
// decompressor becomes an error, as damage of the file does.
func fill(r io.Reader, buf []byte) (n int, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("decompression failed: %v", fault)
		}
	}()
	for n < len(buf) && err == nil {
		var more int
		more, err = r.Read(buf[n:])
		n += more
	}
	return n, err
}

// next returns the next bytes. They are valid until next is called again. The
// error comes with the last of them.
func (a *ahead) next() ([]byte, error) {
	if a.last != nil {
		a.free <- a.last[:0]
		a.last = nil
	}
	b, ok := <-a.full
	if !ok {
		return nil, io.EOF
	}
	a.last = b.text
	return b.text, b.err
}

// stop ends the goroutine, and waits until it has ended: a Read of a file
// returns.
func (a *ahead) stop() {
	close(a.done)
	a.ended.Wait()
}
