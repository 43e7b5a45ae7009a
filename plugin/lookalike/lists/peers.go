package lists

import (
	"sync"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// peers are the lists of one server: none flags what another protects.
type peers struct {
	sync.Mutex // held while names are put in force
	all        []*Lists
}

// Join makes peers of lists that are loaded and not started. What one of them
// protects is somebody's own name, and never flagged by another, nor is any name
// of the same owner.
func Join(all ...*Lists) {
	p := &peers{all: all}
	p.Lock()
	defer p.Unlock()
	for _, l := range all {
		l.peers = p
	}
	p.spare(nil)
}

// others returns the protected names of all peers but one, as far as they are
// loaded.
func (p *peers) others(but *Lists) (indexes []*detect.Index) {
	for _, l := range p.all {
		if own := l.current.Load().own; l != but && own != nil {
			indexes = append(indexes, own)
		}
	}
	return indexes
}

// spare has each peer but one leave alone what the others protect now.
func (p *peers) spare(but *Lists) {
	for _, l := range p.all {
		next := *l.current.Load()
		if l == but || next.own == nil {
			continue
		}
		next.index = next.own.Sparing(p.others(l)...)
		next.recent = newRecent()
		l.current.Store(&next)
		l.subscribers.tell()
	}
}
