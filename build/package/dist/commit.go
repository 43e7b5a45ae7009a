package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// head returns the commit that is checked out.
func head() (*release, error) {
	version, err := output("build/package/version")
	if err != nil {
		return nil, fmt.Errorf("%w: run this in a clone of the repository", err)
	}
	made, err := output("git", "log", "-1", "--format=%ct")
	if err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(made), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("time of the commit: %w", err)
	}
	return &release{version: strings.TrimSpace(version), time: time.Unix(seconds, 0).UTC()}, nil
}

// clean reports what would make the results differ from those of a clone.
func clean() error {
	changed, err := output("git", "status", "--porcelain")
	if err != nil {
		return err
	}
	if changed != "" {
		return fmt.Errorf("these files differ from the commit, so commit or stash them:\n%s", changed)
	}
	shallow, err := output("git", "rev-parse", "--is-shallow-repository")
	if err == nil && strings.TrimSpace(shallow) == "true" {
		return errors.New("this clone has only the latest commits: run git fetch --unshallow --tags")
	}
	return err
}

// programs builds the programs for each architecture, by the rule of the Makefile.
func programs(r *release) error {
	for _, arch := range r.arches {
		dir := stage + "/" + arch
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		err := command([]string{"GOOS=linux", "GOARCH=" + arch}, "make", "--no-print-directory", "build", "BIN="+dir).Run()
		if err != nil {
			return fmt.Errorf("make build for %s: %w", arch, err)
		}
	}
	return nil
}

// nativeTool returns a path of `lookalike` that runs on this machine.
func nativeTool(r *release) string {
	for _, arch := range r.arches {
		if runtime.GOOS == "linux" && arch == runtime.GOARCH {
			return stage + "/" + arch + "/lookalike"
		}
	}
	return "build/bin/lookalike"
}
