//go:build e2e

package test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// output runs a tool that must succeed, and returns what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := wait.Command(t, 2*wait.Limit, name, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	out, err := cmd.Output()
	if err != nil {
		stderr := ""
		if exit, ok := err.(*exec.ExitError); ok {
			stderr = string(exit.Stderr)
		}
		t.Fatalf("%s %v: %v\n%s%s", name, args, err, out, stderr)
	}
	return string(out)
}

// TestUnitSecurity holds the exposure that systemd computes for the unit.
func TestUnitSecurity(t *testing.T) {
	t.Parallel()
	out := output(t, "systemd-analyze", "security", "--offline=true", "--no-pager", "../build/package/systemd/lookalike.service")
	found := regexp.MustCompile(`Overall exposure level for lookalike.service: ([0-9.]+) `).FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("systemd-analyze tells no level:\n%s", out)
	}
	if level, err := strconv.ParseFloat(found[1], 64); err != nil || level > 1.6 {
		t.Errorf("Got an exposure of %s, want 1.6 at most:\n%s", found[1], out)
	}
}

// TestPackageLintian holds that Debian's checker finds nothing in the deb.
func TestPackageLintian(t *testing.T) {
	t.Parallel()
	deb := buildPackage(t, thisTree(t), "deb", "1.0.0")
	out := output(t, "lintian", "--allow-root", "--fail-on=error,warning", "--suppress-tags=uses-no-compression-for-data-tarball", deb)
	if out != "" {
		t.Errorf("lintian says:\n%s", out)
	}
}

// entry is a file or directory of a package.
type entry struct{ mode, owner string }

// packaged are what packages have besides their manual pages and
// documents, with mode and owner.
var packaged = map[string]entry{
	"/etc/logrotate.d/lookalike":                {"-rw-r--r--", "root/root"},
	"/etc/lookalike/Corefile":                   {"-rw-r--r--", "root/root"},
	"/etc/lookalike/allowed.txt":                {"-rw-r--r--", "root/root"},
	"/etc/lookalike/protected.txt":              {"-rw-r--r--", "root/root"},
	"/usr/bin/lookalike":                        {"-rwxr-xr-x", "root/root"},
	"/usr/lib/lookalike/check":                  {"-rwxr-xr-x", "root/root"},
	"/usr/lib/lookalike/coredns":                {"-rwxr-xr-x", "root/root"},
	"/usr/lib/lookalike/reload":                 {"-rwxr-xr-x", "root/root"},
	"/usr/lib/lookalike/started":                {"-rwxr-xr-x", "root/root"},
	"/usr/lib/systemd/system/lookalike.service": {"-rw-r--r--", "root/root"},
	"/usr/lib/sysusers.d/lookalike.conf":        {"-rw-r--r--", "root/root"},
	"/usr/lib/tmpfiles.d/lookalike.conf":        {"-rw-r--r--", "root/root"},
}

// directories are those of the rpm and the apk, whose users exist before them.
var directories = map[string]entry{
	"/var/lib/lookalike": {"drwxr-x---", "lookalike/lookalike"},
	"/var/log/lookalike": {"drwxr-s---", "lookalike/adm"},
}

// compareFiles compares the files of a package, without documents and the
// directories that others have as well, with what they should be.
func compareFiles(t *testing.T, got map[string]entry, want ...map[string]entry) {
	t.Helper()
	all := map[string]entry{}
	for _, w := range want {
		maps.Copy(all, w)
	}
	for _, path := range slices.Sorted(maps.Keys(got)) {
		if strings.HasPrefix(path, "/usr/share/") || got[path] == (entry{"drwxr-xr-x", "root/root"}) {
			continue
		}
		if got[path] != all[path] {
			t.Errorf("%s: got %v, want %v", path, got[path], all[path])
		}
		delete(all, path)
	}
	if len(all) > 0 {
		t.Errorf("Missing: %v", all)
	}
}

// tarEntries reads what tar lists with --verbose.
func tarEntries(t *testing.T, list string) map[string]entry {
	t.Helper()
	entries := map[string]entry{}
	for line := range strings.Lines(list) {
		if f := strings.Fields(line); len(f) == 6 {
			entries["/"+strings.Trim(strings.TrimPrefix(f[5], "./"), "/")] = entry{f[0], f[1]}
		}
	}
	return entries
}

// socFiles returns where an installation has the content for the SOC: each file
// of build/soc that is not there for its tests.
func socFiles(t *testing.T) (installed []string) {
	t.Helper()
	const top = "../build/soc"
	err := filepath.WalkDir(top, func(path string, d os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.Name() == "testdata" || d.Name() == "soctest":
			return filepath.SkipDir
		case !d.IsDir() && !strings.HasSuffix(path, "_test.go"):
			installed = append(installed, "/usr/share/lookalike/soc"+strings.TrimPrefix(path, top))
		}
		return nil
	})
	if err != nil || len(installed) == 0 {
		t.Fatalf("Got %d files in %s (%v)", len(installed), top, err)
	}
	return installed
}

// TestPackageFiles holds what the deb and the apk put where, and of what mode.
func TestPackageFiles(t *testing.T) {
	t.Parallel()
	deb := tarEntries(t, output(t, "dpkg-deb", "--contents", buildPackage(t, thisTree(t), "deb", "1.0.0")))
	compareFiles(t, deb, packaged)
	for _, file := range socFiles(t) {
		if _, found := deb[file]; !found {
			t.Errorf("The deb has no %s", file)
		}
	}

	// An apk is three gzip streams: a signature if there is one, control, and data.
	apk := tarEntries(t, output(t, "tar", "--ignore-zeros", "--list", "--verbose", "--gzip", "--file", buildPackage(t, thisTree(t), "apk", "1.0.0")))
	for _, script := range []string{"/.PKGINFO", "/.pre-install", "/.pre-deinstall", "/.post-upgrade"} {
		if _, found := apk[script]; !found {
			t.Errorf("The apk has no %s", script)
		}
		delete(apk, script)
	}
	compareFiles(t, apk, packaged, directories, map[string]entry{"/etc/init.d/lookalike": {"-rwxr-xr-x", "root/root"}})
}

// TestPackageRPM reads the rpm as rpm does.
func TestPackageRPM(t *testing.T) {
	t.Parallel()
	rpm := buildPackage(t, thisTree(t), "rpm", "1.0.0")
	entries := map[string]entry{}
	for line := range strings.Lines(output(t, "rpm", "-qp", "--queryformat", `[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME}\n]`, rpm)) {
		f := strings.Fields(line)
		entries[f[0]] = entry{f[1], f[2]}
	}
	compareFiles(t, entries, packaged, directories)

	const settings = "/etc/logrotate.d/lookalike\n/etc/lookalike/Corefile\n/etc/lookalike/allowed.txt\n/etc/lookalike/protected.txt\n"
	if got := output(t, "rpm", "-qp", "--configfiles", rpm); got != settings {
		t.Errorf("The settings that an upgrade keeps are\n%s, want\n%s", got, settings)
	}
	output(t, "rpm", "--checksig", "--nosignature", rpm)
	for _, script := range []string{"prein", "postin", "preun", "postun"} {
		text := output(t, "rpm", "-qp", "--queryformat", "%{"+script+"}", rpm)
		check := wait.Command(t, wait.Limit, "sh", "-n")
		check.Stdin = strings.NewReader(text)
		if out, err := check.CombinedOutput(); err != nil || !strings.Contains(text, "lookalike") {
			t.Errorf("The script %s: %v\n%s\n%s", script, err, out, text)
		}
	}
}

// TestMakeInstall holds that an installation without a package has the files of the
// deb with the same content, and that another prefix is in all paths.
func TestMakeInstall(t *testing.T) {
	t.Parallel()
	fromDeb, installed, stage := t.TempDir(), t.TempDir(), stagePackage(t, thisTree(t))
	output(t, "dpkg-deb", "--extract", buildPackage(t, thisTree(t), "deb", "1.0.0"), fromDeb)
	installTo(t, stage, installed, "/usr")
	// Only a package has its changelog, and notes for those who check it.
	cmd := wait.Command(t, wait.Limit, "diff", "--recursive", "--brief", "--exclude=changelog.gz", "--exclude=lintian", fromDeb, installed)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("The files are not those of the deb: %v\n%s", err, out)
	}
	if got, want := modes(t, installed), modes(t, fromDeb); !maps.Equal(got, want) {
		t.Errorf("Got modes %v\nwant %v", got, want)
	}

	local := t.TempDir()
	installTo(t, stage, local, "/opt/lookalike")
	unit, err := os.ReadFile(filepath.Join(local, "opt/lookalike/lib/systemd/system/lookalike.service"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(unit), "/usr/") || !strings.Contains(string(unit), "ExecStart=/opt/lookalike/lib/lookalike/coredns ") {
		t.Errorf("The unit is\n%s", unit)
	}
	installTo(t, stage, local, "/opt/lookalike", "-u")
	if left := modes(t, local); len(left) != 4 {
		t.Errorf("Got %v, want the settings left", left)
	}
}

// installTo runs what `make install` runs once there is all that stage has.
func installTo(t *testing.T, stage, dir, prefix string, args ...string) {
	t.Helper()
	cmd := wait.Command(t, wait.Limit, "build/package/install", args...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "DESTDIR="+dir, "PREFIX="+prefix, "BIN="+stage+"/amd64", "MAN="+stage+"/man")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
}

// modes returns the modes of all files below a directory.
func modes(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "changelog.gz") || strings.Contains(path, "lintian") {
			return err
		}
		info, err := d.Info()
		if err == nil {
			all[strings.TrimPrefix(path, dir)] = fmt.Sprint(info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
