package sink

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// HostPort reads HOST or HOST:PORT, with an IPv6 address in brackets.
func HostPort(s string, port int) (string, error) {
	if strings.Contains(s, "@") { // and is not repeated, since a password may be with it
		return "", errors.New("the address has a user in it: use the options of the destination")
	}
	u, err := url.Parse("any://" + s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Host != s {
		return "", fmt.Errorf("%q is not HOST or HOST:PORT", s)
	}
	if p := u.Port(); p != "" {
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 65535 {
			return "", fmt.Errorf("%q has no port from 1 to 65535", s)
		}
		port = n
	}
	return net.JoinHostPort(u.Hostname(), strconv.Itoa(port)), nil
}
