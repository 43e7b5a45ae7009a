package mailog

import (
	"bytes"
	"time"

	"github.com/lookalike-dns/lookalike/build/internal/event"
)

// maxMessages is how many messages are remembered at once, and maxAge for how
// long: ids recur, and no server tries for longer.
const (
	maxMessages = 50_000
	maxAge      = 30 * 24 * time.Hour
)

// maxRecipients bounds what one message can take.
const maxRecipients = 2000

// usualRecipients bounds what is kept of a finished message for the next one.
const usualRecipients = 8

// recentDone is how many ids of finished messages are remembered, about: a
// server logs what a content filter handed back before it logs what it gave to
// the filter.
const recentDone = 8192

// recipient is what became of a message for one of its recipients.
type recipient struct {
	event.Event
	step bool // the message was handed to the same host, which has yet to tell
	told bool // emitted; what comes after it is the same again
}

// message is what the log has told of a message so far.
type message struct {
	key        string
	id, host   string
	sender     string
	known      bool // the sender, which can be empty
	client     string
	expect     int // recipients, 0 where the log does not tell
	recipients []recipient
	seen       time.Time

	older, newer *message
}

// bounce reports whether the message has no sender.
func (m *message) bounce() bool { return m.known && m.sender == "" }

// queue joins the lines of messages by host and id. The oldest message goes
// when there are too many.
type queue struct {
	all     map[string]*message
	ends    message  // its older is the newest message, its newer the oldest
	last    *message // that was found
	free    *message // finished ones, by older
	done    []uint64 // hashes of the ids of finished messages
	scratch []byte
	words   event.Words
	emit    func(*event.Event)
}

func newQueue() *queue {
	q := &queue{all: make(map[string]*message), done: make([]uint64, recentDone)}
	q.ends.older, q.ends.newer = &q.ends, &q.ends
	return q
}

// key returns the key of an id on a host. It is valid until the next call.
func (q *queue) key(host string, id []byte) []byte {
	q.scratch = append(append(append(q.scratch[:0], id...), 0), host...)
	return q.scratch
}

// find returns a message that the log has told of, nil without one.
func (q *queue) find(host string, id []byte) *message {
	if m := q.last; m != nil && m.id == string(id) && m.host == host {
		return m
	}
	m := q.all[string(q.key(host, id))]
	if m != nil {
		q.last = m
	}
	return m
}

// message returns the message that a line is about.
func (q *queue) message(l *event.Line, id []byte) *message {
	m := q.find(l.Host, id)
	switch {
	case m == nil:
		m = q.create(l.Host, id)
	case !l.Time.IsZero() && !m.seen.IsZero() && l.Time.Sub(m.seen) > maxAge:
		q.finish(m)
		m = q.create(l.Host, id)
	default:
		m.older.newer, m.newer.older = m.newer, m.older
	}
	m.seen = l.Time
	m.older, m.newer = q.ends.older, &q.ends
	m.older.newer, m.newer.older = m, m
	return m
}

func (q *queue) create(host string, id []byte) *message {
	if len(q.all) >= maxMessages {
		q.finish(q.ends.newer)
	}
	key := string(q.key(host, id))
	m := q.free
	if m == nil {
		m = new(message)
	} else {
		q.free = m.older
	}
	*m = message{key: key, id: key[:len(id)], host: host, recipients: m.recipients[:0]}
	q.all[key] = m
	q.last = m
	return m
}

// from notes the sender. An id with another sender is another message.
func (q *queue) from(l *event.Line, id, sender []byte) *message {
	m := q.message(l, id)
	if m.known && m.sender != string(sender) {
		q.finish(m)
		m = q.message(l, id)
	}
	m.sender, m.known = string(sender), true
	return m
}

// outcome notes what became of a message for a recipient. The last outcome
// wins.
func (q *queue) outcome(m *message, l *event.Line, to, original []byte, o event.Outcome, hop []byte) *recipient {
	r := m.recipient(to, original)
	if r == nil {
		if len(m.recipients) >= maxRecipients {
			q.tell(m)
		}
		m.recipients = append(m.recipients, recipient{Event: event.Event{Recipient: string(to)}})
		r = &m.recipients[len(m.recipients)-1]
		if len(original) > 0 && !bytes.Equal(original, to) {
			r.Original = string(original)
		}
	}
	if r.told {
		return r
	}
	r.step = false
	if o == event.Deferred {
		r.Deferrals += l.Repeated
	}
	r.Outcome, r.NextHop = o, q.words.Of(hop)
	r.Time, r.Guessed, r.File, r.Line = l.Time, l.Guessed(), l.File, l.Number
	return r
}

// recipient returns what is known of a recipient, nil for nothing.
func (m *message) recipient(to, original []byte) *recipient {
	for i := range m.recipients {
		r := &m.recipients[i]
		if r.Recipient == string(to) && (r.step || r.Original == string(original) || r.Original == "" && bytes.Equal(to, original)) {
			return r
		}
	}
	return nil
}

// handover makes a recipient one of another message on the same host: a content
// filter or the daemon took it, and has yet to tell what became of it.
func (q *queue) handover(m *message, r *recipient, l *event.Line, id []byte) {
	moved := *r
	m.drop(r)
	if string(id) == m.id {
		return
	}
	if h := hash(q.key(l.Host, id)); q.done[h%recentDone] == h {
		return
	}
	next := q.message(l, id)
	if next.client == "" || m.client != "" {
		next.client = m.client
	}
	if m.known && !next.known {
		next.sender, next.known = m.sender, true
	}
	for i := range next.recipients {
		if r := &next.recipients[i]; r.Recipient == moved.Recipient || r.Original == moved.Recipient {
			return
		}
	}
	moved.step = true
	next.recipients = append(next.recipients, moved)
}

func (m *message) drop(r *recipient) {
	for i := range m.recipients {
		if &m.recipients[i] == r {
			m.recipients = append(m.recipients[:i], m.recipients[i+1:]...)
			return
		}
	}
}

// finish emits what is known of a message, and forgets it.
func (q *queue) finish(m *message) {
	q.tell(m)
	m.older.newer, m.newer.older = m.newer, m.older
	delete(q.all, m.key)
	if q.last == m {
		q.last = nil
	}
	h := hash(m.key)
	q.done[h%recentDone] = h
	if cap(m.recipients) <= usualRecipients {
		m.older, q.free = q.free, m
	}
}

// tell emits the outcomes of a message, and forgets them. A step counts only
// where the log says nothing of what came after it.
func (q *queue) tell(m *message) {
	steps := true
	for i := range m.recipients {
		steps = steps && m.recipients[i].step
	}
	for i := range m.recipients {
		if r := &m.recipients[i]; !r.step || steps {
			q.tellOne(m, r)
		}
	}
	m.recipients = m.recipients[:0]
}

// tellOne emits what became of a message for a recipient, once.
func (q *queue) tellOne(m *message, r *recipient) {
	if r.told || m.bounce() {
		return
	}
	r.told = true
	r.Sender, r.Client, r.ID = m.sender, m.client, m.id
	if r.Logger == "" {
		r.Logger = m.host
	}
	q.emit(&r.Event)
}

// final emits an outcome that is the last one, for servers that do not tell when
// they are done with a message. It forgets the message when all its recipients
// have theirs.
func (q *queue) final(m *message, r *recipient) {
	q.tellOne(m, r)
	if m.expect == 0 {
		return
	}
	told := 0
	for i := range m.recipients {
		if m.recipients[i].told {
			told++
		}
	}
	if told >= m.expect {
		q.finish(m)
	}
}

// rejected emits a recipient that was refused before there was a message.
func (q *queue) rejected(l *event.Line, sender, to []byte, client string) {
	if len(sender) == 0 || len(to) == 0 {
		return
	}
	q.emit(&event.Event{
		Time: l.Time, Guessed: l.Guessed(), Logger: l.Host, Client: client,
		Sender: string(sender), Recipient: string(to),
		Outcome: event.Rejected, Count: l.Repeated, File: l.File, Line: l.Number,
	})
}

// hash returns the FNV-1a hash, the same in each run.
func hash[T string | []byte](key T) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(key) {
		h = (h ^ uint64(key[i])) * 1099511628211
	}
	return h
}

// flush emits and forgets all messages, the oldest first.
func (q *queue) flush() {
	for q.ends.newer != &q.ends {
		q.finish(q.ends.newer)
	}
	clear(q.done)
}
