//go:build e2e

package test

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/test/harness"
	"github.com/lookalike-dns/lookalike/test/wait"
)

const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2"

// tree is a checked out commit, and its programs.
type tree struct{ top, server, tool string }

// thisTree is that of the tests.
func thisTree(t *testing.T) tree {
	t.Helper()
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	return tree{top, harness.Binary(t), harness.Tool(t)}
}

// treeBefore is that of the commit before the one that is checked out.
func treeBefore(t *testing.T) tree {
	t.Helper()
	top := filepath.Join(t.TempDir(), "before")
	for _, command := range [][]string{
		{"git", "clone", "--quiet", "--no-checkout", "..", top},
		{"git", "-C", top, "checkout", "--quiet", "HEAD~1"}, // which a shallow clone does not have
		{"go", "-C", top, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", top + "/build/bin/", "./build/coredns", "./build/lookalike"},
	} {
		cmd := wait.Command(t, 5*wait.Limit, command[0], command[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
	}
	return tree{top, filepath.Join(top, "build", "bin", "coredns"), filepath.Join(top, "build", "bin", "lookalike")}
}

// buildPackage makes a package of a tree, as `make dist` does. A deb is not
// compressed, which would take longer than its tests.
func buildPackage(t *testing.T, of tree, kind, version string) string {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(of.top, "build/package/nfpm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "nfpm.yaml")
	const compression = "deb:\n  compression: gzip\n"
	if !strings.Contains(string(config), compression) {
		t.Fatalf("nfpm.yaml does not have\n%s", compression)
	}
	plain := strings.Replace(string(config), compression, "deb:\n  compression: none\n", 1)
	if err := os.WriteFile(path, []byte(plain), 0o600); err != nil {
		t.Fatal(err)
	}
	stage := stagePackage(t, of)
	cmd := wait.Command(t, 3*wait.Limit, "go", "run", nfpm, "package", "--config", path, "--packager", kind, "--target", dir)
	cmd.Dir = of.top
	cmd.Env = append(os.Environ(), "VERSION="+version, "ARCH=amd64", "STAGE="+stage, "SOURCE_DATE_EPOCH=1767225600")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nfpm: %v\n%s", err, out)
	}
	made, err := filepath.Glob(filepath.Join(dir, "*."+kind))
	if err != nil || len(made) != 1 {
		t.Fatalf("nfpm has made %v (%v)", made, err)
	}
	return made[0]
}

// stagePackage returns a directory of all that nfpm.yaml takes from STAGE.
func stagePackage(t *testing.T, of tree) string {
	t.Helper()
	stage := t.TempDir()
	man := wait.Command(t, wait.Limit, "go", "run", "./build/package/dist", "-man", of.tool)
	man.Dir = of.top
	if out, err := man.CombinedOutput(); err != nil {
		t.Fatalf("manual pages: %v\n%s", err, out)
	}
	for _, dir := range []string{"man", "amd64"} {
		if err := os.Mkdir(filepath.Join(stage, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// Copies, since nfpm would package symbolic links as such.
	pages, err := filepath.Glob(filepath.Join(of.top, "build/dist/stage/man/*.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		copyFile(t, page, filepath.Join(stage, "man", filepath.Base(page)))
	}
	copyFile(t, of.server, filepath.Join(stage, "amd64", "coredns"))
	copyFile(t, of.tool, filepath.Join(stage, "amd64", "lookalike"))
	compressed(t, filepath.Join(stage, "licences.gz"), "The licences of a package of the tests.\n")
	compressed(t, filepath.Join(stage, "changelog.gz"), "lookalike (1.0.0) unstable; urgency=medium\n\n"+
		"  * A package of the tests.\n\n -- The tests <tests@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n")
	return stage
}

func compressed(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewWriterLevel(file, gzip.BestCompression)
	if err == nil {
		_, err = z.Write([]byte(text))
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
