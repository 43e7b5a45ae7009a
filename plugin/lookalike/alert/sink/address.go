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
