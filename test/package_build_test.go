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

// buildPackage makes a package, as `make dist` does, of the binaries under test. A
// deb is not compressed, which would take longer than its tests.
func buildPackage(t *testing.T, kind, version string) string {
	t.Helper()
	top, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile("../build/package/nfpm.yaml")
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
	stage := stagePackage(t)
	cmd := wait.Command(t, 3*wait.Limit, "go", "run", nfpm, "package", "--config", path, "--packager", kind, "--target", dir)
	cmd.Dir = top
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
func stagePackage(t *testing.T) string {
	t.Helper()
	stage := t.TempDir()
	man := wait.Command(t, wait.Limit, "go", "run", "./build/package/dist", "-man", harness.Tool(t))
	man.Dir = ".."
	if out, err := man.CombinedOutput(); err != nil {
		t.Fatalf("manual pages: %v\n%s", err, out)
	}
	for _, dir := range []string{"man", "amd64"} {
		if err := os.Mkdir(filepath.Join(stage, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	// Copies, since nfpm would package symbolic links as such.
	pages, err := filepath.Glob("../build/dist/stage/man/*.gz")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		copyFile(t, page, filepath.Join(stage, "man", filepath.Base(page)))
	}
	copyFile(t, harness.Binary(t), filepath.Join(stage, "amd64", "coredns"))
	copyFile(t, harness.Tool(t), filepath.Join(stage, "amd64", "lookalike"))
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
