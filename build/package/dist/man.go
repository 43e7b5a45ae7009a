package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/cpuguy83/go-md2man/v2/md2man"
)

// plugins are those whose READMEs become manual pages.
var plugins = []string{"lookalike", "smtpreject", "rpz"}

// manuals writes the manual pages, with the help texts of a `lookalike`.
func manuals(r *release, tool string) error {
	dir := filepath.Join(stage, "man")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	page, err := toolPage(tool)
	errs := []error{err, writePage(dir, r, "lookalike", 1, "User commands", page)}
	for _, plugin := range plugins {
		readme, err := os.ReadFile(filepath.Join("plugin", plugin, "README.md"))
		errs = append(errs, err, writePage(dir, r, "coredns-"+plugin, 7, "CoreDNS plugins", pluginPage(plugin, string(readme))))
	}
	return errors.Join(errs...)
}

// writePage writes a manual page from Markdown.
func writePage(dir string, r *release, name string, section int, group, text string) error {
	title := fmt.Sprintf("%% %s %d %q %q %q\n\n", strings.ToUpper(name), section, r.time.Format(time.DateOnly), "lookalike "+r.version, group)
	roff := titleLine.ReplaceAll(md2man.Render([]byte(title+text)), []byte("$0\n.nr HY 0\n.ad l"))
	return writeGzip(filepath.Join(dir, fmt.Sprintf("%s.%d.gz", name, section)), roff)
}

// titleLine is where a page begins. Behind it, hyphens and wider spaces are
// turned off: they would spoil the examples for those who copy them.
var titleLine = regexp.MustCompile(`(?m)^\.TH .*$`)

var (
	heading = regexp.MustCompile(`(?m)^## .*$`)
	summary = regexp.MustCompile(`(?m)^\*(\w+)\* - `)
	table   = regexp.MustCompile(`(?m)(^\|.*\n)+`)
	column  = regexp.MustCompile(`(?:[^|\\]|\\.)+`)
)

// pluginPage returns the README of a plugin as a manual page has it: without its
// title, with sections in capitals, and with the name that man knows it by.
func pluginPage(plugin, readme string) string {
	readme = strings.TrimPrefix(readme, "# "+plugin+"\n")
	readme = heading.ReplaceAllStringFunc(readme, strings.ToUpper)
	readme = table.ReplaceAllStringFunc(readme, rowsAsList)
	return summary.ReplaceAllString(readme, "coredns-$1 - ")
}

// rowsAsList returns a table as a list, which a terminal is wide enough for: the
// first column is the term, and each other follows behind its title.
func rowsAsList(table string) string {
	var b strings.Builder
	rows := strings.Split(strings.TrimSpace(table), "\n")
	titles := column.FindAllString(rows[0], -1)
	for _, row := range rows[2:] {
		cells := column.FindAllString(row, -1)
		b.WriteString(strings.TrimSpace(cells[0]) + "\n: ")
		var parts []string
		for i, cell := range cells[1:] {
			if cell = strings.ReplaceAll(strings.TrimSpace(cell), `\|`, "|"); cell != "" {
				parts = append(parts, fmt.Sprintf("*%s*: %s", strings.TrimSpace(titles[i+1]), cell))
			}
		}
		b.WriteString(strings.Join(parts, "  \n  ") + "\n\n")
	}
	return b.String()
}
