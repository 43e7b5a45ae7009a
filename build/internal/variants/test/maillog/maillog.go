// Package maillog writes logs for measurements: what a Postfix that is busy
// day and night logs in a year, with everything that it says beside deliveries.
package maillog

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// Counts are how many deliveries a log tells of.
type Counts struct {
	Messages, Delivered, Bounced, Deferred int
	Lookalikes                             int // deliveries to names under ml
}

// Postfix writes a log of about size bytes whose last line is of the time end.
// The same seed gives the same log.
func Postfix(w io.Writer, size int64, seed uint64, end time.Time) (Counts, error) {
	g := generator{w: bufio.NewWriterSize(w, 1<<16), rand: rand.New(rand.NewPCG(seed, seed))}
	step := 364 * 24 * time.Hour / time.Duration(size/messageSize+1)
	g.at = end.Add(-step * time.Duration(size/messageSize+1))
	for g.size < size {
		g.at = g.at.Add(step)
		g.message()
	}
	return g.counts, g.w.Flush()
}

// messageSize is about how many bytes a message has in the log.
const messageSize = 1373

type generator struct {
	w      *bufio.Writer
	rand   *rand.Rand
	at     time.Time
	size   int64
	counts Counts
}

func (g *generator) line(format string, args ...any) {
	n, _ := fmt.Fprintf(g.w, g.at.Format("Jan _2 15:04:05")+" mx postfix/"+format+"\n", args...)
	g.size += int64(n)
}

// message writes the life of one message.
func (g *generator) message() {
	n := g.counts.Messages
	g.counts.Messages++
	client := fmt.Sprintf("pc%d.example.net[192.0.2.%d]", n%200, n%200)
	id := g.id()
	g.line("submission/smtpd[%d]: connect from %s", 100+n%50, client)
	g.line("submission/smtpd[%d]: Anonymous TLS connection established from %s: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 bits) server-digest SHA256", 100+n%50, client)
	g.line("submission/smtpd[%d]: %s: client=%s, sasl_method=PLAIN, sasl_username=user%d", 100+n%50, id, client, n%2000)
	g.line("cleanup[%d]: %s: message-id=<%08x.%d@example.net>", 200+n%50, id, g.rand.Uint32(), n)
	g.line("qmgr[99]: %s: from=<user%d@example.net>, size=%d, nrcpt=1 (queue active)", id, n%2000, 1000+g.rand.IntN(50000))
	g.line("submission/smtpd[%d]: disconnect from %s ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8", 100+n%50, client)
	g.line("smtp[%d]: Trusted TLS connection established to mail.example.org[198.51.100.%d]:25: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)", 300+n%50, n%250)
	g.delivery(n, id)
	g.line("qmgr[99]: %s: removed", id)
}

func (g *generator) delivery(n int, id string) {
	domain, relay := fmt.Sprintf("customer%d.example.org", g.rand.IntN(3000)), fmt.Sprintf("mail.example.org[198.51.100.%d]:25", n%250)
	if n%1000 == 7 {
		g.counts.Lookalikes++
		domain = "army.ml"
	}
	to := fmt.Sprintf("recipient.%d@%s", g.rand.IntN(20000), domain)
	const times = "delay=0.31, delays=0.09/0.01/0.1/0.11"
	switch n % 20 {
	case 3:
		g.counts.Deferred++
		g.line("smtp[%d]: %s: to=<%s>, relay=none, %s, dsn=4.4.1, status=deferred (connect to mail.example.org[198.51.100.7]:25: Connection timed out)", 300+n%50, id, to, times)
		g.line("qmgr[99]: %s: from=<user%d@example.net>, size=1000, nrcpt=1 (queue active)", id, n%2000)
	case 4:
		g.counts.Bounced++
		g.line("smtp[%d]: %s: to=<%s>, relay=%s, %s, dsn=5.1.1, status=bounced (host mail.example.org[198.51.100.7] said: 550 5.1.1 <%s>: Recipient address rejected: User unknown (in reply to RCPT TO command))", 300+n%50, id, to, relay, times, to)
		return
	}
	g.counts.Delivered++
	g.line("smtp[%d]: %s: to=<%s>, relay=%s, %s, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as %s)", 300+n%50, id, to, relay, times, g.id())
}

// id returns a long queue id: letters without vowels, and digits.
func (g *generator) id() string {
	const alphabet = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxy"
	b := []byte("4jZYPS24SMz11N")
	for _, i := range [...]int{2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13} {
		b[i] = alphabet[g.rand.IntN(len(alphabet))]
	}
	return string(b)
}
