package names

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/exception"
)

// Spec is what the protect or the allow lines of one directive say: names and
// files of names. The zero value is empty. A Spec is not safe for concurrent
// use while Add is called; Load may be called at any time after.
type Spec struct {
	// Root is the directory that relative file names start from, as the root
	// plugin sets it; empty is the working directory.
	Root string
	// Exceptions says that these are the names that are left alone. Having none
	// is in order, so a file may be empty; the built-in list is not for them.
	Exceptions bool
	// Rules are those for the entries of the files that are added from now on; nil:
	// there are none.
	Rules *exception.Rules

	args []arg
}

// arg is one argument: a name, a file or the built-in list.
type arg struct {
	where   string // in the Corefile
	name    string // canonical, or empty
	file    string // path, or empty
	rules   *exception.Rules
	builtIn bool
}

// builtIn is how a Corefile calls the list that Default returns.
const builtIn = "@mil"

// Add adds one argument that stands at where, such as "Corefile:12". An
// argument with a slash in it is a file, which Load reads; @mil is the built-in
// list; any other is a name.
func (s *Spec) Add(text, where string) error {
	a, err := s.parse(text)
	if err != nil {
		return newError(where, text, err)
	}
	a.where = where
	s.args = append(s.args, a)
	return nil
}

func (s *Spec) parse(text string) (arg, error) {
	switch {
	case strings.HasPrefix(text, "@") && !strings.HasPrefix(text, "@@"):
		return arg{builtIn: true}, s.checkBuiltIn(text)
	case isPath(text):
		if s.Root != "" && !filepath.IsAbs(text) {
			text = filepath.Join(s.Root, text)
		}
		return arg{file: text, rules: s.Rules}, nil
	}
	if err := s.notFile(text); err != nil {
		return arg{}, err
	}
	if s.Rules != nil {
		return arg{}, errors.New("a name in the Corefile cannot have the words that the block requires: write it into a file, or remove the block")
	}
	name, err := Parse(text)
	if err != nil {
		if foreign := checkForeign(text); foreign != nil {
			err = foreign
		}
		return arg{}, err
	}
	return arg{name: name}, nil
}

func (s *Spec) checkBuiltIn(text string) error {
	switch {
	case text != builtIn:
		return fmt.Errorf("no built-in list: the only one is %s", builtIn)
	case s.Exceptions:
		return errors.New("a list of names to protect cannot be allowed: write it after protect")
	}
	return nil
}

// isPath reports whether an argument is a file: it has a slash, and is neither
// the address of a page nor a rule with slashes in it.
func isPath(text string) bool {
	return strings.ContainsRune(text, '/') && !strings.Contains(text, "://") && !strings.Contains(text, "=/") &&
		!strings.HasPrefix(text, "|") && !strings.HasPrefix(text, "@")
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
			return fmt.Errorf("looks like a file, and .%s is not a TLD: %s", last, cure)
		}
	}
	return nil
}

func isTLD(label string) bool {
	_, icann := publicsuffix.PublicSuffix(label)
	return icann
}

// RulesOf returns the rules for the entries of a file, and whether the file is
// among those that were added, by this path or another one.
func (s *Spec) RulesOf(file os.FileInfo) (rules *exception.Rules, added bool) {
	for _, a := range s.args {
		if a.file == "" {
			continue
		}
		if fi, err := os.Stat(a.file); err == nil && os.SameFile(fi, file) {
			return a.rules, true
		}
	}
	return nil, false
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
// broken line, its number. A file that is missing, unreadable or empty is an
// error, except that exceptions may be empty. So is a file with any broken
// line: half a list would silently protect half of the names.
func (s *Spec) Load() ([]string, error) {
	l := s.newList()
	if err := s.load(l); err != nil {
		return nil, err
	}
	return l.names, nil
}

func (s *Spec) newList() *list {
	if !s.Exceptions {
		return new(list)
	}
	return &list{exceptions: &exceptions{now: time.Now()}}
}

// LoadSet reads the files as Load does, and returns the set of the names, with
// the words behind them. At is the time for the rules of their files.
func (s *Spec) LoadSet(at time.Time) (*Set, error) {
	x := &exceptions{now: at}
	l := &list{exceptions: x}
	if err := s.load(l); err != nil {
		return nil, err
	}
	set := NewSet(l.names)
	set.addWords(x)
	return set, nil
}

// EachException reads the files as Load does, and hands over each entry, with
// those that list a name again. Its errors are those of Load; at is as in LoadSet.
func (s *Spec) EachException(at time.Time, visit func(*exception.Entry)) error {
	return s.load(&list{exceptions: &exceptions{now: at, each: visit}})
}

// Walk reads the files as Load does, and hands each name over with where it
// first appears: "Corefile:12", "/etc/lookalike/protect.txt:7", or BuiltIn. Its
// errors are those of Load; the names before a broken one have been visited.
func (s *Spec) Walk(visit func(name, where string)) error {
	l := s.newList()
	l.visit = visit
	return s.load(l)
}

// WalkFile reads one file of names as Walk does, and hands each name over with its
// file and line.
func WalkFile(path string, visit func(name, where string)) error {
	return (&list{visit: visit}).readFile(path)
}

func (s *Spec) load(l *list) error {
	for _, a := range s.args {
		switch {
		case a.builtIn:
			for _, name := range defaultNames() {
				l.offer(name, BuiltIn, 0)
			}
		case a.file == "" && l.exceptions != nil:
			if err := l.exceptions.take(l, a.name, "", a.where, 0); err != nil {
				return err
			}
		case a.file == "":
			l.offer(a.name, a.where, 0)
		default:
			if l.exceptions != nil {
				l.exceptions.rules = a.rules
			}
			if err := l.readFile(a.file); err != nil {
				return fmt.Errorf("%s: %w", a.where, err)
			}
		}
	}
	return nil
}

// BuiltIn is where the names of Default stand.
const BuiltIn = "built-in"

// HasBuiltIn reports whether the names of Default are among those of the Spec.
func (s *Spec) HasBuiltIn() bool {
	return slices.ContainsFunc(s.args, func(a arg) bool { return a.builtIn })
}

// Rest waits until no file has changed for a second, but not longer than limit.
// A file that is being written would be read by half.
func (s *Spec) Rest(limit time.Duration) {
	for deadline := time.Now().Add(limit); s.changedWithin(soon) && time.Now().Before(deadline); {
		time.Sleep(soon / 10)
	}
}

func (s *Spec) changedWithin(d time.Duration) bool {
	return slices.ContainsFunc(s.Files(), func(file string) bool {
		fi, err := os.Stat(file)
		if err != nil {
			return false
		}
		age := time.Since(fi.ModTime())
		return age >= 0 && age < d
	})
}

// Where says which line of the Corefile or of a file gives a name that Load
// returned, for messages about that name. It is empty where none does, and
// reads the files again.
func (s *Spec) Where(name string) string {
	for _, a := range s.args {
		if a.name == name && name != "" {
			return a.where
		}
		if a.builtIn && slices.Contains(defaultNames(), name) {
			return a.where + ": " + builtIn
		}
		if a.file != "" {
			if where := find(a.file, name); where != "" {
				return where
			}
		}
	}
	return ""
}
