//go:build e2e

package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lookalike-dns/lookalike/test/wait"
)

var (
	// markup is Markdown that was not made into anything.
	markup = regexp.MustCompile("\\*\\*|~~~|`|\\]\\(|(?m)^ *#{2,3} |^ *\\|")
	// property is a line of the block that shows how a directive is written.
	property = regexp.MustCompile(`(?m)^    (\w+)`)
	// helpLine is a line of the list of commands.
	helpLine = regexp.MustCompile(`(?m)^  (\w+(?: \w+)?)  +\S`)
)

// publishedManuals renders each page by man, and has mandoc check it.
func publishedManuals(t *testing.T, r published) {
	t.Helper()
	commands := helpLine.FindAllStringSubmatch(said(t, r.dir, "stage/amd64/lookalike", "help"), -1)
	if len(commands) < 10 {
		t.Fatalf("lookalike help lists %d commands", len(commands))
	}
	wants := map[string][]string{"lookalike.1": {"NAME\n", "SYNOPSIS\n", "SEE ALSO\n"}}
	for _, c := range commands {
		wants["lookalike.1"] = append(wants["lookalike.1"], "\n   lookalike "+c[1]+"\n")
	}
	for _, plugin := range []string{"lookalike", "smtpreject", "rpz"} {
		readme, err := os.ReadFile(filepath.Join(r.clone, "plugin", plugin, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		_, syntax, _ := strings.Cut(string(readme), "## Syntax\n\n~~~ txt\n")
		syntax, _, _ = strings.Cut(syntax, "~~~")
		properties := property.FindAllStringSubmatch(syntax, -1)
		if len(properties) < 3 {
			t.Fatalf("%s: the README's syntax has %d properties", plugin, len(properties))
		}
		page := "coredns-" + plugin + ".7"
		wants[page] = []string{"\n       coredns-" + plugin + " - ", "METRICS\n", "EXAMPLES\n"}
		for _, p := range properties {
			// It stands in the syntax, and its explanation begins with it.
			wants[page] = append(wants[page], "\n           "+p[1], "\n       • "+p[1])
		}
	}
	for page, want := range wants {
		t.Run(page, func(t *testing.T) {
			path := filepath.Join(r.dir, "stage/man", page+".gz")
			if out := said(t, r.dir, "sh", "-c", "gzip -dc "+path+" | mandoc -T lint -W warning"); out != "" {
				t.Errorf("mandoc: %s", out)
			}
			cmd := wait.Command(t, wait.Limit, "man", "--warnings", "-l", path)
			cmd.Env = append(os.Environ(), "MANWIDTH=80", "LC_ALL=C.UTF-8", "MANPAGER=cat", "MAN_KEEP_FORMATTING=")
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("man: %v\n%s", err, out)
			}
			text := string(out)
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("The page lacks %q", w)
				}
			}
			for _, m := range markup.FindAllStringIndex(text, -1) {
				t.Errorf("Raw Markdown: %q", text[max(0, m[0]-40):min(len(text), m[1]+40)])
			}
		})
	}
}
