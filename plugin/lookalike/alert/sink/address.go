package sink

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Address is the first word of a destination, and what its messages look like.
type Address struct {
	Target     string // "splunk+https://HOST/PATH", "kafka://HOST,HOST/TOPIC", the path of a file
	Format     string // by name
	Structured bool   // bodies begin with structured data (RFC 5424)
}

// Scheme returns what is before "://"; empty where there is none.
func (a Address) Scheme() string {
	scheme, _, isURL := strings.Cut(a.Target, "://")
	if !isURL {
		return ""
	}
	return scheme
}

// Rest returns what is behind "://".
func (a Address) Rest() string {
	_, rest, _ := strings.Cut(a.Target, "://")
	return rest
}

// URL returns the target without what names the product: "https://HOST/PATH".
func (a Address) URL() string {
	return a.Target[strings.IndexByte(a.Scheme(), '+')+1:]
}

// HostPort reads HOST or HOST:PORT, with an IPv6 address in brackets.
func HostPort(s string, port int) (string, error) {
	switch { // what may be a secret is not repeated
	case strings.Contains(s, "@"):
		return "", errors.New("the address has a user in it: use the options of the destination")
	case strings.ContainsAny(s, "?#"):
		return "", errors.New("the address is not HOST or HOST:PORT")
	}
	u, err := url.Parse("any://" + s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Host != s {
		return "", fmt.Errorf("%q is not HOST or HOST:PORT", s)
	}
	if err := CheckPort(u); err != nil {
		return "", err
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), strconv.Itoa(port))), nil
}

// CheckPort returns an error where u has a port that cannot be.
func CheckPort(u *url.URL) error {
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("port %s of the address: want a number from 1 to 65535", p)
		}
	}
	return nil
}
