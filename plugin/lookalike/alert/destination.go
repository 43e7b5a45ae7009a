package alert

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/file"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/stdout"
)

// Destination is one `alert` line of a Corefile: where alerts go, in which
// format. The zero value is none.
type Destination struct {
	name    string // for metrics and messages; without secrets
	key     string
	format  *Format
	open    sink.Opener
	batch   int           // most records of one Send
	timeout time.Duration // of one Send
}

// String returns the destination as messages and metrics name it.
func (d Destination) String() string { return d.name }

// Key is equal for destinations that are configured alike.
func (d Destination) Key() string { return d.key }

const (
	defaultBatch   = 256
	defaultTimeout = 30 * time.Second
)

// knownDestinations is for messages.
const knownDestinations = "stdout, or a file path with a slash in it"

// ParseDestination reads the words after `alert`: DESTINATION [FORMAT]
// [KEY=VALUE...]. It opens nothing.
func ParseDestination(args []string) (Destination, error) {
	if len(args) == 0 || args[0] == "" {
		return Destination{}, errors.New("alert needs a destination: " + knownDestinations)
	}
	target, words := args[0], args[1:]
	format := ecs
	if len(words) > 0 && !strings.Contains(words[0], "=") {
		f, err := parseFormat(words[0])
		if err != nil {
			return Destination{}, err
		}
		format, words = f, words[1:]
	}
	options, err := sink.ParseOptions(words)
	if err != nil {
		return Destination{}, fmt.Errorf("alert %s: %w", target, err)
	}
	d, err := parseTarget(target)
	if err == nil {
		err = options.Err()
	}
	if err != nil {
		return Destination{}, fmt.Errorf("alert %s: %w", target, err)
	}
	d.format = format
	d.key = d.name + " " + format.name + options.Key()
	return d, nil
}

// parseTarget reads the first word.
func parseTarget(target string) (Destination, error) {
	d := Destination{name: target, batch: defaultBatch, timeout: defaultTimeout}
	scheme, _, isURL := strings.Cut(target, "://")
	switch {
	case target == "stdout":
		d.timeout = 5 * time.Second
		d.open = func(sink.Env) (sink.Sink, error) { return stdout.New(os.Stdout), nil }
	case isURL:
		return d, fmt.Errorf("unknown alert destination %q (known: %s)", scheme+"://", knownDestinations)
	case strings.Contains(target, "/"):
		path, err := filepath.Abs(target)
		if err != nil {
			return d, err
		}
		if strings.HasSuffix(target, "/") {
			return d, errors.New("is a directory, a file is needed")
		}
		d.name = path
		d.open = func(sink.Env) (sink.Sink, error) { return file.Open(path) }
	default:
		return d, fmt.Errorf("unknown alert destination %q (known: %s; write %q for a file here)",
			target, knownDestinations, "./"+target)
	}
	return d, nil
}
