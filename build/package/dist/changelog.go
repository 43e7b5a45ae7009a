package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// tagged finds the version among the names of a commit.
var tagged = regexp.MustCompile(`tag: v(\d+\.\d+\.\d+)(?:,|$)`)

// changelog writes the subjects of all commits in Debian's form, with an entry
// for each version.
func changelog(r *release) error {
	log, err := output("git", "log", "--date=rfc", "--decorate-refs=refs/tags/", "--format=%D%x09%cn <%ce>  %cd%x09%s")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	version, by := r.version, ""
	begin := func() { fmt.Fprintf(&b, "lookalike (%s) unstable; urgency=medium\n\n", spelled(version, "deb")) }
	end := func() { fmt.Fprintf(&b, "\n -- %s\n", by) }
	for i, line := range strings.Split(strings.TrimRight(log, "\n"), "\n") {
		fields := strings.SplitN(line, "\t", 3)
		m := tagged.FindStringSubmatch(fields[0])
		switch {
		case i == 0:
			by = fields[1]
			begin()
		case m != nil:
			end()
			b.WriteByte('\n')
			version, by = m[1], fields[1]
			begin()
		}
		b.WriteString(wrapped(fields[2]))
	}
	end()
	return writeGzip(stage+"/changelog.gz", b.Bytes())
}

// wrapped returns a line of a changelog, in lines of at most 80 bytes.
func wrapped(subject string) string {
	var b strings.Builder
	width := 0
	for i, word := range strings.Fields(subject) {
		switch {
		case i == 0:
			b.WriteString("  * ")
			width = 4
		case width+1+len(word) > 80:
			b.WriteString("\n    ")
			width = 4
		default:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += len(word)
	}
	return b.String() + "\n"
}

// writeGzip writes a compressed file without a time, as small as can be.
func writeGzip(path string, data []byte) error {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(data); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
