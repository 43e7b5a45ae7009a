package names

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Spec is what the protect or the allow lines of one directive say: names and
// files of names. The zero value is empty. A Spec is not safe for concurrent
// use while Add is called; Load may be called at any time after.
type Spec struct {
	// Root is the directory that relative file names start from, as the root
	// plugin sets it; empty is the working directory.
	Root string

	args []arg
}

type arg struct {
	where string // in the Corefile
	name  string // canonical, or empty
	file  string // path, or empty
}

// Add adds one argument that stands at where, such as "Corefile:12". An
// argument with a slash in it is a file, which Load reads; any other is a name.
func (s *Spec) Add(text, where string) error {
	if strings.ContainsRune(text, '/') && !strings.Contains(text, "://") {
		path := text
		if s.Root != "" && !filepath.IsAbs(path) {
			path = filepath.Join(s.Root, path)
		}
		s.args = append(s.args, arg{where: where, file: path})
		return nil
	}
	if err := s.notFile(text); err != nil {
		return newError(where, text, err)
	}
	name, err := Parse(text)
	if err != nil {
		return newError(where, text, err)
	}
	s.args = append(s.args, arg{where: where, name: name})
	return nil
}

// fileEndings are last labels that give away a file name, where they are not a
// TLD too.
var fileEndings = []string{
	"bak", "cfg", "conf", "csv", "dat", "hosts", "json", "list", "lst", "md", "names", "old", "orig", "text", "tmp",
	"txt", "yaml", "yml",
}

// notFile refuses a name that was probably meant as a file: taken as a name,
// it would protect nothing that exists, and nobody would notice.
func (s *Spec) notFile(text string) error {
	cure := fmt.Sprintf("write ./%s to mean the file", text)
	if fi, err := os.Stat(filepath.Join(s.Root, text)); err == nil && !fi.IsDir() {
		return fmt.Errorf("a file of that name exists: %s, or %s. with a trailing dot to mean the name", cure, text)
	}
	dot := strings.LastIndexByte(text, '.')
	if dot < 0 {
		return nil
	}
	last := strings.ToLower(text[dot+1:])
	for _, ending := range fileEndings {
		if last == ending && !isTLD(last) {
			return fmt.Errorf("looks like a file, and .%s is no TLD: %s", last, cure)
		}
	}
	return nil
}

func isTLD(label string) bool {
	_, icann := publicsuffix.PublicSuffix(label)
	return icann
}

// Empty reports whether nothing was added.
func (s *Spec) Empty() bool { return len(s.args) == 0 }

// Files returns the paths of the files, each once, in the order in which they
// were added.
func (s *Spec) Files() []string {
	var files []string
	seen := make(map[string]bool)
	for _, a := range s.args {
		if a.file != "" && !seen[a.file] {
			seen[a.file] = true
			files = append(files, a.file)
		}
	}
	return files
}

// Load reads the files and returns all names in canonical form, each once, in
// the order of their first appearance. An error names the file and, for a
// broken line, its number; a missing, unreadable or empty file is one, and so
// is a file with any broken line: half a list would protect half of the names
// in silence.
func (s *Spec) Load() ([]string, error) {
	var l list
	for _, a := range s.args {
		if a.file == "" {
			l.add(a.name)
			continue
		}
		if err := l.readFile(a.file); err != nil {
			return nil, fmt.Errorf("%s: %w", a.where, err)
		}
	}
	return l.names, nil
}

// Where says which line of the Corefile or of a file gives a name that Load
// returned, for messages about that name. It is empty where none does, and
// reads the files again.
func (s *Spec) Where(name string) string {
	for _, a := range s.args {
		if a.name == name && name != "" {
			return a.where
		}
		if a.file != "" {
			if where := find(a.file, name); where != "" {
				return where
			}
		}
	}
	return ""
}
