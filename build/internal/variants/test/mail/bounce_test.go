//go:build e2e && linux

package mail

import (
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"regexp"
	"strings"
)

// changing are the parts of a bounce that differ from run to run.
var changing = []struct {
	pattern *regexp.Regexp
	as      string
}{
	{regexp.MustCompile(`\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), +\d+ \w{3} \d{4} \d\d:\d\d:\d\d ([+-]\d{4}( \(\w+\))?|[A-Z]+)`), "DATE"},
	{regexp.MustCompile(`(?m)^(X-Postfix-Queue-ID: ).*$`), "${1}ID"},
	{regexp.MustCompile(`(?m)^(Final-Log-ID: ).*$`), "${1}ID"},
	{regexp.MustCompile(`\b198\.51\.100\.\d+\b`), "ADDRESS"},
	{regexp.MustCompile(`alice@[a-z]+-[a-z]+\.example\.org`), "alice@example.org"},
}

// readable returns the parts of a delivery report that people and programs
// read, without the message that it returns, and with what changes from run to
// run made the same.
func readable(data string) string {
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		return "no message: " + err.Error()
	}
	text := "Subject: " + m.Header.Get("Subject") + "\n"
	kind, params, _ := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if !strings.HasPrefix(kind, "multipart/") {
		b, _ := io.ReadAll(m.Body)
		return text + tidy(string(b))
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextPart()
		if err != nil {
			return text
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if kind == "message/rfc822" || kind == "text/rfc822-headers" {
			continue
		}
		b, _ := io.ReadAll(part)
		text += "\n--- " + kind + "\n" + tidy(string(b))
	}
}

func tidy(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	for _, c := range changing {
		s = c.pattern.ReplaceAllString(s, c.as)
	}
	return strings.TrimSpace(s) + "\n"
}
