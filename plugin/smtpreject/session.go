package smtpreject

import (
	"bufio"
	"container/list"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/pkg/address"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// The limits of one connection. RFC 5321 section 4.5.3.1 sets the minimum that
// a server must accept: 100 recipients, and command lines of 512 octets.
// SMTPUTF8 (RFC 6531 section 3.4), DSN (RFC 3461 section 4) and AUTH (RFC 4954
// section 3) lengthen those lines. Names have at most 255 octets, mailboxes 64
// and 255 around the at sign, counted as alerts escape them.
const (
	maxLine       = 2048 // octets of a command line, with CRLF
	maxRecipients = 1000 // that are looked at
	maxCommands   = 4000
	maxErrors     = 20
	maxSwallow    = 64 << 20 // octets of a BDAT chunk that are read and thrown away
	maxHelo       = 255
	maxMailbox    = 64 + 1 + 255
)

// session is one connection. Its goroutine runs serve; others may call
// interrupt.
type session struct {
	endpoint *endpoint
	policy   *policy // when the connection was accepted
	client   client
	element  *list.Element // in endpoint.sessions, which guards it

	raw  net.Conn // what the conversation runs over, below TLS
	conn net.Conn
	in   *bufio.Reader

	mu          sync.Mutex
	interrupted string // why the session was cut short, or empty

	secure     bool   // TLS is on
	helo       string // what the client calls itself
	begun      bool   // MAIL has been said
	sender     string // of the message; empty for the null sender
	refused    bool   // DATA has been refused, and a body may follow all the same
	recipients int
	commands   int
	errors     int
}

func newSession(e *endpoint, p *policy, conn net.Conn) *session {
	return &session{
		endpoint: e,
		policy:   p,
		client:   clientOf(address.Of(conn.RemoteAddr()).Addr()),
		raw:      conn,
		conn:     conn,
		in:       bufio.NewReaderSize(conn, maxLine),
	}
}

// Why a session ends. Their texts label the metric of disconnects.
var (
	errQuit      = errors.New("quit")
	errProtocol  = errors.New("protocol") // what came can no longer be told to be commands
	errTooMany   = errors.New("commands")
	errHandshake = errors.New("tls")
)

// serve holds the conversation and closes the connection. One deadline covers
// all of it, so that no client, however slow, can make it last longer.
func (s *session) serve() {
	open := connectionsOpen.WithLabelValues(s.endpoint.address)
	open.Inc()
	defer open.Dec()
	defer s.raw.Close()
	defer s.recoverPanic()
	s.limit(s.policy.timeout)
	err := s.reply("220 " + s.policy.hostname + " ESMTP refuses all mail")
	for err == nil {
		err = s.command()
	}
	s.part(err)
}

// limit sets the deadline, unless the session has been cut short already.
func (s *session) limit(timeout time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.interrupted == "" {
		s.raw.SetDeadline(time.Now().Add(timeout))
	}
}

// interrupt makes the session end at once, whatever it is waiting for.
func (s *session) interrupt(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.interrupted == "" {
		s.interrupted = reason
		s.raw.SetDeadline(time.Unix(1, 0))
	}
}

// evict closes the connection without a word, to make room at once: one that
// closed later would no longer count, but still use memory.
func (s *session) evict() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.interrupted == "" {
		s.interrupted = crowded
	}
	if c, ok := s.raw.(*net.TCPConn); ok {
		c.SetLinger(0) // nor may the kernel keep what the client does not read
	}
	s.raw.Close()
}

// crowded is why a session ends that gives way to another.
const crowded = "crowded"

// part says the last words and counts why the session ended.
func (s *session) part(err error) {
	s.mu.Lock()
	reason := s.interrupted
	s.raw.SetDeadline(time.Now().Add(parting))
	s.mu.Unlock()

	var timeout net.Error
	switch {
	case errors.Is(err, errQuit):
		s.drain()
		return
	case reason != "":
	case errors.As(err, &timeout) && timeout.Timeout():
		reason = "timeout"
	case errors.Is(err, errProtocol), errors.Is(err, errTooMany):
		reason = err.Error()
	case errors.Is(err, errHandshake):
		disconnectsTotal.WithLabelValues(s.endpoint.address, err.Error()).Inc()
		return // there is no common language left for a goodbye
	default:
		return // the client has gone
	}
	disconnectsTotal.WithLabelValues(s.endpoint.address, reason).Inc()
	if reason == crowded {
		return
	}
	if s.reply("421 4.4.2 "+s.policy.hostname+" closing the connection") == nil {
		s.drain()
	}
}

// drain throws away what the client still sends, for a moment: closing a
// connection with octets unread resets it, and the client may lose our last
// replies with it.
func (s *session) drain() {
	if c, ok := s.conn.(interface{ CloseWrite() error }); ok {
		c.CloseWrite()
	}
	io.CopyN(io.Discard, s.raw, 1<<20) //nolint:errcheck // the deadline ends it
}

// reply sends one reply. The text is printable ASCII.
func (s *session) reply(lines ...string) error {
	_, err := io.WriteString(s.conn, strings.Join(lines, "\r\n")+"\r\n")
	return err
}

var errLineTooLong = errors.New("line too long")

// line reads a command without its line end. A line that is too long is read
// to its end and thrown away.
func (s *session) line() (string, error) {
	b, err := s.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = s.in.ReadSlice('\n')
		}
		if err == nil {
			err = errLineTooLong
		}
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(string(b[:len(b)-1]), "\r"), nil
}

// commands are the verbs that are known (RFC 5321 section 4.1.1, RFC 3030,
// RFC 3207), in upper case. Each gets what follows the verb.
var commands map[string]func(*session, string) error

func init() {
	commands = map[string]func(*session, string) error{
		"EHLO":     (*session).ehlo,
		"HELO":     (*session).heloCommand,
		"STARTTLS": (*session).starttls,
		"MAIL":     (*session).mail,
		"RCPT":     (*session).rcpt,
		"DATA":     (*session).data,
		"BDAT":     (*session).bdat,
		"RSET":     (*session).rset,
		"NOOP":     always("250 2.0.0 OK"),
		"HELP":     always("214 2.0.0 This server refuses all mail"),
		"VRFY":     always("252 2.5.0 Cannot verify; this server refuses all mail"),
		"EXPN":     always("502 5.5.1 Not implemented"),
		"AUTH":     always("502 5.5.1 Not implemented"),
		"ETRN":     always("502 5.5.1 Not implemented"),
		"QUIT":     (*session).quit,
	}
}

// afterRefusal are the verbs that a client may go on with when DATA has been
// refused.
var afterRefusal = map[string]bool{"QUIT": true, "RSET": true, "MAIL": true, "EHLO": true, "HELO": true, "NOOP": true}

func always(line string) func(*session, string) error {
	return func(s *session, _ string) error { return s.reply(line) }
}

// command reads and answers one command.
func (s *session) command() error {
	if s.commands++; s.commands > maxCommands || s.errors > maxErrors {
		return errTooMany
	}
	line, err := s.line()
	switch {
	case errors.Is(err, errLineTooLong) && s.refused:
		return errProtocol
	case errors.Is(err, errLineTooLong):
		return s.wrong("500 5.5.6 Line too long")
	case err != nil:
		return err
	}
	verb, arg, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	do, ok := commands[verb]
	if !ok {
		verb = "other"
	}
	commandsTotal.WithLabelValues(s.endpoint.address, verb).Inc()
	switch {
	case s.refused && !afterRefusal[verb]: // the first line of a body
		return errProtocol
	case ok:
		return do(s, strings.TrimSpace(arg))
	default:
		return s.wrong("500 5.5.1 Command not recognized")
	}
}

// wrong answers a command that cannot be carried out. A client has only so
// many of them.
func (s *session) wrong(line string) error {
	s.errors++
	return s.reply(line)
}

func (s *session) ehlo(name string) error {
	if fault := s.introduce(name); fault != "" {
		return s.wrong("501 5.5.4 EHLO " + fault)
	}
	lines := []string{"250-" + s.policy.hostname}
	if !s.secure {
		lines = append(lines, "250-STARTTLS")
	}
	return s.reply(append(lines, "250-8BITMIME", "250-SMTPUTF8", "250 ENHANCEDSTATUSCODES")...)
}

func (s *session) heloCommand(name string) error {
	if fault := s.introduce(name); fault != "" {
		return s.wrong("501 5.5.4 HELO " + fault)
	}
	return s.reply("250 " + s.policy.hostname)
}

// introduce takes over the client's name, or returns what is wrong with it.
func (s *session) introduce(name string) (fault string) {
	name = escape(name) // it goes into alerts
	switch {
	case name == "":
		return "needs your name"
	case len(name) > maxHelo:
		return "name too long"
	}
	s.helo, s.begun, s.refused = name, false, false
	return ""
}

// starttls starts TLS (RFC 3207). Commands that were sent along in clear text
// may be somebody else's, so they end the session.
func (s *session) starttls(arg string) error {
	switch {
	case arg != "":
		return s.wrong("501 5.5.4 STARTTLS takes no argument")
	case s.secure:
		return s.wrong("503 5.5.1 TLS is on already")
	case s.in.Buffered() > 0:
		return errProtocol
	}
	if err := s.reply("220 2.0.0 Go ahead"); err != nil {
		return err
	}
	conn := tls.Server(bounded{s.raw}, s.policy.tls)
	if err := conn.Handshake(); err != nil {
		handshakesTotal.WithLabelValues(s.endpoint.address, "failed").Inc()
		return errHandshake
	}
	handshakesTotal.WithLabelValues(s.endpoint.address, "ok").Inc()
	s.conn = conn
	s.in.Reset(conn)
	s.secure, s.helo, s.begun = true, "", false
	return nil
}

// bounded is a connection whose deadlines only its session sets: TLS gives its
// closing alert one of 5 s.
type bounded struct{ net.Conn }

func (bounded) SetWriteDeadline(time.Time) error { return nil }

// mail begins a message. It ends one that was begun, as RSET does: all its
// recipients have been refused.
func (s *session) mail(arg string) error {
	path, ok := parsePath(arg, "FROM:")
	if !ok {
		return s.wrong("501 5.1.7 Bad sender address syntax")
	}
	if path.long() {
		return s.wrong("501 5.1.7 Path too long")
	}
	s.begun, s.sender, s.refused = true, path.String(), false
	return s.reply("250 2.1.0 OK")
}

// rcpt refuses a recipient, for good: RFC 3463 sections 3.2 (X.1.2, bad
// destination system address) and 3.8 (X.7.1, delivery not authorized).
func (s *session) rcpt(arg string) error {
	if !s.begun {
		return s.wrong("503 5.5.1 MAIL first")
	}
	to, ok := parsePath(arg, "TO:")
	if !ok || to.String() == "" {
		return s.wrong("501 5.1.3 Bad recipient address syntax")
	}
	if to.long() {
		return s.wrong("501 5.1.3 Path too long")
	}
	if s.recipients++; s.recipients > maxRecipients {
		return s.reply("550 5.5.3 Too many recipients")
	}
	p := s.endpoint.policy.Load() // a reload may have changed it since
	v, line := s.decide(p, to)
	class := "none"
	if v != nil {
		class = v.Class.String()
	}
	recipientsTotal.WithLabelValues(s.endpoint.address, class).Inc()
	err := s.reply(line)
	if v != nil {
		s.observe(p, v, to)
	}
	return err
}

// decide returns the refusal of a recipient, and what it resembles, or nil. It
// refuses even where something fails: without a reply the mail would be queued.
func (s *session) decide(p *policy, to path) (v *detect.Verdict, line string) {
	defer s.recoverPanic()
	line = stranger(to)
	if to.ascii == "" {
		return nil, line
	}
	if v, ok := p.detector.Match(to.ascii); ok {
		return v, p.reply.refusal(to, v)
	}
	return nil, line
}

// observe puts the envelope into an alert, unless there are too many.
func (s *session) observe(p *policy, v *detect.Verdict, to path) {
	defer s.recoverPanic()
	if !s.endpoint.envelopes.allow(s.client, time.Now()) {
		envelopesLimitedTotal.WithLabelValues(s.endpoint.address).Inc()
		return
	}
	p.detector.ObserveSMTP(address.Of(s.raw.RemoteAddr()), address.Of(s.raw.LocalAddr()), v, s.helo, s.sender, to.String())
}

// recoverPanic recovers from a panic, logs and counts it. It must be deferred.
func (s *session) recoverPanic() {
	if r := recover(); r != nil {
		failuresTotal.WithLabelValues(s.endpoint.address).Inc()
		log.Errorf("recovered from a panic in an SMTP session: %s", text.Clean(fmt.Sprint(r)))
	}
}

// data refuses a body. If a client sends one all the same, its lines must not
// be taken for commands. A body that has come along with DATA ends the session
// here; one that comes later does so in command.
func (s *session) data(string) error {
	s.refused = true
	if err := s.wrong("554 5.5.1 No valid recipients"); err != nil {
		return err
	}
	if s.in.Buffered() > 0 {
		return errProtocol
	}
	return nil
}

// bdat refuses a chunk (RFC 3030 section 2), which follows at once, and skips
// it unread.
func (s *session) bdat(arg string) error {
	size, _, _ := strings.Cut(arg, " ")
	n, err := strconv.ParseUint(size, 10, 63)
	if err != nil || n > maxSwallow {
		return errProtocol
	}
	if _, err := io.CopyN(io.Discard, s.in, int64(n)); err != nil {
		return err
	}
	return s.wrong("503 5.5.1 No valid recipients")
}

func (s *session) rset(string) error {
	s.begun, s.refused = false, false
	return s.reply("250 2.0.0 OK")
}

func (s *session) quit(string) error {
	if err := s.reply("221 2.0.0 " + s.policy.hostname + " goodbye"); err != nil {
		return err
	}
	return errQuit
}
