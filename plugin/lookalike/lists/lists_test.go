package lists

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/lookalike-dns/lookalike/plugin/internal/directive"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/names"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

func init() { clog.Discard() }

func write(t *testing.T, file, contents string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(contents), 0o600); err != nil {
		t.Fatal(err)
	}
}

// spec returns what a line with these arguments says.
func spec(t *testing.T, args ...string) (s names.Spec) {
	t.Helper()
	s.Exceptions = true
	for _, arg := range args {
		if err := s.Add(arg, "Corefile:1"); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// start returns lists of a server that runs.
func start(t *testing.T, configs ...Config) []*Lists {
	t.Helper()
	var all []*Lists
	for _, c := range configs {
		c.Protect.Exceptions = false
		c.Where, c.Block = "Corefile:1", t.Name()
		l := New(c)
		if err := l.Load(); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	Join(all...)
	for _, l := range all {
		l.Start()
		t.Cleanup(l.Stop)
	}
	Publish(all...)
	return all
}

// reloadList does what a list's watcher does when its files have changed.
func reloadList(l *list) error {
	source := reloading{l}
	source.Stale()
	use, err := source.Read()
	if err != nil {
		source.Failed(err)
		return err
	}
	use()
	return nil
}

// TestListReload changes the two lists of a directive, one at a time. Each is
// taken or kept without regard to the other.
func TestListReload(t *testing.T) {
	dir := t.TempDir()
	protect, allow := filepath.Join(dir, "protect.txt"), filepath.Join(dir, "allow.txt")
	more := filepath.Join(dir, "more.txt")
	write(t, protect, "army.mil\n")
	write(t, allow, "mail.army.ml\n")
	write(t, more, "# none\n")
	l := start(t, Config{TLDs: []string{"ml"}, Protect: spec(t, protect), Allow: spec(t, allow, more)})[0]
	candidates := []string{"army.ml.", "mail.army.ml.", "navy.ml.", "partner.ml."}

	steps := []struct {
		name           string
		list           *list
		file, contents string
		wantErr        string   // with the file before it
		blocked        []string // of the candidates
	}{
		{"as loaded", nil, "", "", "", []string{"army.ml."}},
		{"another name", &l.protect, protect, "army.mil\nnavy.mil\n", "", []string{"army.ml.", "navy.ml."}},
		{"a broken list changes nothing", &l.protect, protect, "navy..mil\n", ":1: ", []string{"army.ml.", "navy.ml."}},
		{"half a list changes nothing", &l.protect, protect, "army.mil\nnav", ":2: ", []string{"army.ml.", "navy.ml."}},
		{"an empty list changes nothing", &l.protect, protect, "#\n", ": has no names", []string{"army.ml.", "navy.ml."}},
		{"a broken exception", &l.allow, allow, "mail.army.ml\npartner,ml\n", ":2: ", []string{"army.ml.", "navy.ml."}},
		{"beside it a name is taken off", &l.protect, protect, "navy.mil\n", "", []string{"navy.ml."}},
		{"beside it one is added", &l.protect, protect, "navy.mil\narmy.mil\n", "", []string{"army.ml.", "navy.ml."}},
		{"an exception", &l.allow, allow, "navy.ml\n", "", []string{"army.ml.", "mail.army.ml."}},
		{"no exception", &l.allow, allow, "# none any more\n", "", []string{"army.ml.", "mail.army.ml.", "navy.ml."}},
		{"an exception in another file", &l.allow, more, "army.ml", "", []string{"navy.ml."}},
		{"an empty file of exceptions", &l.allow, more, "", "", []string{"army.ml.", "mail.army.ml.", "navy.ml."}},
		{"a broken list of names", &l.protect, protect, "*.*\n", ":1: ", []string{"army.ml.", "mail.army.ml.", "navy.ml."}},
		{"beside it an exception", &l.allow, allow, "army.ml\n", "", []string{"navy.ml."}},
		{"a whole TLD", &l.protect, protect, "*.mil\n", "", []string{"navy.ml.", "partner.ml."}},
	}
	current := map[string]float64{"protect": 1, "allow": 1}
	for _, step := range steps {
		if step.list != nil {
			write(t, step.file, step.contents)
			err := reloadList(step.list)
			current[step.list.name] = 1
			if step.wantErr != "" {
				current[step.list.name] = 0
			}
			if (err != nil) != (step.wantErr != "") || err != nil && !strings.Contains(err.Error(), step.file+step.wantErr) {
				t.Errorf("%s: Expected an error with %q, got: %v", step.name, step.file+step.wantErr, err)
			}
		}
		for _, qname := range candidates {
			blocked := slices.Contains(step.blocked, qname)
			f := l.Find(qname, false)
			if got := f != nil && f.Verdict.Confidence == detect.High && !f.Listed; got != blocked {
				t.Errorf("%s: Expected %s blocked to be %v, got %v", step.name, qname, blocked, got)
			}
		}
		got := make(map[string]float64)
		for name := range current {
			got[name] = testutil.ToFloat64(listCurrent.WithLabelValues(l.Block, name))
		}
		if n := testutil.ToFloat64(allowedNames.WithLabelValues(l.Block)); n != float64(l.current.Load().allow.Len()) {
			t.Errorf("%s: Expected allowed_names to be %d, got %v", step.name, l.current.Load().allow.Len(), n)
		}
		if !maps.Equal(got, current) {
			t.Errorf("%s: Expected list_current to be %v, got %v", step.name, current, got)
		}
	}
}

// TestListCurrentOfBlock: one directive whose list is not its file is enough.
func TestListCurrentOfBlock(t *testing.T) {
	good, bad := filepath.Join(t.TempDir(), "good.txt"), filepath.Join(t.TempDir(), "bad.txt")
	write(t, good, "army.mil\n")
	write(t, bad, "army.mil\n")
	all := start(t, Config{TLDs: []string{"ml"}, Protect: spec(t, bad)}, Config{TLDs: []string{"cm"}, Protect: spec(t, good)})
	write(t, bad, "*")
	_ = reloadList(&all[0].protect)
	if err := reloadList(&all[1].protect); err != nil {
		t.Fatal(err)
	}
	if got := testutil.ToFloat64(listCurrent.WithLabelValues(all[0].Block, "protect")); got != 0 {
		t.Errorf("Expected list_current to be 0, got %v", got)
	}
	write(t, bad, "army.mil\n")
	if err := reloadList(&all[0].protect); err != nil {
		t.Fatal(err)
	}
	if got := testutil.ToFloat64(listCurrent.WithLabelValues(all[0].Block, "protect")); got != 1 {
		t.Errorf("Expected list_current to be 1, got %v", got)
	}
}

// TestLimitsAreShown has names that are too long for two slips, in two
// directives of one server block, and takes one off.
func TestLimitsAreShown(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list.txt")
	long := strings.Repeat("a", 33) + ".mil\n"
	write(t, list, "army.mil\n"+long)
	all := start(t, Config{TLDs: []string{"ml"}, Protect: spec(t, list)}, Config{TLDs: []string{"cm"}, Protect: spec(t, list)})
	block := all[0].Block
	for _, step := range []struct {
		contents       string
		names, without float64
	}{
		{"army.mil\n" + long, 4, 2},
		{"army.mil\nnavy.mil\n", 4, 1},
		{"army.mil\nb" + long + long, 5, 3},
	} {
		write(t, list, step.contents)
		if err := reloadList(&all[0].protect); err != nil {
			t.Fatal(err)
		}
		names, without := testutil.ToFloat64(protectedNames.WithLabelValues(block)), testutil.ToFloat64(withoutDoubleTypo.WithLabelValues(block))
		if names != step.names || without != step.without {
			t.Errorf("Expected %v names, %v of them without double-typo, got %v and %v", step.names, step.without, names, without)
		}
	}
}

// rules are the lines of a block behind an allow file.
func rules(lines ...string) (all []directive.Line) {
	for _, line := range lines {
		words := strings.Fields(line)
		all = append(all, directive.Line{Name: words[0], Args: words[1:], Where: "Corefile:3"})
	}
	return all
}
