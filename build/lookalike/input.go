package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/miekg/dns"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

// idnaDots are the full stops that programs which know IDNA take for dots
// (RFC 3490 section 3.1).
var idnaDots = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".")

// readName returns the given text as a name in presentation form, or says why
// it is none. Text beyond ASCII is read as mail programs read it, by IDNA.
// Labels may have any octet, as in the DNS, but a TLD has only letters, digits
// and hyphens. If it could contain separators or quotes, a lookalike would pass
// for a name under another TLD.
func readName(given string) (string, error) {
	switch {
	case given == "":
		return "", errors.New("no name")
	case strings.Contains(given, "\x00"):
		return "", errors.New("a NUL byte: separate names by line feeds, and save UTF-16 as UTF-8")
	case strings.Contains(given, "://"):
		return "", errors.New("a URL: give the domain name alone")
	case strings.ContainsFunc(given, unicode.IsSpace):
		return "", errors.New("more than one word: give one name")
	}
	name := domain(given)
	if !text.ASCII(name) {
		name = mapped(name)
	}
	if name == "" {
		return "", errors.New("a mail address without a domain: nothing follows the @")
	}
	if _, ok := dns.IsDomainName(name); !ok {
		return "", errors.New("no domain name: labels of 1 to 63 octets, separated by single dots, 255 octets in all")
	}
	if tld := lastLabel(name); strings.ContainsFunc(tld, notInTLD) {
		return "", fmt.Errorf("the last label is %q, but a TLD has only letters, digits and hyphens: give one name a line, nothing else", text.Shorten(tld, maxShown))
	}
	if bare(name, ",;") {
		return "", errors.New(`more than one name, or a comma or semicolon: give one name a line, and write \044 and \059 within labels`)
	}
	return name, nil
}

// domain returns the domain of a mail address, and any other text as it is.
func domain(given string) string {
	for i := len(given) - 1; i >= 0; i-- {
		if given[i] == '@' && (i == 0 || given[i-1] != '\\') {
			return given[i+1:]
		}
	}
	return given
}

// bare reports whether one of the characters stands in text without a
// backslash before it.
func bare(text, characters string) bool {
	for i := range len(text) {
		if strings.IndexByte(characters, text[i]) >= 0 && (i == 0 || text[i-1] != '\\') {
			return true
		}
	}
	return false
}

// mapped returns a name with its U-labels as A-labels. Where no IDNA rule can
// read it all, it does so for the last label alone, if it can.
func mapped(name string) string {
	if a, err := names.Canonical(name); err == nil {
		return a
	}
	name = idnaDots.Replace(name)
	tld := lastLabel(name)
	if a, err := names.Canonical(tld); err == nil {
		name = strings.TrimSuffix(strings.TrimSuffix(name, "."), tld) + a
	}
	return name
}

// lastLabel returns the last label of a name in presentation form.
func lastLabel(name string) string {
	at, _ := dns.PrevLabel(name, 1)
	return strings.TrimSuffix(name[at:], ".")
}

func notInTLD(r rune) bool {
	return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// maxLine is the length of the longest line: a name of 255 octets, all of them
// escaped, and a comment.
const maxLine = 4096

// maxShown is how many bytes of an offending text a message repeats.
const maxShown = 64

// lines are those of a stream whose reading a context can end.
type lines struct {
	*text.Lines
	src *interruptible
	end context.CancelFunc
}

func newLines(ctx context.Context, r io.Reader) *lines {
	ctx, end := context.WithCancel(ctx)
	src := newInterruptible(ctx, r)
	return &lines{text.NewLines(src, maxLine), src, end}
}

// close ends the reading ahead.
func (l *lines) close() { l.end() }

// content returns the line without blanks around it and without a comment. It
// is valid until Next is called.
func (l *lines) content() []byte {
	line := bytes.TrimSpace(l.Text)
	for i, c := range line {
		if c == '#' && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			return bytes.TrimSpace(line[:i])
		}
	}
	return line
}

// paused reports whether the next line has yet to come.
func (l *lines) paused() bool { return l.Buffered() == 0 && l.src.paused() }

// interruptible is a reader whose Read returns when a context ends, even while
// the reader below blocks, as standard input does. Its goroutine ends with the
// context or the input; one that waits for standard input ends with the
// process.
type interruptible struct {
	ctx    context.Context
	chunks chan chunk
	free   chan []byte
	now    chunk
	rest   []byte // of now
}

type chunk struct {
	buf []byte
	n   int
	err error
}

func newInterruptible(ctx context.Context, r io.Reader) *interruptible {
	i := &interruptible{ctx: ctx, chunks: make(chan chunk, 1), free: make(chan []byte, 2)}
	i.free <- make([]byte, 64<<10)
	i.free <- make([]byte, 64<<10)
	go i.fill(r)
	return i
}

// fill reads ahead by one buffer.
func (i *interruptible) fill(r io.Reader) {
	for {
		var buf []byte
		select {
		case buf = <-i.free:
		case <-i.ctx.Done():
			return
		}
		n, err := r.Read(buf)
		select {
		case i.chunks <- chunk{buf, n, err}:
		case <-i.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// Read implements io.Reader.
func (i *interruptible) Read(p []byte) (int, error) {
	if err := i.ctx.Err(); err != nil {
		return 0, err
	}
	for len(i.rest) == 0 {
		if i.now.err != nil {
			return 0, i.now.err
		}
		if i.now.buf != nil {
			i.free <- i.now.buf
		}
		select {
		case i.now = <-i.chunks:
			i.rest = i.now.buf[:i.now.n]
		case <-i.ctx.Done():
			return 0, i.ctx.Err()
		}
	}
	n := copy(p, i.rest)
	i.rest = i.rest[n:]
	return n, nil
}

// paused reports whether Read would wait.
func (i *interruptible) paused() bool { return len(i.rest) == 0 && len(i.chunks) == 0 }
