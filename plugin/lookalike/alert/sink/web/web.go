// Package web is the engine of the sinks that speak HTTP: one client, one
// reading of status codes, one way to find the message that is refused.
package web

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// Limits on reading a receiver's answer: its headers, and a body of this size
// plus twice the size of the request, since some answers grow with the number
// of alerts.
const (
	maxHeader = 32 << 10
	maxReply  = 64 << 10
	replyTime = 10 * time.Second // once the status is known
)

const handshakeTime = 10 * time.Second

// mostWait stands for any longer wait that a receiver asks for. The runner waits
// for less.
const mostWait = 24 * time.Hour

// Config is what all HTTP sinks can be told.
type Config struct {
	URL      *url.URL
	TLS      sink.TLS
	User     string
	Password sink.Secret
	Private  bool // the path of the address is a secret; its query always is
}

// Parse reads the address and the options that all HTTP sinks have. Names and
// passwords in the address are refused, since addresses appear in messages and
// metrics. A query, by which some receivers recognise the sender, is refused
// only where the sink has paths of its own.
func Parse(a sink.Address, query bool, o *sink.Options) (Config, error) {
	address := a.URL()
	u, err := url.Parse(address)
	if err != nil {
		return Config{}, errors.New("the address is no URL")
	}
	switch {
	case u.Host == "" || u.Hostname() == "":
		return Config{}, errors.New("the address has no host")
	case u.User != nil:
		return Config{}, errors.New("the address has a user in it: use the options of the destination")
	case u.Fragment != "" || strings.Contains(address, "#"):
		return Config{}, errors.New("the address has a fragment: leave out the # and what follows")
	case u.RawQuery != "" && !query:
		return Config{}, errors.New("the address has a query: this destination makes its own, leave out the ? and what follows")
	}
	if err := sink.CheckPort(u); err != nil {
		return Config{}, err
	}
	c := Config{URL: u, User: o.String("user", ""), Password: o.SentSecret("password")}
	if u.Scheme == "https" {
		c.TLS = o.TLS()
	} else {
		o.Clear("https", u.Host)
	}
	if u.RawQuery != "" {
		o.Sends("the query of the address")
	}
	if (c.User != "") != c.Password.Given() {
		return Config{}, errors.New("user and password_file (or password_env) are needed together")
	}
	return c, nil
}

// Client posts to one receiver. It keeps a connection open between requests.
type Client struct {
	config Config
	http   *http.Client
}

// NewClient reads the TLS files and tries the secrets.
func NewClient(c Config) (*Client, error) {
	if _, err := c.Password.Read(); err != nil {
		return nil, err
	}
	client := &Client{config: c, http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Jar:           new(jar),
	}}
	return client, client.renew()
}

// renew reads the TLS files and begins with no connections.
func (c *Client) renew() error {
	tlsConfig, err := c.config.TLS.Config("") // net/http sets the name
	if err != nil {
		return err
	}
	c.http.CloseIdleConnections()
	c.http.Transport = &http.Transport{
		Protocols:              protocols(),
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        tlsConfig,
		TLSHandshakeTimeout:    handshakeTime,
		MaxIdleConns:           2,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // an answer is as long as it says
	}
	return nil
}

// protocols is HTTP/1 alone, since there is one request at a time. Over HTTP/2,
// an abandoned request leaves its connection in use, even if nobody is at the
// other end.
func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	return p
}

// Close closes idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Post posts a body to a path below the address; an empty path is the address
// itself. A Reply with any status is no error.
func (c *Client) Post(ctx context.Context, path string, header http.Header, body []byte) (*Reply, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := newProgress()
	req, err := c.request(w.trace(ctx), path, header, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.failed(sink.Waited(ctx, w.what(), time.Since(w.began), withoutURL(err)))
	}
	defer resp.Body.Close()
	reply := &Reply{Status: resp.StatusCode, Header: resp.Header, secrets: c.secrets(header)}
	late := time.AfterFunc(replyTime, cancel)
	defer late.Stop()
	reply.read(ctx, resp.Body, maxReply+2*len(body))
	if !reply.good() {
		c.http.CloseIdleConnections() // the next one may have another certificate, or end elsewhere
	}
	return reply, nil
}

// progress says which step a request waits for, and since when.
type progress struct {
	began time.Time
	mu    sync.Mutex
	text  string
}

func newProgress() *progress { return &progress{began: time.Now(), text: "a connection"} }

func (w *progress) what() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text
}

func (w *progress) set(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = text
}

// trace records the steps of the request.
func (w *progress) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectStart:      func(_, address string) { w.set("a connection to " + address) },
		TLSHandshakeStart: func() { w.set("the TLS handshake") },
		GotConn:           func(httptrace.GotConnInfo) { w.set("the receiver to read the request") },
		WroteRequest:      func(httptrace.WroteRequestInfo) { w.set("the answer") },
	})
}

// request makes the request of a Post.
func (c *Client) request(ctx context.Context, path string, header http.Header, body []byte) (*http.Request, error) {
	u := *c.config.URL
	if path != "" {
		path, query, _ := strings.Cut(path, "?")
		u.Path = strings.TrimSuffix(u.Path, "/") + path
		u.RawQuery = query
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, withoutURL(err)
	}
	req.Header = header
	req.Header.Set("User-Agent", "coredns-lookalike")
	if c.config.User != "" {
		password, err := c.config.Password.Read()
		if err != nil {
			return nil, &sink.Denied{Err: err}
		}
		req.SetBasicAuth(c.config.User, password)
	}
	return req, nil
}

// failed handles a request without an answer. If the receiver's certificate is
// bad, the authority's file may have changed as well.
func (c *Client) failed(err error) error {
	bad := errors.As(err, new(*tls.CertificateVerificationError))
	if err = sink.ExplainTLS(err); bad {
		err = errors.Join(err, c.renew())
	}
	return err
}

// withoutURL returns err without the address, which may be a secret. The
// message names the destination anyway.
func withoutURL(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// shortestSecret is the length of the shortest part of a secret address that is
// searched for on its own.
const shortestSecret = 16

// secrets returns the words of a request that must not get into the log by way
// of the answer: error pages often repeat the request.
func (c *Client) secrets(header http.Header) []string {
	var all []string
	if _, credential, ok := strings.Cut(header.Get("Authorization"), " "); ok {
		all = append(all, credential)
	}
	if password, err := c.config.Password.Read(); err == nil && password != "" {
		all = append(all, password)
	}
	if query := c.config.URL.RawQuery; query != "" {
		all = append(all, query)
		for part := range strings.FieldsFuncSeq(query, func(c rune) bool { return c == '&' || c == '=' }) {
			if plain, err := url.QueryUnescape(part); err == nil && len(part) >= shortestSecret {
				all = append(all, part, plain)
			}
		}
	}
	if path := c.config.URL.Path; c.config.Private && strings.Trim(path, "/") != "" {
		all = append(all, path, c.config.URL.EscapedPath())
		for part := range strings.SplitSeq(path, "/") {
			if len(part) >= shortestSecret {
				all = append(all, part)
			}
		}
	}
	return all
}

// Reply is a receiver's answer.
type Reply struct {
	Status int
	Header http.Header

	body    []byte
	cut     error // why body is incomplete
	endless bool  // it did not end in time, or at the size that is read
	secrets []string
}

// read reads the body, as far as ctx and the size allow.
func (r *Reply) read(ctx context.Context, body io.Reader, most int) {
	r.body, r.cut = io.ReadAll(io.LimitReader(body, int64(most)+1))
	r.endless = ctx.Err() != nil && errors.Is(r.cut, ctx.Err())
	if len(r.body) > most {
		r.body, r.endless, r.cut = r.body[:most], true, fmt.Errorf("it has more than the %d octets that an answer to this can have", most)
	}
}

func (r *Reply) good() bool { return r.Status >= 200 && r.Status < 300 }

// Body returns the complete body of the answer.
func (r *Reply) Body() ([]byte, error) {
	if r.cut != nil {
		return nil, fmt.Errorf("answer cut short: %w", r.cut)
	}
	return r.body, nil
}

// Err reads the status: nil, or an error of the kinds that package sink has. A
// successful answer that breaks off may come from a receiver that crashed; one
// that merely never ends counts as successful.
func (r *Reply) Err() error {
	if r.good() {
		if r.cut != nil && !r.endless {
			return fmt.Errorf("answer cut short: %w", r.cut)
		}
		return nil
	}
	err := fmt.Errorf("HTTP status %d: %s", r.Status, r.words())
	return StatusErr(r.Status, r.Header.Get("Retry-After"), err)
}

// StatusErr gives err the meaning of an HTTP status other than success.
func StatusErr(status int, retryAfter string, err error) error {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return &sink.Denied{Err: err}
	case status == http.StatusTooManyRequests, status >= 500:
		if after := parseRetryAfter(retryAfter, time.Now()); after > 0 {
			return &sink.Later{After: after, Err: err}
		}
		return err
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return &sink.Refused{Err: err}
	}
	return err // the alerts are not to blame: a wrong address, a proxy, a redirect
}

// words returns the beginning of the answer, on one line.
func (r *Reply) words() string {
	text := string(r.body[:min(len(r.body), 4096)])
	for _, secret := range r.secrets {
		text = strings.ReplaceAll(text, secret, "***")
	}
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "?")), " ")
	if text == "" {
		return http.StatusText(r.Status)
	}
	return strings.ToValidUTF8(text[:min(len(text), 300)], "")
}

// parseRetryAfter reads seconds or a date (RFC 9110 section 10.2.3).
func parseRetryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(max(n, 0), int64(mostWait/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(at.Sub(now), 0), mostWait)
	}
	return 0
}

// JSON reads a good answer into v; what names the answer in an error.
func (r *Reply) JSON(what string, v any) error {
	if err := r.Err(); err != nil {
		return err
	}
	body, err := r.Body()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%s is not JSON: %w", what, err)
	}
	return nil
}

// Deliver posts a batch. Where the receiver refuses it as a whole, halves of
// it are tried, down to the one message that is to blame.
func Deliver(ctx context.Context, batch []sink.Message, post func(context.Context, []sink.Message) error) (int, error) {
	err := post(ctx, batch)
	if err == nil {
		return len(batch), nil
	}
	refused := (*sink.Refused)(nil)
	if !errors.As(err, &refused) || len(batch) == 1 {
		return 0, err
	}
	half := len(batch) / 2
	n, err := Deliver(ctx, batch[:half], post)
	if err != nil {
		return n, err
	}
	m, err := Deliver(ctx, batch[half:], post)
	return n + m, err
}
