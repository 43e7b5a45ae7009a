//go:build e2e && linux

package mail

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// searchDomain is what a node of TestSearchSuffix appends to names.
const searchDomain = "corp.example."

// good takes mail for everybody; trap takes what would have left for a
// lookalike domain.
var good, trap = newMailbox(), newMailbox()

// suffixed counts the questions below searchDomain.
var suffixed atomic.Int64

// serveInternet starts the name server and the mail servers of the outside
// world.
func serveInternet() (stop func(), err error) {
	if good.tls, err = selfSigned(); err != nil {
		return nil, err
	}
	conn, err := net.ListenPacket("udp", authority+":53")
	if err != nil {
		return nil, err
	}
	tcp, err := net.Listen("tcp", authority+":53")
	if err != nil {
		return nil, err
	}
	listeners := []io.Closer{conn, tcp}
	go dns.ActivateAndServe(nil, conn, dns.HandlerFunc(answer))
	go dns.ActivateAndServe(tcp, nil, dns.HandlerFunc(answer))
	for address, box := range map[string]*mailbox{goodAddress: good, trapAddress: trap} {
		ln, err := net.Listen("tcp", address+":25")
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, ln)
		go box.serve(ln)
	}
	return func() {
		for _, l := range listeners {
			l.Close()
		}
	}, nil
}

// answer is the authority for every name: under ml everything leads to the
// trap, and elsewhere to the good mail server, but for partner.example, whose MX
// is a lookalike. Under mil there are two domains: if every name existed there,
// verify could tell nothing. Nothing exists below the domains that programs on a
// node append to names: with a wildcard there, they would send mail for army.ml to
// army.ml.example.net.
func answer(w dns.ResponseWriter, r *dns.Msg) {
	q := r.Question[0]
	name := strings.ToLower(q.Name)
	m := new(dns.Msg).SetReply(r)
	m.Authoritative = true
	host := goodAddress
	if dns.IsSubDomain("ml.", name) {
		host = trapAddress
	}
	hdr := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: 60}
	if dns.IsSubDomain(searchDomain, name) {
		suffixed.Add(1)
	}
	switch {
	case dns.IsSubDomain(searchDomain, name), dns.IsSubDomain("example.net.", name):
		m.Rcode = dns.RcodeNameError
	case dns.IsSubDomain("mil.", name) && !dns.IsSubDomain("army.mil.", name) && !dns.IsSubDomain("fort-example.mil.", name):
		m.Rcode = dns.RcodeNameError
	case name == "partner.example." && q.Qtype == dns.TypeMX:
		m.Answer = []dns.RR{&dns.MX{Hdr: hdr, Preference: 10, Mx: "mail.army.ml."}}
	case q.Qtype == dns.TypeMX && !strings.HasPrefix(name, "mail."):
		m.Answer = []dns.RR{&dns.MX{Hdr: hdr, Preference: 10, Mx: "mail." + q.Name}}
	case q.Qtype == dns.TypeA:
		m.Answer = []dns.RR{&dns.A{Hdr: hdr, A: net.ParseIP(host)}}
	}
	if len(m.Answer) == 0 {
		m.Ns = []dns.RR{&dns.SOA{
			Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: 60},
			Ns:  "ns.example.", Mbox: "hostmaster.example.", Serial: 1, Refresh: 60, Retry: 60, Expire: 60, Minttl: 60,
		}}
	}
	w.WriteMsg(m)
}

// message is what a mail server of the outside world was given for a recipient.
type message struct {
	at        time.Time
	sender    string
	recipient string
	data      string
}

// mailbox is a mail server that takes everything and keeps it.
type mailbox struct {
	tls *tls.Config // nil: no STARTTLS

	mu       sync.Mutex
	arrived  *sync.Cond
	messages []message
	octets   []byte // that clients sent, whatever they meant
}

func newMailbox() *mailbox {
	b := new(mailbox)
	b.arrived = sync.NewCond(&b.mu)
	return b
}

// await returns the messages that ok wants as soon as there are n of them, or
// those that there are when the time is up.
func (b *mailbox) await(n int, wait time.Duration, ok func(message) bool) (found []message) {
	expired := false
	timer := time.AfterFunc(wait, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		expired = true
		b.arrived.Broadcast()
	})
	defer timer.Stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	for at := 0; ; b.arrived.Wait() {
		for ; at < len(b.messages); at++ {
			if m := b.messages[at]; ok(m) {
				found = append(found, m)
			}
		}
		if expired || len(found) >= n {
			return found
		}
	}
}

// contains reports whether anybody has sent text.
func (b *mailbox) contains(text string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Contains(string(b.octets), text)
}

func (b *mailbox) serve(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go b.session(conn)
	}
}

// recorder keeps what is read.
type recorder struct {
	net.Conn
	box *mailbox
}

func (r recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.box.mu.Lock()
	defer r.box.mu.Unlock()
	r.box.octets = append(r.box.octets, p[:n]...)
	return n, err
}

func (b *mailbox) session(conn net.Conn) {
	defer func() { conn.Close() }()
	in := bufio.NewReader(recorder{conn, b})
	secure := b.tls == nil
	var m message
	var recipients []string
	reply := "220 mail ESMTP\r\n"
	for {
		fmt.Fprint(conn, reply)
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
		reply = "250 OK\r\n"
		switch strings.ToUpper(verb) {
		case "EHLO":
			if !secure {
				reply = "250-mail\r\n250 STARTTLS\r\n"
			}
		case "STARTTLS":
			fmt.Fprint(conn, "220 go on\r\n")
			conn, secure = tls.Server(conn, b.tls), true
			in.Reset(recorder{conn, b})
			reply = ""
		case "MAIL":
			m, recipients = message{sender: address(arg)}, nil
		case "RCPT":
			recipients = append(recipients, address(arg))
		case "DATA":
			fmt.Fprint(conn, "354 go on\r\n")
			if m.data, err = body(in); err != nil {
				return
			}
			m.at = time.Now()
			b.mu.Lock()
			for _, m.recipient = range recipients {
				b.messages = append(b.messages, m)
			}
			b.arrived.Broadcast()
			b.mu.Unlock()
		case "QUIT":
			fmt.Fprint(conn, "221 bye\r\n")
			return
		}
	}
}

func address(arg string) string {
	_, arg, _ = strings.Cut(arg, "<")
	arg, _, _ = strings.Cut(arg, ">")
	return arg
}

func body(in *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return b.String(), err
		}
		b.WriteString(strings.TrimPrefix(line, "."))
	}
}

// selfSigned makes a certificate that nobody trusts.
func selfSigned() (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"mail"}, NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, key.Public(), key)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, err
}
