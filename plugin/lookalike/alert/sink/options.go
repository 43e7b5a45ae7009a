package sink

import (
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Options are the KEY=VALUE words of a destination. A sink asks for those it
// knows and then calls Err, which reports the first bad value and every
// option that nobody asked for. The zero value has no options.
type Options struct {
	values map[string]string
	known  []string
	files  []string
	err    error

	private []string // files that hold secrets
	sent    []string // secrets that are sent to the receiver as they are
	clear   string   // host that is reached without TLS
	instead string   // of no TLS
}

// ParseOptions reads KEY=VALUE words.
func ParseOptions(words []string) (*Options, error) {
	o := &Options{values: make(map[string]string, len(words))}
	for _, w := range words {
		k, v, ok := strings.Cut(w, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("%q is not of the form KEY=VALUE", w)
		}
		if _, dup := o.values[k]; dup {
			return nil, fmt.Errorf("option %q is given twice", k)
		}
		o.values[k] = v
	}
	return o, nil
}

// Key returns the options in a canonical form, to compare configurations by.
// It holds names of secrets, never secrets.
func (o *Options) Key() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(o.values)) {
		fmt.Fprintf(&b, " %s=%q", k, o.values[k])
	}
	return b.String()
}

// Has reports whether an option is given.
func (o *Options) Has(name string) bool {
	_, ok := o.values[name]
	return ok
}

func (o *Options) get(name string) (string, bool) {
	o.known = append(o.known, name)
	v, ok := o.values[name]
	return v, ok
}

func (o *Options) fail(name, format string, args ...any) {
	if o.err == nil {
		o.err = fmt.Errorf("option %s: %s", name, fmt.Sprintf(format, args...))
	}
}

// String returns an option's value, or def where it is not given.
func (o *Options) String(name, def string) string {
	if v, ok := o.get(name); ok {
		if v == "" {
			o.fail(name, "is empty")
		}
		return v
	}
	return def
}

// File returns the path of a file that the sink reads, or an empty string.
func (o *Options) File(name string) string {
	path := o.String(name, "")
	if path != "" {
		o.files = append(o.files, path)
	}
	return path
}

// Files returns the paths that File has returned. After access was denied, a
// change in one of them is a reason to try again.
func (o *Options) Files() []string { return o.files }

// OneOf returns an option's value, which must be one of allowed; the first is
// the default.
func (o *Options) OneOf(name string, allowed ...string) string {
	v, ok := o.get(name)
	if !ok {
		return allowed[0]
	}
	if !slices.Contains(allowed, v) {
		o.fail(name, "%q is none of %s", v, strings.Join(allowed, ", "))
	}
	return v
}

// Int returns a number from low to high.
func (o *Options) Int(name string, def, low, high int) int {
	v, ok := o.get(name)
	if !ok {
		return def
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		o.fail(name, "%q is not a number from %d to %d", v, low, high)
	}
	return n
}

// Duration returns a time from low to high; a bare number is seconds.
func (o *Options) Duration(name string, def, low, high time.Duration) time.Duration {
	v, ok := o.get(name)
	if !ok {
		return def
	}
	text := v
	if _, err := strconv.Atoi(v); err == nil {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < low || d > high {
		o.fail(name, "%q is not a time from %v to %v", v, low, high)
	}
	return d
}

// Clear notes that the hosts are reached without TLS, and what to use instead.
func (o *Options) Clear(instead string, hosts ...string) {
	for _, host := range hosts {
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if ip := net.ParseIP(strings.Trim(host, "[]")); ip != nil && ip.IsLoopback() || host == "localhost" || strings.HasSuffix(host, ".localhost") {
			continue
		}
		o.clear, o.instead = host, instead
	}
}

// Sends notes that a secret is sent to the receiver as it is.
func (o *Options) Sends(what string) { o.sent = append(o.sent, what) }

// Warnings returns what an administrator should know at start: secrets that
// others can read, in files or on the network. It looks at the files.
func (o *Options) Warnings() []string {
	var all []string
	if o.clear != "" && len(o.sent) > 0 {
		all = append(all, fmt.Sprintf("%s goes to %s in clear text, where others can read it: use %s", o.sent[0], o.clear, o.instead))
	}
	for _, path := range o.private {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o006 == 0 {
			continue
		}
		can := "read"
		if info.Mode().Perm()&0o002 != 0 {
			can = "change"
		}
		all = append(all, fmt.Sprintf("everybody on this machine can %s %s, which holds a secret: chmod o= %s", can, path, path))
	}
	return all
}

// Bad reports the first bad value.
func (o *Options) Bad() error { return o.err }

// Err reports the first bad value, or an option that is unknown.
func (o *Options) Err() error {
	if o.err != nil {
		return o.err
	}
	for _, k := range slices.Sorted(maps.Keys(o.values)) {
		if slices.Contains(o.known, k) {
			continue
		}
		if len(o.known) == 0 {
			return fmt.Errorf("unknown option %q (this destination has none)", k)
		}
		slices.Sort(o.known)
		return fmt.Errorf("unknown option %q (known: %s)", k, strings.Join(slices.Compact(o.known), ", "))
	}
	return nil
}
