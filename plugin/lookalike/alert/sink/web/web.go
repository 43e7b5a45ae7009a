// Package web is the engine of the sinks that speak HTTP: one client, one
// reading of status codes, one way to find the message that is refused.
package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// maxReply bounds what is read of a receiver's answer.
const maxReply = 4 << 20

// Config is what all HTTP sinks can be told.
type Config struct {
	URL      *url.URL
	TLS      sink.TLS
	User     string
	Password sink.Secret
}

// Parse reads the address, without the prefix that names the protocol, and
// the options that all HTTP sinks have. Names and passwords in the address
// are refused, since addresses stand in messages and metrics.
func Parse(address string, o *sink.Options) (Config, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Config{}, errors.New("the address is no URL")
	}
	switch {
	case u.Host == "" || u.Hostname() == "":
		return Config{}, errors.New("the address has no host")
	case u.User != nil:
		return Config{}, errors.New("the address has a user in it: use the options of the destination")
	case u.RawQuery != "" || u.Fragment != "":
		return Config{}, errors.New("the address has a query or a fragment")
	}
	if err := sink.CheckPort(u); err != nil {
		return Config{}, err
	}
	c := Config{URL: u, User: o.String("user", ""), Password: o.Secret("password")}
	if u.Scheme == "https" {
		c.TLS = o.TLS()
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
	tlsConfig, err := c.TLS.Config("") // net/http sets the name
	if err != nil {
		return nil, err
	}
	if _, err := c.Password.Read(); err != nil {
		return nil, err
	}
	return &Client{config: c, http: &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			TLSClientConfig:     tlsConfig,
			TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConns:        2,
			IdleConnTimeout:     90 * time.Second,
			ForceAttemptHTTP2:   true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close closes idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	return nil
}

// Reply is a receiver's answer.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
}

// Post posts a body to a path below the address; an empty path is the address
// itself. A Reply with any status is no error.
func (c *Client) Post(ctx context.Context, path string, header http.Header, body []byte) (*Reply, error) {
	u := *c.config.URL
	if path != "" {
		path, query, _ := strings.Cut(path, "?")
		u.Path = strings.TrimSuffix(u.Path, "/") + path
		u.RawQuery = query
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
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
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return nil, fmt.Errorf("answer cut short: %w", err)
	}
	return &Reply{Status: resp.StatusCode, Header: resp.Header, Body: text}, nil
}

// withoutURL is err without the address, which may be a secret; who reads of it
// knows the destination.
func withoutURL(err error) error {
	if e := (*url.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// Err reads the status: nil, or an error of the kinds that package sink has.
func (r *Reply) Err() error {
	if r.Status >= 200 && r.Status < 300 {
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

// words is the beginning of the answer, on one line.
func (r *Reply) words() string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(r.Body[:min(len(r.Body), 300)]), "?")), " ")
	if text == "" {
		return http.StatusText(r.Status)
	}
	return text
}

// parseRetryAfter reads seconds or a date (RFC 9110 section 10.2.3).
func parseRetryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(max(n, 0)) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
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
