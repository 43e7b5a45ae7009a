package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2"

// preRelease is what the kinds of packages put before the words of a
// pre-release, so that it comes before the release.
var preRelease = map[string]string{"deb": "~", "rpm": "~", "apk": "_"}

// spelled returns a version as a kind of packages writes it.
func spelled(version, kind string) string {
	return strings.Replace(version, "-", preRelease[kind], 1)
}

func packages(r *release) error {
	// In an apk, the scripts have the times of their files.
	scripts, err := filepath.Glob("build/package/scripts/apk/*")
	if err != nil {
		return err
	}
	for _, path := range scripts {
		if err := os.Chtimes(path, r.time, r.time); err != nil {
			return err
		}
	}
	return r.each(func(arch string) error {
		for kind := range preRelease {
			env := []string{
				"VERSION=" + spelled(r.version, kind), "ARCH=" + arch, "STAGE=" + stage,
				"SOURCE_DATE_EPOCH=" + strconv.FormatInt(r.time.Unix(), 10),
			}
			err := command(env, goTool(), "run", nfpm, "package", "--config", "build/package/nfpm.yaml", "--packager", kind, "--target", out).Run()
			if err != nil {
				return fmt.Errorf("%s for %s: %w", kind, arch, err)
			}
		}
		return nil
	})
}

// contents has what a tarball contains besides the programs: paths of the tree,
// and the directory for them.
var contents = []struct{ files, dir string }{
	{"README.md", ""}, {"LICENSE", ""}, {stage + "/changelog.gz", ""}, {stage + "/licences.gz", ""},
	{stage + "/man/*", "man/"},
	{"corefile/*", "corefile/"},
	{"build/package/install", "build/package/"}, {"build/package/copyright", "build/package/"},
	{"build/package/doc/*", "build/package/doc/"},
	{"build/package/conf/*", "build/package/conf/"},
	{"build/package/systemd/*", "build/package/systemd/"},
	{"build/soc/README.md", "build/soc/"},
	{"build/soc/elastic/*json", "build/soc/elastic/"}, {"build/soc/elastic/import", "build/soc/elastic/"},
	{"build/soc/grafana/*", "build/soc/grafana/"},
	{"build/soc/prometheus/*", "build/soc/prometheus/"},
	{"build/soc/runbook/*", "build/soc/runbook/"},
	{"build/soc/sentinel/azuredeploy.json", "build/soc/sentinel/"},
	{"build/soc/sentinel/parsers/*", "build/soc/sentinel/parsers/"},
	{"build/soc/sentinel/rules/*", "build/soc/sentinel/rules/"},
	{"build/soc/sigma/*.yml", "build/soc/sigma/"},
	{"build/soc/splunk/TA-lookalike/default/*", "build/soc/splunk/TA-lookalike/default/"},
	{"build/soc/splunk/TA-lookalike/lookups/*", "build/soc/splunk/TA-lookalike/lookups/"},
	{"build/soc/splunk/TA-lookalike/metadata/*", "build/soc/splunk/TA-lookalike/metadata/"},
	{"plugin/lookalike/detect/LICENSE-*", "plugin/lookalike/detect/"},
}

// tarballs writes the programs with all that build/package/install puts in place
// for each architecture.
func tarballs(r *release) error {
	return r.each(func(arch string) error {
		name := fmt.Sprintf("lookalike-%s-linux-%s", r.version, arch)
		entries := []entry{
			{name: name + "/bin/coredns", path: stage + "/" + arch + "/coredns", mode: 0o755},
			{name: name + "/bin/lookalike", path: stage + "/" + arch + "/lookalike", mode: 0o755},
		}
		for _, c := range contents {
			paths, err := filepath.Glob(c.files)
			if err == nil && paths == nil {
				err = fmt.Errorf("there is no %s", c.files)
			}
			if err != nil {
				return err
			}
			for _, path := range paths {
				info, err := os.Stat(path)
				if err != nil {
					return err
				}
				mode := int64(0o644)
				if info.Mode()&0o100 != 0 {
					mode = 0o755
				}
				entries = append(entries, entry{name: name + "/" + c.dir + filepath.Base(path), path: path, mode: mode})
			}
		}
		return writeArchive(filepath.Join(out, name+".tar.gz"), r.time, entries)
	})
}
