//go:build e2e

package test

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// A published release is what `make dist` has made of the commit in a clone.
type published struct {
	clone   string // the clone's directory
	dir     string // build/dist there
	version string
	time    time.Time // of the commit
}

// TestDist makes a release in a clone with a signature, and looks at all of it.
// Then it makes that of one architecture again, in another directory.
func TestDist(t *testing.T) {
	keys := t.TempDir()
	secret, public := filepath.Join(keys, "test.key"), filepath.Join(keys, "test.pub")
	said(t, keys, "minisign", "-G", "-W", "-s", secret, "-p", public)
	r := publish(t, filepath.Join(t.TempDir(), "first"), "MINISIGN_KEY="+secret, "make", "dist")
	t.Run("signature", func(t *testing.T) {
		if got := said(t, r.dir, "minisign", "-V", "-p", public, "-m", "SHA256SUMS"); !strings.Contains(got, "Trusted comment: lookalike "+r.version+"\n") {
			t.Errorf("Got\n%s\nwant a trusted comment with version %s", got, r.version)
		}
		said(t, r.dir, "sha256sum", "--strict", "-c", "SHA256SUMS")
	})
	t.Run("versions", func(t *testing.T) { publishedVersions(t, r) })
	t.Run("tarball", func(t *testing.T) { publishedTarball(t, r) })
	t.Run("materials", func(t *testing.T) { publishedMaterials(t, r) })
	t.Run("licences", func(t *testing.T) { publishedLicences(t, r) })
	t.Run("manuals", func(t *testing.T) { publishedManuals(t, r) })
	t.Run("image", func(t *testing.T) { publishedImage(t, r) })
	t.Run("again", func(t *testing.T) {
		// The flag is the driver's own, to save time.
		again := publish(t, filepath.Join(t.TempDir(), "somewhere", "else"), "", "go", "run", "./build/package/dist", "-arch", "amd64")
		sameRelease(t, r, again)
	})
}

// publish runs a command, with a variable of the environment, in a clone of the
// repository at its present commit.
func publish(t *testing.T, clone, variable string, command ...string) published {
	t.Helper()
	said(t, "..", "git", "clone", "-q", "--no-hardlinks", ".", clone)
	cmd := wait.Command(t, compile, command[0], command[1:]...)
	cmd.Dir = clone
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=", "MINISIGN_KEY=")
	if variable != "" {
		cmd.Env = append(cmd.Env, variable)
	}
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
	t.Logf("%v: %.0f s", command, time.Since(began).Seconds())
	made, err := time.Parse(time.RFC3339, strings.TrimSpace(said(t, clone, "git", "log", "-1", "--format=%cI")))
	if err != nil {
		t.Fatal(err)
	}
	version := strings.TrimSpace(said(t, clone, filepath.Join(clone, "build/package/version")))
	return published{clone, filepath.Join(clone, "build/dist"), version, made.UTC()}
}

// said runs a program that must succeed, and returns what it writes.
func said(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := wait.Command(t, wait.Limit, name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}

// file returns the one file of the release that a pattern stands for.
func (r published) file(t *testing.T, pattern string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(r.dir, pattern))
	if err != nil || len(paths) != 1 {
		t.Fatalf("Got %q for %s, want one file (%v)", paths, pattern, err)
	}
	return paths[0]
}

// publishedVersions holds that programs and packages say the version, and that the
// systems of packages sort it before the release and behind an earlier commit.
func publishedVersions(t *testing.T, r published) {
	t.Helper()
	debian := strings.Replace(r.version, "-", "~", 1)
	alpine := strings.Replace(r.version, "-", "_", 1)
	stage := filepath.Join(r.dir, "stage", "amd64")
	tests := []struct {
		name, want string
		command    []string
	}{
		{"server", "+lookalike-" + r.version + "\n", []string{filepath.Join(stage, "coredns"), "-version"}},
		{"tool", "lookalike " + r.version + "\n", []string{filepath.Join(stage, "lookalike"), "version"}},
		{"deb for amd64", debian + "\n", []string{"dpkg-deb", "-f", r.file(t, "*_amd64.deb"), "Version"}},
		{"deb for arm64", debian + "\n", []string{"dpkg-deb", "-f", r.file(t, "*_arm64.deb"), "Version"}},
		{"rpm for amd64", debian + " x86_64 ", []string{"rpm", "-qp", "--qf", "%{VERSION} %{ARCH} ", r.file(t, "*.x86_64.rpm")}},
		{"rpm for arm64", debian + " aarch64 ", []string{"rpm", "-qp", "--qf", "%{VERSION} %{ARCH} ", r.file(t, "*.aarch64.rpm")}},
		{"apk for amd64", "pkgver = " + alpine + "\n", []string{"tar", "-xzOf", r.file(t, "*_x86_64.apk"), ".PKGINFO"}},
		{"apk for arm64", "pkgver = " + alpine + "\n", []string{"tar", "-xzOf", r.file(t, "*_aarch64.apk"), ".PKGINFO"}},
		{"order of deb", "", []string{"dpkg", "--compare-versions", "1.0.0~pre1767225601", "lt", "1.0.0~pre1767225602"}},
		{"order of deb and release", "", []string{"dpkg", "--compare-versions", "1.0.0~pre1767225602", "lt", "1.0.0"}},
		{"order of rpm", "-1\n", []string{"rpm", "--eval", `%{lua:print(rpm.vercmp("1.0.0~pre1767225601", "1.0.0~pre1767225602"))}`}},
		{"order of rpm and release", "-1\n", []string{"rpm", "--eval", `%{lua:print(rpm.vercmp("1.0.0~pre1767225602", "1.0.0"))}`}},
	}
	for _, tc := range tests {
		if got := said(t, r.dir, tc.command[0], tc.command[1:]...); !strings.Contains(got, tc.want) {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

// publishedTarball unpacks a tarball and installs the service from it.
func publishedTarball(t *testing.T, r published) {
	t.Helper()
	dir := t.TempDir()
	name := "lookalike-" + r.version + "-linux-amd64"
	said(t, dir, "tar", "-xzf", filepath.Join(r.dir, name+".tar.gz"))
	for _, file := range []string{
		"README.md", "LICENSE", "licences.gz", "changelog.gz", "bin/coredns", "bin/lookalike", "man/lookalike.1.gz",
		"man/coredns-lookalike.7.gz", "man/coredns-smtpreject.7.gz", "man/coredns-rpz.7.gz", "corefile/monitor",
		"build/package/conf/Corefile", "build/package/systemd/lookalike.service",
	} {
		if _, err := os.Stat(filepath.Join(dir, name, file)); err != nil {
			t.Error(err)
		}
	}
	root := filepath.Join(dir, "root")
	said(t, filepath.Join(dir, name), "env", "BIN=bin", "MAN=man", "PREFIX=/usr", "DESTDIR="+root, "build/package/install")
	for _, file := range append(socFiles(t),
		"/usr/bin/lookalike", "/usr/lib/lookalike/coredns", "/usr/lib/systemd/system/lookalike.service",
		"/usr/share/man/man1/lookalike.1.gz", "/etc/lookalike/Corefile",
	) {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			t.Error(err)
		}
	}
	if got := said(t, root, "usr/bin/lookalike", "version"); !strings.Contains(got, r.version) {
		t.Errorf("Got %q, want version %s", got, r.version)
	}
}

// publishedMaterials compares each bill of materials with what the program says
// that it consists of.
func publishedMaterials(t *testing.T, r published) {
	t.Helper()
	for _, arch := range []string{"amd64", "arm64"} {
		for _, name := range []string{"coredns", "lookalike"} {
			text, err := os.ReadFile(filepath.Join(r.dir, name+"-"+r.version+"-linux-"+arch+".cdx.json"))
			if err != nil {
				t.Fatal(err)
			}
			var bill struct {
				BOMFormat string
				Metadata  struct {
					Timestamp time.Time
					Component struct{ Name, Version string }
				}
				Components []struct{ Name, Version string }
			}
			if err := json.Unmarshal(text, &bill); err != nil {
				t.Fatal(err)
			}
			if m := bill.Metadata; bill.BOMFormat != "CycloneDX" || m.Component.Version != r.version || !m.Timestamp.Equal(r.time) {
				t.Errorf("%s, %s: got %s, version %s of %v, want CycloneDX, version %s of %v",
					name, arch, bill.BOMFormat, m.Component.Version, m.Timestamp, r.version, r.time)
			}
			got := make([]string, 0, len(bill.Components))
			for _, c := range bill.Components {
				got = append(got, c.Name+" "+c.Version)
			}
			program, err := buildinfo.ReadFile(filepath.Join(r.dir, "stage", arch, name))
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"std " + program.GoVersion}
			for _, m := range program.Deps {
				want = append(want, m.Path+" "+m.Version)
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s: got components\n%s\nwant\n%s", name, arch, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
}

// publishedLicences looks for each module of the programs in the licences.
func publishedLicences(t *testing.T, r published) {
	t.Helper()
	text := said(t, r.dir, "gzip", "-dc", "stage/licences.gz")
	for _, name := range []string{"coredns", "lookalike"} {
		program, err := buildinfo.ReadFile(filepath.Join(r.dir, "stage", "amd64", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range program.Deps {
			if !strings.Contains(text, "\n"+m.Path+" "+m.Version+": ") {
				t.Errorf("There is no licence of %s %s", m.Path, m.Version)
			}
		}
	}
}

// sameRelease compares the checksums of a release with those of the same commit for
// one architecture. The image of that is one of the images of the first.
func sameRelease(t *testing.T, first, again published) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(again.dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile(filepath.Join(first.dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	image := "  lookalike-" + again.version + "-oci.tar\n"
	same := 0
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasSuffix(line, image):
		case !strings.Contains(string(all), line):
			t.Errorf("Differs in another directory: %s", line)
		default:
			same++
		}
	}
	if same != 6 { // three packages, a tarball, two bills of materials
		t.Errorf("%d files are the same, want 6:\n%s", same, text)
	}
	if got, want := manifests(t, again)["amd64"], manifests(t, first)["amd64"]; got != want {
		t.Errorf("The image for amd64 is %v, want %v", got, want)
	}
}
