package logfile

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// partial joins lines that a container's runtime has cut into pieces.
type partial struct {
	open  bool // the line now read is a piece that is not the last
	piece bool // so was the one before it
	text  []byte
}

var streams = [...][]byte{[]byte("stdout "), []byte("stderr ")}

// cri peels "stdout F " behind the stamp of a container's log, as the Container
// Runtime Interface of Kubernetes has it. P marks a piece.
func (p *partial) cri(l *event.Line) bool {
	for _, s := range streams {
		rest, ok := bytes.CutPrefix(l.Text, s)
		if !ok || len(rest) < 1 || rest[0] != 'F' && rest[0] != 'P' || len(rest) > 1 && rest[1] != ' ' && rest[1] != ':' {
			continue
		}
		p.open = rest[0] == 'P'
		_, l.Text, _ = bytes.Cut(rest, space)
		return true
	}
	return false
}

// add joins the line with the pieces before it, and reports whether it is
// complete.
func (p *partial) add(l *event.Line) bool {
	open := p.open
	p.open = false
	if !open && !p.piece {
		return true
	}
	if !p.piece {
		p.text = p.text[:0]
	}
	p.text = append(p.text, l.Text[:min(len(l.Text), MaxLine-len(p.text))]...)
	p.piece = open
	if open {
		return false
	}
	l.Text = p.text
	return true
}

// object peels JSON round a line: of Docker, whose lines are cut at 16 KiB, or
// of the journal. Other objects are logs themselves.
func (u *unwrapper) object() bool {
	text := u.line.Text
	switch {
	case bytes.Contains(text, []byte(`"__REALTIME_TIMESTAMP"`)):
		return u.journalObject(text)
	case bytes.Contains(text, []byte(`"log":`)) && bytes.Contains(text, []byte(`"stream":`)):
		return u.docker(text)
	}
	return false
}

func (u *unwrapper) docker(text []byte) bool {
	var o struct {
		Log    *string `json:"log"`
		Stream string  `json:"stream"`
		Time   string  `json:"time"`
	}
	if json.Unmarshal(text, &o) != nil || o.Log == nil {
		return false
	}
	if t, err := time.Parse(time.RFC3339Nano, o.Time); err == nil {
		u.stamp(t, true, true)
	}
	u.scratch = append(u.scratch[:0], *o.Log...)
	line, complete := bytes.CutSuffix(u.scratch, []byte("\n"))
	u.partial.open = !complete
	u.line.Text = bytes.TrimSuffix(line, []byte("\r"))
	return true
}
