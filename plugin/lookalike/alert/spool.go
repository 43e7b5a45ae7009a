package alert

import "errors"

// Spool is a `spool` line of a Corefile.
type Spool struct{}

// ParseSpool reads the words after `spool`: DIRECTORY [SIZE].
func ParseSpool([]string) (*Spool, error) {
	return nil, errors.New("unknown property 'spool': all destinations of this version write at once and need none")
}
