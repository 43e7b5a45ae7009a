// Package environment checks what a Corefile takes from elsewhere: variables of
// the environment and imported files.
package environment

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/lookalike-dns/lookalike/plugin/pkg/text"
)

var variable = regexp.MustCompile(`\{\$[^{}]+\}|\{%[^{}%]+%\}`)

// Variables returns a warning for each variable of the environment that is
// empty here, or has several words.
func Variables(path string, contents []byte) (warnings []string) {
	lines := text.NewLines(bytes.NewReader(contents), len(contents))
	for lines.Next() {
		for _, found := range variable.FindAllString(withoutComment(string(lines.Text)), -1) {
			name := strings.Trim(found, "{$%}")
			switch words := strings.Fields(os.Getenv(name)); {
			case len(words) == 0:
				warnings = append(warnings, fmt.Sprintf("%s:%d: %s is not set here and stands for an empty word: set it as for the server, or write the value",
					path, lines.N, found))
			case len(words) > 1:
				warnings = append(warnings, fmt.Sprintf("%s:%d: %s has several words here, but a variable is one word: write them in the Corefile, or in a file that it imports",
					path, lines.N, found))
			}
		}
	}
	return warnings
}

// withoutComment returns a line without its comment, which begins a word.
func withoutComment(line string) string {
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return ""
	}
	for _, begin := range []string{" #", "\t#"} {
		line, _, _ = strings.Cut(line, begin)
	}
	return line
}

// Imports returns a warning for each file that the Corefile imports and
// that says nothing, such as one that a tool has truncated.
func Imports(path string, contents []byte) (warnings []string) {
	lines := text.NewLines(bytes.NewReader(contents), len(contents))
	for lines.Next() {
		words := strings.Fields(withoutComment(string(lines.Text)))
		if len(words) != 2 || words[0] != "import" || bytes.Contains(contents, []byte("("+words[1]+")")) {
			continue
		}
		pattern := words[1]
		if !filepath.IsAbs(pattern) {
			pattern = filepath.Join(filepath.Dir(path), pattern)
		}
		files, _ := filepath.Glob(pattern)                          // a bad pattern is an error of the parser's
		if len(files) == 0 && strings.ContainsAny(pattern, "*?[") { // otherwise the parser refuses it
			warnings = append(warnings, fmt.Sprintf("%s:%d: import %s: there is no such file: put it there, or remove the line", path, lines.N, words[1]))
		}
		for _, file := range files {
			if saysNothing(file) {
				warnings = append(warnings, fmt.Sprintf("%s:%d: the imported file %s is empty: put back what it had, or remove the line", path, lines.N, file))
			}
		}
	}
	return warnings
}

// saysNothing reports whether a file can be read and has only comments.
func saysNothing(file string) bool {
	contents, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(contents)) {
		if strings.TrimSpace(withoutComment(line)) != "" {
			return false
		}
	}
	return true
}
