package main

import (
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// told is a command line of the tool in a text: in a line of its own or between
// backquotes, up to the shell's next operator.
var told = regexp.MustCompile("(?m)(?:^ *|`)lookalike ([a-z][^|&>`\n]*)")

// TestRunbook reads every command line of the tool that a page of the runbook tells
// the person on duty to type: command, flags and their values.
func TestRunbook(t *testing.T) {
	pages, err := filepath.Glob("../soc/runbook/*.md")
	if err != nil {
		t.Fatal(err)
	}
	used := make(map[string]bool)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range told.FindAllStringSubmatch(string(text), -1) {
			args := shellWords(m[1])
			c, words := find(args)
			if c == nil {
				t.Errorf("%s: lookalike %s: no such command", page, m[1])
				continue
			}
			used[c.name] = true
			fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
			fs.SetOutput(io.Discard)
			c.flags(fs)
			if _, err := parse(fs, args[words:]); err != nil {
				t.Errorf("%s: lookalike %s: %v", page, m[1], err)
			}
		}
	}
	for _, name := range []string{"check", "audit", "conf", "list", "rpz", "allow list", "allow add", "allow remove", "alert test", "alert tail"} {
		if !used[name] {
			t.Errorf("No page of the runbook uses %s", name)
		}
	}
}

// shellWords splits a command line, of which double quotes hold words together.
func shellWords(line string) (words []string) {
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		words = append(words, strings.Fields(part)...)
	}
	return words
}
