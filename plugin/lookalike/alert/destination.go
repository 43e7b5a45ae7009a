package alert

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
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
	every    bool            // it gets each query, rather than groups
	warnings func() []string // that an administrator should hear of at start
}

// String returns the destination as messages and metrics name it.
func (d Destination) String() string { return d.to.Name }

// Key is equal for destinations that are configured alike.
func (d Destination) Key() string { return d.key }

// form is the format, and of what.
func (d Destination) form() string {
	if d.every {
		return d.to.Format.String() + " every=query"
	}
	return d.to.Format.String()
}

// Warnings returns what an administrator should know at start: secrets that
// others can read, on this machine or on the network. It looks at files.
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

// kind is a kind of destination.
type kind struct {
	name    string // for messages
	is      func(target string) bool
	direct  bool             // on this host
	format  *format.Format   // where the Corefile names none
	only    []*format.Format // formats that it can carry; nil: all
	timeout time.Duration    // of one Send; 0: defaultTimeout
	parse   sink.Parser
}

// kinds are all destinations. The first whose target it is counts.
var kinds = []kind{
	{name: "stdout", is: exactly("stdout"), direct: true, format: format.ECS(), timeout: 5 * time.Second, parse: stdout.Parse},
	{name: "a file path with a slash in it", is: isPath, direct: true, format: format.ECS(), parse: file.Parse},
	{name: "syslog:///dev/log", is: begins("syslog:///"), format: format.ECS(), parse: syslog.Parse},
	{name: "syslog://", is: begins("syslog://"), format: format.Structured(), parse: syslog.Parse},
	{name: "syslog+tcp://", is: begins("syslog+tcp://"), format: format.ECS(), parse: syslog.Parse},
	{name: "syslog+tls://", is: begins("syslog+tls://"), format: format.ECS(), parse: syslog.Parse},
	{name: "http://", is: begins("http://"), format: format.ECS(), parse: webhook.Parse},
	{name: "https://", is: begins("https://"), format: format.ECS(), parse: webhook.Parse},
	{name: "splunk+http://", is: begins("splunk+http://"), format: format.ECS(), parse: splunk.Parse},
	{name: "splunk+https://", is: begins("splunk+https://"), format: format.ECS(), parse: splunk.Parse},
	{name: "elastic+http://", is: begins("elastic+http://"), format: format.ECS(), only: format.JSONFormats(), parse: elastic.Parse},
	{name: "elastic+https://", is: begins("elastic+https://"), format: format.ECS(), only: format.JSONFormats(), parse: elastic.Parse},
	{name: "otlp+http://", is: begins("otlp+http://"), format: format.ECS(), parse: otlp.Parse},
	{name: "otlp+https://", is: begins("otlp+https://"), format: format.ECS(), parse: otlp.Parse},
	{name: "kafka://", is: begins("kafka://"), format: format.ECS(), parse: kafka.Parse},
	{name: "nats://", is: begins("nats://"), format: format.ECS(), parse: nats.Parse},
}

func exactly(word string) func(string) bool {
	return func(target string) bool { return target == word }
}

func begins(prefix string) func(string) bool {
	return func(target string) bool { return strings.HasPrefix(target, prefix) }
}

func isPath(target string) bool {
	return strings.Contains(target, "/") && !strings.Contains(target, "://")
}

// knownDestinations is for messages.
func knownDestinations() string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return strings.Join(names, ", ")
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
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.is(target) })
	if i < 0 {
		return Destination{}, unknownDestination(target)
	}
	k := &kinds[i]
	if isPath(target) {
		if strings.HasSuffix(target, "/") {
			return Destination{}, errors.New("is a directory, a file is needed")
		}
		path, err := filepath.Abs(target)
		if err != nil {
			return Destination{}, err
		}
		target = path
	}
	form = cmp.Or(form, k.format)
	if k.only != nil && !slices.Contains(k.only, form) {
		return Destination{}, fmt.Errorf("format %s cannot be used here (known: %s)", form, format.Names(k.only))
	}
	d := Destination{to: deliver.Destination{
		Name: redact(target), Format: form, Direct: k.direct, Batch: defaultBatch, Timeout: cmp.Or(k.timeout, defaultTimeout),
	}}
	switch {
	case k.direct:
		d.every = options.OneOf("every", "group", "query") == "query"
	case options.Has("every"):
		return d, errors.New("option every is for files and stdout: a line for each query is for who looks one up")
	}
	var err error
	d.open, err = k.parse(sink.Address{Target: target, Format: form.String(), Structured: form == format.Structured()}, options)
	return d, err
}

func unknownDestination(target string) error {
	if scheme, _, isURL := strings.Cut(target, "://"); isURL {
		return fmt.Errorf("unknown destination %q (known: %s)", scheme+"://", knownDestinations())
	}
	return fmt.Errorf("unknown destination %q (known: %s; write %q for a file here)", target, knownDestinations(), "./"+target)
}

// redact removes possible secrets from an address, which appears in logs and
// metrics: user and password, query, fragment, and the path of a webhook, by
// which many receivers recognise the sender. A hash in their place tells
// destinations on one host apart.
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
