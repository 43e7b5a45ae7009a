package lists

import (
	"path/filepath"
	"testing"
)

// TestSubscribe changes the lists of two directives, of which each is told.
func TestSubscribe(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "first.txt"), filepath.Join(dir, "second.txt")
	allow := filepath.Join(dir, "allow.txt")
	write(t, first, "army.mil\n")
	write(t, second, "example.com\n")
	write(t, allow, "")
	all := start(t, Config{TLDs: []string{"ml"}, Protect: spec(t, first), Allow: spec(t, allow)},
		Config{TLDs: []string{"cm"}, Protect: spec(t, second)})
	told := [...]chan struct{}{make(chan struct{}, 1), make(chan struct{}, 1)}
	var cancel [2]func()
	for i, l := range all {
		cancel[i] = l.Subscribe(told[i])
	}

	for _, step := range []struct {
		name           string
		list           *list
		file, contents string
		want           [2]bool
	}{
		{"an exception", &all[0].allow, allow, "army.ml\n", [2]bool{true, false}},
		{"a name, which the other spares", &all[0].protect, first, "army.mil\nnavy.mil\n", [2]bool{true, true}},
		{"a name of the other", &all[1].protect, second, "example.com\nexample.org\n", [2]bool{true, true}},
		{"a broken list", &all[0].protect, first, "..\n", [2]bool{false, false}},
	} {
		write(t, step.file, step.contents)
		_ = reloadList(step.list) // the broken one fails
		for i, c := range told {
			got := len(c) > 0
			if got {
				<-c
			}
			if got != step.want[i] {
				t.Errorf("%s: directive %d is told: %v, want %v", step.name, i, got, step.want[i])
			}
		}
	}

	cancel[0]()
	for range 3 { // the second time there is no room, and nobody waits
		write(t, first, "army.mil\n")
		if err := reloadList(&all[0].protect); err != nil {
			t.Fatal(err)
		}
	}
	if len(told[0]) != 0 || len(told[1]) != 1 {
		t.Errorf("After cancel: %d and %d tidings", len(told[0]), len(told[1]))
	}
}
