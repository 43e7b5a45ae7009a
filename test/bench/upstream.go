package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	module  = "github.com/lookalike-dns/lookalike"
	command = module + "/build/coredns"
)

var (
	ownLines = regexp.MustCompile(`(?m)^.*("` + module + `|coredns/caddy"|caddy\.AppVersion).*\n`)
	ownWords = regexp.MustCompile(` ?"(lookalike|rpz|smtpreject)",`)
)

// buildUpstream builds upstream's server in dir and returns its path. Its source is
// that of build/coredns without the lines that name our packages, which the
// compiler reads by way of an overlay; so both have the same chain, linker flags
// and Go. A profile is not used, since upstream publishes none.
func buildUpstream(ctx context.Context, dir string) (string, error) {
	home, err := output(ctx, "go", "list", "-f", "{{.Dir}}", command)
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(home, "*.go"))
	if err != nil {
		return "", err
	}
	replace := make(map[string]string)
	for _, file := range files {
		replace[file] = "" // is not there
	}
	source, err := os.ReadFile(filepath.Join(home, "main.go"))
	if err != nil {
		return "", err
	}
	source = ownWords.ReplaceAll(ownLines.ReplaceAll(source, nil), nil)
	bare, overlay, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay"), filepath.Join(dir, "upstream")
	replace[filepath.Join(home, "main.go")] = bare
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	for path, text := range map[string][]byte{bare: source, overlay: list} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return "", err
		}
	}
	if err := checkBare(ctx, overlay); err != nil {
		return "", err
	}
	_, err = output(ctx, "go", "build", "-overlay", overlay, "-pgo=off", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", binary, command)
	return binary, err
}

// checkBare returns an error where the server still has a package of ours.
func checkBare(ctx context.Context, overlay string) error {
	out, err := output(ctx, "go", "list", "-overlay", overlay, "-deps", command)
	if err != nil {
		return err
	}
	packages := slices.DeleteFunc(strings.Fields(out), func(p string) bool { return !strings.HasPrefix(p, module) })
	if !slices.Equal(packages, []string{command}) {
		return fmt.Errorf("upstream's server is built with packages of ours: %v", packages)
	}
	return nil
}

// output runs a program and returns what it prints to standard output.
func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, said.String())
	}
	return strings.TrimSpace(string(out)), nil
}
