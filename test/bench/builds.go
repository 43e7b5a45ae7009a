package main

import (
	"context"
	"path/filepath"
	"strings"
)

// addBuild reads a value of -against: a binary, then variables of its environment and
// lines of its Corefile. A blank binary is the server that is measured.
func (b *bench) addBuild(value string) (err error) {
	settings := strings.Split(value, ",")
	s := subject{name: value, directive: ofML}
	if settings[0] != "" {
		if s.binary, err = filepath.Abs(settings[0]); err != nil {
			return err
		}
	}
	for _, setting := range settings[1:] {
		if strings.Contains(setting, "=") {
			s.env = append(s.env, setting)
		} else {
			s.directive += "\n\t" + setting
		}
	}
	b.builds = append(b.builds, s)
	return nil
}

// compareBuilds prints the processor time of other builds and settings of the
// server. Their base is the server that is measured.
func (b *bench) compareBuilds(ctx context.Context) error {
	if len(b.builds) == 0 {
		return nil
	}
	subjects := []subject{
		{name: guarded, binary: b.binary, directive: ofML},
		{name: guardedAgain, binary: b.binary, directive: ofML},
	}
	for _, s := range b.builds {
		if s.binary == "" {
			s.binary = b.binary
		}
		subjects = append(subjects, s)
	}
	var rows []scenario
	for _, c := range []chain{small, full} {
		for _, kind := range []string{passing, missing, blocked} {
			for _, s := range subjects[1:] {
				rows = append(rows, scenario{chain: c, server: s.name, base: guarded, kind: kind})
			}
		}
	}
	return b.table(ctx, subjects, rows)
}
