package console

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// guard lets nobody see the page but those who may. Its key is as old as the
// process.
type guard struct {
	token string // empty: none is needed
	hosts []string
	key   []byte
}

func newGuard(token string, hosts []string) *guard {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // never fails
	return &guard{token, hosts, key}
}

// cookieName is the name of the cookie of one who had the token.
const cookieName = "lookalike-console"

// policy is the Content-Security-Policy: nothing comes from anywhere but here.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// headers are those of every answer.
var headers = map[string]string{
	"Content-Security-Policy":      policy,
	"X-Content-Type-Options":       "nosniff",
	"Referrer-Policy":              "no-referrer",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Cache-Control":                "no-store",
}

// protect wraps a handler.
func (g *guard) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		switch {
		case !g.host(r.Host):
			// A page of somebody else whose name now leads here (DNS rebinding).
			http.Error(w, "unknown host: use the address, or start the console with -host NAME", http.StatusMisdirectedRequest)
		case r.URL.Path == loginPath:
			g.login(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "the console changes nothing: only GET", http.StatusMethodNotAllowed)
		case strings.HasPrefix(r.URL.Path, staticPath) || g.known(r):
			next.ServeHTTP(w, r)
		case r.URL.Path == "/":
			http.Redirect(w, r, loginPath, http.StatusSeeOther)
		default:
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "the token is missing or wrong", http.StatusUnauthorized)
		}
	})
}

// host reports whether a browser may ask under this name. An address cannot be
// rebound.
func (g *guard) host(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if _, err := netip.ParseAddr(host); err == nil || host == "localhost" {
		return true
	}
	return slices.Contains(g.hosts, host)
}

// known reports whether the request has the token, or the cookie of one who had.
func (g *guard) known(r *http.Request) bool {
	if g.token == "" {
		return true
	}
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return g.same(token, g.token)
	}
	c, err := r.Cookie(cookieName)
	return err == nil && g.same(c.Value, g.cookie())
}

// same compares in a time that does not depend on the values.
func (g *guard) same(a, b string) bool { return hmac.Equal(g.sum(a), g.sum(b)) }

func (g *guard) sum(s string) []byte {
	h := hmac.New(sha256.New, g.key)
	h.Write([]byte(s))
	return h.Sum(nil)
}

func (g *guard) cookie() string { return hex.EncodeToString(g.sum("cookie " + g.token)) }

const loginPath = "/login"

// login takes the token of a browser, and gives it a cookie.
func (g *guard) login(w http.ResponseWriter, r *http.Request) {
	status := http.StatusOK
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxHeader)
		if g.same(r.PostFormValue("token"), g.token) {
			//nolint:gosec // the console has no TLS of its own: a proxy adds Secure
			http.SetCookie(w, &http.Cookie{
				Name: cookieName, Value: g.cookie(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
				Secure: r.TLS != nil,
			})
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		status = http.StatusUnauthorized
	}
	reply(w, status, "login", status == http.StatusUnauthorized)
}
