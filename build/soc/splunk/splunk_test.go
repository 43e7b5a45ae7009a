// Package splunk tests the add-on for Splunk on records that a running server has
// written. Splunk itself does not run in the tests.
package splunk

import (
	"encoding/csv"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lookalike-dns/lookalike/build/soc/soctest"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

const app = "TA-lookalike"

// conf is a file of settings: stanza, key, value.
type conf map[string]map[string]string

var (
	stanzaLine  = regexp.MustCompile(`^\[([^\[\]]*)\]$`)
	settingLine = regexp.MustCompile(`^([A-Za-z][\w.-]*) = (\S.*)$`)
)

// parse reads settings strictly: Splunk ignores what it does not understand.
func parse(text string) (conf, error) {
	all := make(conf)
	var at map[string]string
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if m := stanzaLine.FindStringSubmatch(line); m != nil {
			if all[m[1]] != nil {
				return nil, fmt.Errorf("line %d: stanza [%s] stands twice", i+1, m[1])
			}
			at = make(map[string]string)
			all[m[1]] = at
			continue
		}
		m := settingLine.FindStringSubmatch(line)
		if m == nil || at == nil || strings.TrimRight(line, " \t\\") != line {
			return nil, fmt.Errorf("line %d: %q is no setting in a stanza", i+1, line)
		}
		if _, taken := at[m[1]]; taken {
			return nil, fmt.Errorf("line %d: %s stands twice", i+1, m[1])
		}
		at[m[1]] = m[2]
	}
	return all, nil
}

// read returns a file of settings of the add-on.
func read(t *testing.T, path string) conf {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(app, path))
	if err != nil {
		t.Fatal(err)
	}
	c, err := parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return c
}

func TestParse(t *testing.T) {
	tests := []struct{ text, wrong string }{
		{"# words\n[a b]\nkey = value = more\n\n[]\nEVAL-x.y = 1\n", ""},
		{"key = value\n", "line 1"},
		{"[a]\nkey\n", "line 2"},
		{"[a]\nkey=value\n", "line 2"},
		{"[a]\nkey = value \n", "line 2"},
		{"[a]\nkey = value \\\n", "line 2"},
		{"[a]\n[a]\n", "stanza [a] stands twice"},
		{"[a]\nkey = 1\nkey = 2\n", "key stands twice"},
		{"[a\nkey = 1\n", "line 1"},
	}
	for _, tc := range tests {
		_, err := parse(tc.text)
		if (err != nil) != (tc.wrong != "") || err != nil && !strings.Contains(err.Error(), tc.wrong) {
			t.Errorf("parse(%q): got %v, want %q", tc.text, err, tc.wrong)
		}
	}
}

// settings are those that each file may have.
var settings = map[string]string{
	"default/app.conf":           `is_configured|id|check_for_updates|is_visible|label|author|description|version`,
	"default/macros.conf":        `definition|iseval`,
	"default/props.conf":         `CHARSET|SHOULD_LINEMERGE|LINE_BREAKER|TRUNCATE|TIME_PREFIX|TIME_FORMAT|TZ|MAX_TIMESTAMP_LOOKAHEAD|KV_MODE|(TRANSFORMS|FIELDALIAS|LOOKUP)-lookalike_[a-z]+|EVAL-[a-z_]+`,
	"default/transforms.conf":    `REGEX|FORMAT|DEST_KEY|filename`,
	"default/eventtypes.conf":    `search`,
	"default/tags.conf":          `ids|attack|network|resolution|dns`,
	"default/savedsearches.conf": `description|search|dispatch\.(earliest|latest)_time|cron_schedule|enableSched|counttype|relation|quantity|alert\.(track|digest_mode|severity)`,
	"metadata/default.meta":      `access|export`,
}

// TestSettings holds that the add-on has these files, and they no other settings.
func TestSettings(t *testing.T) {
	for path, known := range settings {
		whole := regexp.MustCompile("^(" + known + ")$")
		for stanza, keys := range read(t, path) {
			for key := range keys {
				if !whole.MatchString(key) {
					t.Errorf("%s [%s]: unknown setting %s", path, stanza, key)
				}
			}
		}
	}
	files, err := filepath.Glob(app + "/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if name := strings.TrimPrefix(file, app+"/"); settings[name] == "" && filepath.Ext(name) != ".csv" {
			t.Errorf("Unexpected file %s", name)
		}
	}
}

// flatten adds the fields of an object as KV_MODE=json names them: what stands
// in an array has {} behind the array's name.
func flatten(path string, v any, into soctest.Record) {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			flatten(strings.TrimPrefix(path+"."+name, "."), child, into)
		}
	case []any:
		for _, child := range v {
			flatten(path+"{}", child, into)
		}
	case float64:
		into[path] = append(into[path], fmt.Sprintf("%.0f", v))
	default:
		into[path] = append(into[path], fmt.Sprint(v))
	}
}

// events are the records of the sample as Splunk sees them, by event.id.
var events = sync.OnceValue(func() map[string]soctest.Record {
	all := make(map[string]soctest.Record)
	for _, o := range soctest.Objects() {
		r := make(soctest.Record)
		flatten("", o, r)
		all[r["event.id"][0]] = r
	}
	return all
})

// isField has the names of all fields of the events.
var isField = sync.OnceValue(func() map[string]bool {
	names := make(map[string]bool)
	for _, r := range events() {
		for name := range r {
			names[name] = true
		}
	}
	return names
})

// TestFields holds that each alias, lookup and calculated field is made of fields
// that there are, and that the fields that CIM wants are all there.
func TestFields(t *testing.T) {
	props, fields, made := read(t, "default/props.conf")["lookalike:alert:ecs"], isField(), make(map[string]bool)
	add := func(key, name string) {
		if made[name] || fields[name] {
			t.Errorf("%s makes the field %s, which there is already", key, name)
		}
		made[name] = true
	}
	for key, v := range props {
		words := strings.Fields(v)
		switch kind, name, _ := strings.Cut(key, "-"); kind {
		case "FIELDALIAS":
			for ; len(words) >= 3 && words[1] == "AS"; words = words[3:] {
				if !fields[words[0]] {
					t.Errorf("%s: no event has the field %s", key, words[0])
				}
				add(key, words[2])
			}
			if len(words) > 0 {
				t.Errorf("%s: want FIELD AS FIELD, got %q", key, words)
			}
		case "EVAL":
			for _, m := range regexp.MustCompile(`'([^']*)'`).FindAllStringSubmatch(v, -1) {
				if !fields[m[1]] {
					t.Errorf("%s: no event has the field %s", key, m[1])
				}
			}
			add(key, name)
		}
	}
	for key, v := range props {
		if !strings.HasPrefix(key, "LOOKUP-") {
			continue
		}
		words := strings.Fields(v)
		if len(words) != 4 || words[2] != "OUTPUT" || !made[words[1]] {
			t.Fatalf("%s: got %q, want TABLE ALIAS OUTPUT FIELD", key, v)
		}
		if head := table(t, words[0])[0]; !slices.Equal(head, []string{words[1], words[3]}) {
			t.Errorf("%s: the table has the columns %q", key, head)
		}
		add(key, words[3])
	}
	const cim = "answer dest dest_port message_type query query_type record_type reply_code reply_code_id src src_port transaction_id transport vendor_product " + // Network_Resolution
		"action category dvc ids_type severity signature signature_id src_user" // Intrusion_Detection
	for name := range strings.FieldsSeq(cim) {
		if !made[name] {
			t.Errorf("No event gets the field %s of CIM", name)
		}
	}
}

// table returns the rows of a lookup, the names of its columns first.
func table(t *testing.T, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join(app, "lookups", read(t, "default/transforms.conf")[name]["filename"]))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("Got %d rows in %s: %v", len(rows), name, err)
	}
	return rows
}

// TestTables holds that the lookups have a row for each value, and for actions no
// other and the right one.
func TestTables(t *testing.T) {
	actions := make(map[string]string)
	for _, row := range table(t, "lookalike_actions")[1:] {
		actions[row[0]] = row[1]
	}
	want := map[string]string{record.Monitor.String(): "allowed"}
	for _, a := range record.Actions() {
		if a.Blocks() {
			want[a.String()] = "blocked"
		}
	}
	if !maps.Equal(actions, want) {
		t.Errorf("Got actions %v, want %v", actions, want)
	}
	for name, field := range map[string]string{"lookalike_rcodes": "dns.response_code", "lookalike_message_types": "dns.type", "lookalike_severities": "event.severity"} {
		rows := table(t, name)
		for _, v := range soctest.Values(soctest.ECS(), field) {
			if !slices.ContainsFunc(rows, func(row []string) bool { return row[0] == v }) {
				t.Errorf("%s has no row for %s", name, v)
			}
		}
	}
}

// TestSyslogHeader holds that what is left of a message of syslog is the record.
func TestSyslogHeader(t *testing.T) {
	header := regexp.MustCompile(read(t, "default/transforms.conf")["lookalike_syslog_header"]["REGEX"])
	const rec = `{"@timestamp":"2026-11-23T08:45:00.000Z","message":"a {\"b\":1}"}`
	tests := []struct{ event, want string }{
		{"<163>1 2026-11-23T08:45:00.000Z ns1.example.org lookalike 4711 army - " + rec, rec},
		{"<163>1 2026-11-23T08:45:00.000Z ns1.example.org lookalike 4711 army - " + rec + "\r", rec},
		{rec, ""},
		{"words " + rec, ""},
	}
	for _, tc := range tests {
		got := ""
		if m := header.FindStringSubmatch(tc.event); m != nil {
			got = m[1]
		}
		if got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.event, got, tc.want)
		}
	}
}

// leaf is FIELD=VALUE of a search, or a macro.
var leaf = regexp.MustCompile("^([\\w.{}]+=[^\\s()=]+|`[a-z_]+`)")

// ours is what every search begins with, or limits its time by.
var ours = regexp.MustCompile("^(`lookalike_index`|sourcetype=lookalike:alert:ecs|_index_(earliest|latest)=\\S+)$")

// finds evaluates a search, up to its first pipe, on an event.
func finds(search string, event soctest.Record) (bool, error) {
	filter, _, _ := strings.Cut(search, " | ")
	fields := isField()
	return soctest.Condition(filter, leaf, func(text string) (bool, error) {
		field, value, _ := strings.Cut(text, "=")
		switch {
		case ours.MatchString(text):
			return true, nil
		case !fields[field]:
			return false, fmt.Errorf("no event has the field %s", field)
		}
		return event.Matches(field, value), nil
	})
}

// TestSearches evaluates each search on the sample, and holds that it shows and
// counts fields that there are.
func TestSearches(t *testing.T) {
	searches, all, fields := read(t, "default/savedsearches.conf"), events(), isField()
	dotted := regexp.MustCompile(`[a-z_]+(\.[a-z_]+)+(\{\}(\.[a-z_]+)?)?`)
	for stanza, s := range searches {
		name, ok := strings.CutPrefix(stanza, "lookalike: ")
		if !ok || s["description"] == "" || s["enableSched"] == "1" {
			t.Errorf("[%s]: want a name that begins with lookalike, a description, and no schedule", stanza)
		}
		_, pipe, _ := strings.Cut(s["search"], " | ")
		for _, field := range dotted.FindAllString(pipe, -1) {
			if !fields[field] {
				t.Errorf("[%s]: no event has the field %s", stanza, field)
			}
		}
		if name == "gaps" { // about all records
			continue
		}
		t.Run(name, func(t *testing.T) {
			soctest.Finds(t, name, func(r soctest.Record) (bool, error) { return finds(s["search"], all[r["event.id"][0]]) })
		})
	}
	for _, name := range append(soctest.Situations(), "gaps") {
		if searches["lookalike: "+name] == nil {
			t.Errorf("There is no search for %s", name)
		}
	}
	if read(t, "default/macros.conf")["lookalike_index"] == nil {
		t.Error("There is no macro lookalike_index")
	}
}

// TestEventTypes holds that the event types find alerts and queries, that tests
// are neither, and that each event type has tags.
func TestEventTypes(t *testing.T) {
	tags := read(t, "default/tags.conf")
	for name, s := range read(t, "default/eventtypes.conf") {
		found := 0
		for _, e := range events() {
			ok, err := finds(s["search"], e)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if ok {
				found++
			}
			if ok && (e.Has("lookalike.phase", "test") || e.Has("lookalike.phase", "query") || e.Has("lookalike.phase", "lost")) {
				t.Errorf("%s finds a record with the phase %s", name, e["lookalike.phase"])
			}
		}
		if found < 10 || len(tags["eventtype="+name]) == 0 {
			t.Errorf("%s finds %d events, and has the tags %v", name, found, tags["eventtype="+name])
		}
	}
}
