package main

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// licences writes the licences of all modules whose code is in the programs, and
// of Go itself. Modules with the same text share it.
func licences(*release) error {
	// The root of Go's own packages has the licence one directory above src.
	list, err := output(goTool(), "list", "-deps", "-f",
		"{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}\t{{$.Dir}}{{end}}{{else}}Go's standard library\t{{.Root}}\t{{.Root}}{{end}}",
		"./build/coredns", "./build/lookalike")
	if err != nil {
		return err
	}
	owners := map[string][]string{} // of a text
	for line := range strings.Lines(list) {
		fields := strings.Split(strings.TrimSpace(line), "\t")
		if len(fields) != 3 {
			continue // a package of our own
		}
		if err := addLicences(owners, fields[0], fields[1], fields[2]); err != nil {
			return err
		}
	}
	for text, names := range owners {
		slices.Sort(names)
		owners[text] = slices.Compact(names)
	}
	var b bytes.Buffer
	b.WriteString("The programs contain code of these modules, under these licences.\n")
	texts := slices.SortedFunc(maps.Keys(owners), func(a, b string) int {
		return cmp.Or(slices.Compare(owners[a], owners[b]), strings.Compare(a, b))
	})
	for _, text := range texts {
		fmt.Fprintf(&b, "\n%s\n\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(owners[text], "\n"), strings.TrimSpace(text))
	}
	return writeGzip(stage+"/licences.gz", b.Bytes())
}

// addLicences adds the texts that cover a package: those in its directory and
// above, up to the root of its module, which must have one.
func addLicences(owners map[string][]string, module, root, dir string) error {
	found := false
	for ; ; dir = filepath.Dir(dir) {
		for _, pattern := range []string{"LICEN[CS]E*", "COPYING*", "NOTICE*"} {
			paths, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				return err
			}
			for _, path := range paths {
				text, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				name, err := filepath.Rel(root, path)
				if err != nil {
					return err
				}
				owners[string(text)] = append(owners[string(text)], module+": "+name)
				found = true
			}
		}
		if len(dir) <= len(root) {
			break
		}
	}
	if !found {
		return fmt.Errorf("module %s has no licence in %s", module, root)
	}
	return nil
}
