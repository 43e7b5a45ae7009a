// Command dist makes what is published of a commit into build/dist: packages,
// tarballs, an image, bills of materials and their checksums. The same commit
// gives the same bytes in any directory. `make dist` runs it at the top of the tree.
package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	out   = "build/dist"
	stage = out + "/stage" // what the packages are made of
)

// A release is the commit that is checked out, as it will be published.
type release struct {
	version string    // in the form of semver.org
	time    time.Time // of the commit; the only time in the results
	arches  []string  // as Go names them
}

// each does something for all architectures at once.
func (r *release) each(do func(arch string) error) error {
	var g errgroup.Group
	for _, arch := range r.arches {
		g.Go(func() error { return do(arch) })
	}
	return g.Wait()
}

// A step makes files in build/dist of those that earlier steps have made.
type step struct {
	what string
	make func(*release) error
}

var steps = []step{
	{"programs", programs},
	{"manual pages", func(r *release) error { return manuals(r, nativeTool(r)) }},
	{"changelog", changelog},
	{"licences", licences},
	{"packages", packages},
	{"tarballs", tarballs},
	{"image", image},
	{"bills of materials", materials},
	{"checksums", checksums},
}

func main() {
	arches := flag.String("arch", "amd64,arm64", "architectures, separated by commas")
	man := flag.String("man", "", "make only the manual pages, with the help texts of this `lookalike`")
	flag.Parse()
	if err := run(strings.Split(*arches, ","), *man); err != nil {
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

func run(arches []string, man string) error {
	r, err := head()
	if err != nil {
		return err
	}
	r.arches = arches
	if man != "" {
		return manuals(r, man)
	}
	if err := errors.Join(clean(), canSign()); err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	for _, s := range steps {
		start := time.Now()
		fmt.Fprintf(os.Stderr, "dist: %s of %s\n", s.what, r.version)
		if err := s.make(r); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
		fmt.Fprintf(os.Stderr, "dist: %.1f s\n", time.Since(start).Seconds())
	}
	return nil
}

// command is a program that tells its progress on standard error.
func command(env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stderr, os.Stderr
	return cmd
}

// output returns what a program writes to standard output.
func output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return string(text), nil
}

// goTool is the Go that make has chosen.
func goTool() string { return cmp.Or(os.Getenv("GO"), "go") }
