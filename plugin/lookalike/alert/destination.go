package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/deliver"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/format"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/elastic"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/file"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/kafka"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/nats"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/otlp"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/splunk"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/stdout"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/syslog"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/webhook"
)

// Destination is one `alert` line of a Corefile: where alerts go, in which
// format. The zero value is none.
type Destination struct {
	Where string // line of the Corefile, for messages

	to       deliver.Destination
	key      string
	open     sink.Opener
	warnings func() []string // that an administrator should hear of at start
}

// String returns the destination as messages and metrics name it.
func (d Destination) String() string { return d.to.Name }

// Key is equal for destinations that are configured alike.
func (d Destination) Key() string { return d.key }

// Warnings are what an administrator should hear of at start: secrets that others
// can read, on this machine or on the network. It looks at files.
func (d Destination) Warnings() []string {
	if d.warnings == nil {
		return nil
	}
	return d.warnings()
}

// at puts before an error which line of the Corefile it is about.
func at(where string, err error) error {
	if where == "" || err == nil {
		return err
	}
	return fmt.Errorf("%s: %w", where, err)
}

const (
	defaultBatch   = 256
	defaultTimeout = 30 * time.Second
)

// scheme is a kind of network destination, or of a daemon on this host, whose
// address is a path.
type scheme struct {
	name   string
	path   bool
	format *format.Format   // where the Corefile names none
	only   []*format.Format // formats that it can carry; nil: all
	parse  func(address string, f *format.Format, o *sink.Options) (sink.Opener, error)
}

// schemes are the network destinations. An address is handed to the parser
// without what only names the protocol.
var schemes = []scheme{
	{name: "syslog", format: format.Structured(), parse: parseSyslog(syslog.UDP)},
	{name: "syslog", path: true, format: format.ECS(), parse: parseSyslog(syslog.Unix)},
	{name: "syslog+tcp", format: format.ECS(), parse: parseSyslog(syslog.TCP)},
	{name: "syslog+tls", format: format.ECS(), parse: parseSyslog(syslog.TLS)},
	{name: "http", format: format.ECS(), parse: overHTTP("http", webhook.Parse)},
	{name: "https", format: format.ECS(), parse: overHTTP("https", webhook.Parse)},
	{name: "splunk+http", format: format.ECS(), parse: parseSplunk("http")},
	{name: "splunk+https", format: format.ECS(), parse: parseSplunk("https")},
	{name: "elastic+http", format: format.ECS(), only: format.JSONFormats(), parse: overHTTP("http", elastic.Parse)},
	{name: "elastic+https", format: format.ECS(), only: format.JSONFormats(), parse: overHTTP("https", elastic.Parse)},
	{name: "otlp+http", format: format.ECS(), parse: overHTTP("http", otlp.Parse)},
	{name: "otlp+https", format: format.ECS(), parse: overHTTP("https", otlp.Parse)},
	{name: "kafka", format: format.ECS(), parse: plainAddress(kafka.Parse)},
	{name: "nats", format: format.ECS(), parse: plainAddress(nats.Parse)},
}

type parseFunc = func(address string, f *format.Format, o *sink.Options) (sink.Opener, error)

func parseSyslog(t syslog.Transport) parseFunc {
	return func(address string, f *format.Format, o *sink.Options) (sink.Opener, error) {
		return syslog.Parse(t, address, f == format.Structured(), o)
	}
}

func overHTTP(scheme string, parse func(string, *sink.Options) (sink.Opener, error)) parseFunc {
	return func(address string, _ *format.Format, o *sink.Options) (sink.Opener, error) {
		return parse(scheme+"://"+address, o)
	}
}

func parseSplunk(scheme string) parseFunc {
	return func(address string, f *format.Format, o *sink.Options) (sink.Opener, error) {
		return splunk.Parse(scheme+"://"+address, f.String(), o)
	}
}

func plainAddress(parse func(string, *sink.Options) (sink.Opener, error)) parseFunc {
	return func(address string, _ *format.Format, o *sink.Options) (sink.Opener, error) { return parse(address, o) }
}

// knownDestinations is for messages.
func knownDestinations() string {
	names := make([]string, 0, len(schemes))
	for _, s := range schemes {
		name := s.name + "://"
		if s.path {
			name += "/dev/log"
		}
		names = append(names, name)
	}
	return "stdout, a file path with a slash in it, " + strings.Join(names, ", ")
}

// ParseDestination reads the words after `alert`: DESTINATION [FORMAT]
// [KEY=VALUE...]. It opens nothing.
func ParseDestination(args []string) (Destination, error) {
	if len(args) == 0 || args[0] == "" {
		return Destination{}, errors.New("a destination is needed: " + knownDestinations())
	}
	target, words := args[0], args[1:]
	var form *format.Format
	if len(words) > 0 && !strings.Contains(words[0], "=") {
		f, err := format.Parse(words[0])
		if err != nil {
			return Destination{}, err
		}
		form, words = f, words[1:]
	}
	options, err := sink.ParseOptions(words)
	if err != nil {
		return Destination{}, fmt.Errorf("%s: %w", redact(target), err)
	}
	d, err := parseTarget(target, form, options)
	if bad := options.Bad(); bad != nil {
		err = bad // the reason why the sink misses something
	}
	if err == nil {
		err = options.Err()
	}
	if err != nil {
		return Destination{}, fmt.Errorf("%s: %w", redact(target), err)
	}
	d.to.Files, d.warnings = options.Files(), options.Warnings
	d.key = d.to.Name + " " + d.to.Format.String() + options.Key()
	return d, nil
}

// parseTarget reads the first word; form is nil where none is named.
func parseTarget(target string, form *format.Format, options *sink.Options) (Destination, error) {
	d := Destination{to: deliver.Destination{Name: redact(target), Format: form, Batch: defaultBatch, Timeout: defaultTimeout}}
	name, address, isURL := strings.Cut(target, "://")
	switch {
	case isURL:
		return parseNetwork(d, name, address, options)
	case target == "stdout":
		d.to.Timeout = 5 * time.Second
		d.open = func(sink.Env) (sink.Sink, error) { return stdout.New(os.Stdout), nil }
	case strings.HasSuffix(target, "/"):
		return d, errors.New("is a directory, a file is needed")
	case strings.Contains(target, "/"):
		path, err := filepath.Abs(target)
		if err != nil {
			return d, err
		}
		d.to.Name = path
		d.open = func(env sink.Env) (sink.Sink, error) { return openFile(env, path) }
	default:
		return d, fmt.Errorf("unknown destination %q (known: %s; write %q for a file here)",
			target, knownDestinations(), "./"+target)
	}
	d.to.Direct = true
	if d.to.Format == nil {
		d.to.Format = format.ECS()
	}
	return d, nil
}

func openFile(env sink.Env, path string) (sink.Sink, error) {
	if env.Guest {
		if err := file.CreateForOwner(path); err != nil {
			return nil, err
		}
	}
	return file.Open(path)
}

// parseNetwork reads a URL.
func parseNetwork(d Destination, name, address string, options *sink.Options) (Destination, error) {
	i := slices.IndexFunc(schemes, func(s scheme) bool { return s.name == name && s.path == strings.HasPrefix(address, "/") })
	if i < 0 { // its parser knows best what is wrong with a path
		i = slices.IndexFunc(schemes, func(s scheme) bool { return s.name == name && !s.path })
	}
	if i < 0 {
		return d, fmt.Errorf("unknown destination %q (known: %s)", name+"://", knownDestinations())
	}
	s := &schemes[i]
	if d.to.Format == nil {
		d.to.Format = s.format
	}
	if s.only != nil && !slices.Contains(s.only, d.to.Format) {
		return d, fmt.Errorf("format %s cannot be used here (known: %s)", d.to.Format, format.Names(s.only))
	}
	var err error
	d.open, err = s.parse(address, d.to.Format, options)
	return d, err
}

// redact leaves out of an address what would stand in logs and metrics and may
// be a secret: a user and password, a query or a fragment, and the path of a
// webhook, since that is how many receivers know the sender. A hash of what is
// left out tells destinations of one host apart.
func redact(target string) string {
	scheme, rest, isURL := strings.Cut(target, "://")
	if !isURL {
		return target
	}
	authority, path, query := rest, "", ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	authority = authority[strings.LastIndexByte(authority, '@')+1:]
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path, query = path[:i], path[i:]
	}
	webhook := strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
	switch {
	case strings.Contains(path, "@"): // may be a password with a slash in it
		return scheme + "://..." + shortHash(rest)
	case webhook && strings.Trim(path+query, "/") != "":
		path = "/..." + shortHash(path+query)
	case query != "":
		path += "?..." + shortHash(query)
	}
	return scheme + "://" + authority + path
}

// shortHash tells the few secrets of a configuration apart.
func shortHash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
