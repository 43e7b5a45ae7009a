package names

import (
	"slices"
	"strings"
	"testing"
)

func TestDefault(t *testing.T) {
	got := Default()
	if len(got) < 150 {
		t.Errorf("The list has %d names, want 150 or more", len(got))
	}
	for _, name := range got {
		if canonical, err := Parse(name); err != nil || canonical != name {
			t.Errorf("Parse(%q) = %q, %v, want the name itself", name, canonical, err)
		}
		if !strings.HasSuffix(name, ".mil") {
			t.Errorf("%q is not below .mil", name)
		}
	}
	for name := range strings.FieldsSeq(`
		army.mil us.army.mil usace.army.mil navy.mil us.navy.mil af.mil us.af.mil spaceforce.mil
		marines.mil usmc.mil uscg.mil ng.mil mail.mil mail.smil.mil smil.mil health.mil pentagon.mil osd.mil
		jcs.mil centcom.mil eucom.mil africom.mil pacom.mil northcom.mil southcom.mil socom.mil stratcom.mil
		ustranscom.mil cybercom.mil spacecom.mil disa.mil dla.mil dia.mil nga.mil darpa.mil dtra.mil mda.mil
		dcsa.mil dcma.mil dcaa.mil dfas.mil deca.mil dha.mil dtic.mil erdc.dren.mil`) {
		if !slices.Contains(got, name) {
			t.Errorf("%q is missing", name)
		}
	}
	for name := range strings.FieldsSeq(`
		mil ai.mil app.mil apps.mil climate.mil cloud.mil code.mil cyber.mil data.mil forge.mil git.mil go.mil
		homes.mil login.mil move.mil people.mil portal.mil prevention.mil transport.mil web.mil`) {
		if slices.Contains(got, name) {
			t.Errorf("%q is a plain word that carries no mail, or guards too much", name)
		}
	}
	got[0] = "changed"
	if Default()[0] == "changed" {
		t.Error("Default hands out its own slice")
	}
}

// TestDefaultText holds the list to its form: groups of one owner under a
// comment, each in alphabetical order, no name twice.
func TestDefaultText(t *testing.T) {
	total, seen := 0, make(map[string]bool)
	for i, group := range strings.Split(strings.TrimSpace(defaultText), "\n\n") {
		var names []string
		comment := false
		for line := range strings.SplitSeq(group, "\n") {
			switch {
			case strings.HasPrefix(line, "#"):
				comment = true
				if len(names) > 0 {
					t.Errorf("Group %d: a comment below names: %q", i, line)
				}
			case seen[line]:
				t.Errorf("%q stands there twice", line)
			default:
				seen[line] = true
				names = append(names, line)
			}
		}
		if !comment {
			t.Errorf("Group %d (%q) says not whose names they are", i, names)
		}
		if !slices.IsSorted(names) {
			t.Errorf("Group %d (%q) is not sorted", i, names)
		}
		total += len(names)
	}
	if want := len(Default()); total != want {
		t.Errorf("The text has %d names, Default %d", total, want)
	}
}
