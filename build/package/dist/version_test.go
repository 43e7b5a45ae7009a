package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// TestVersion has build/package/version tell the version of the last commit of a
// repository.
func TestVersion(t *testing.T) {
	tests := []struct {
		name string
		tags []string // of the commits, in their order; empty: a commit without a tag
		want string
	}{
		{"no tag", []string{"", ""}, "1.0.0-pre1767225602"},
		{"a release", []string{"", "v1.0.0"}, "1.0.0"},
		{"behind a release", []string{"v1.0.0", "", ""}, "1.0.1-pre1767225603"},
		{"the nearest of two releases", []string{"v1.0.9", "v1.1.0", ""}, "1.1.1-pre1767225603"},
		{"ten", []string{"v1.2.9", ""}, "1.2.10-pre1767225602"},
		{"a candidate counts for nothing", []string{"v1.0.0", "v2.0.0-rc1"}, "1.0.1-pre1767225602"},
		{"other tags count for nothing", []string{"v1.0.0", "demo"}, "1.0.1-pre1767225602"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			dir := repository(t, tc.tags)
			got := sh(t, dir, filepath.Join(dir, "build/package/version"))
			if got != tc.want+"\n" {
				t.Errorf("Got %q, want %q", got, tc.want)
			}
		})
	}
}

// TestVersionOutsideGit holds that no version is made up.
func TestVersionOutsideGit(t *testing.T) {
	dir := t.TempDir()
	copyScript(t, dir)
	cmd := wait.Command(t, wait.Limit, filepath.Join(dir, "build/package/version"))
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+dir)
	if out, err := cmd.Output(); err == nil || len(out) > 0 {
		t.Errorf("Got %q and error %v, want nothing and an error", out, err)
	}
}

// TestSpelled compares versions as dpkg, rpm and apk spell them. apk reads the
// number of a pre-release into 31 bits.
func TestSpelled(t *testing.T) {
	tests := []struct{ version, kind, want string }{
		{"1.0.0", "deb", "1.0.0"},
		{"1.0.0", "rpm", "1.0.0"},
		{"1.0.0", "apk", "1.0.0"},
		{"1.0.0-pre1767225602", "deb", "1.0.0~pre1767225602"},
		{"1.0.0-pre1767225602", "rpm", "1.0.0~pre1767225602"},
		{"1.0.0-pre1767225602", "apk", "1.0.0_pre1767225602"},
	}
	for _, tc := range tests {
		if got := spelled(tc.version, tc.kind); got != tc.want {
			t.Errorf("%s, %s: got %s, want %s", tc.version, tc.kind, got, tc.want)
		}
	}
}

// TestChangelog reads the changelog of a repository with two releases.
func TestChangelog(t *testing.T) {
	t.Chdir(repository(t, []string{"v1.0.0", "", "v1.1.0", "demo"}))
	if err := os.MkdirAll(stage, 0o700); err != nil {
		t.Fatal(err)
	}
	r, err := head()
	if err != nil {
		t.Fatal(err)
	}
	if err := changelog(r); err != nil {
		t.Fatal(err)
	}
	got := sh(t, ".", "gzip", "-dc", stage+"/changelog.gz")
	const want = `lookalike (1.1.1~pre1767225604) unstable; urgency=medium

  * Commit 4 of a history that a test of the changelog makes, with a subject
    that is too long for a line

 -- Tests <tests@example.org>  Thu, 1 Jan 2026 00:00:04 +0000

lookalike (1.1.0) unstable; urgency=medium

  * Commit 3 of a history that a test of the changelog makes, with a subject
    that is too long for a line
  * Commit 2 of a history that a test of the changelog makes, with a subject
    that is too long for a line

 -- Tests <tests@example.org>  Thu, 1 Jan 2026 00:00:03 +0000

lookalike (1.0.0) unstable; urgency=medium

  * Commit 1 of a history that a test of the changelog makes, with a subject
    that is too long for a line

 -- Tests <tests@example.org>  Thu, 1 Jan 2026 00:00:01 +0000
`
	if got != want {
		t.Errorf("Got\n%s\nwant\n%s", got, want)
	}
	if long := regexp.MustCompile(`(?m)^.{81}`).FindString(got); long != "" {
		t.Errorf("A line has more than 80 bytes: %s", long)
	}
}

// repository makes a repository with build/package/version and a commit for each
// tag, a second apart from 2026 on.
func repository(t *testing.T, tags []string) string {
	t.Helper()
	dir := t.TempDir()
	copyScript(t, dir)
	sh(t, dir, "git", "init", "-q", "-b", "main")
	sh(t, dir, "git", "add", ".")
	for i, tag := range tags {
		t.Setenv("GIT_COMMITTER_DATE", "2026-01-01T00:00:0"+string(rune('1'+i))+"Z")
		sh(t, dir, "git", "commit", "-q", "--allow-empty", "-m",
			"Commit "+string(rune('1'+i))+" of a history that a test of the changelog makes, with a subject that is too long for a line")
		if tag != "" {
			sh(t, dir, "git", "tag", tag)
		}
	}
	return dir
}

func copyScript(t *testing.T, dir string) {
	t.Helper()
	script, err := os.ReadFile("../version")
	if err == nil {
		err = os.MkdirAll(filepath.Join(dir, "build/package"), 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "build/package/version"), script, 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// sh runs a program in a directory, where git knows no settings of the machine's
// and commits as the tests.
func sh(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := wait.Command(t, wait.Limit, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=Tests", "GIT_AUTHOR_EMAIL=tests@example.org", "GIT_COMMITTER_NAME=Tests", "GIT_COMMITTER_EMAIL=tests@example.org")
	out, err := cmd.Output()
	if err != nil {
		var stderr []byte
		if exit, ok := err.(*exec.ExitError); ok {
			stderr = exit.Stderr
		}
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, stderr)
	}
	return string(out)
}
