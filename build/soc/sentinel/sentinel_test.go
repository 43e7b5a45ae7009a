// Package sentinel tests the content for Microsoft Sentinel as far as that goes
// without a workspace. TestKQL in test/ has Microsoft's language service read the
// queries.
package sentinel

import (
	"encoding/csv"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lookalike-dns/lookalike/build/soc/soctest"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
)

// parser is a parser of the Advanced Security Information Model (ASIM).
type parser struct {
	Parser struct {
		Title       string `yaml:"Title"`
		Version     string `yaml:"Version"`
		LastUpdated string `yaml:"LastUpdated"`
	} `yaml:"Parser"`
	Product struct {
		Name string `yaml:"Name"`
	} `yaml:"Product"`
	Normalization struct {
		Schema  string `yaml:"Schema"`
		Version string `yaml:"Version"`
	} `yaml:"Normalization"`
	References []struct {
		Title string `yaml:"Title"`
		Link  string `yaml:"Link"`
	} `yaml:"References"`
	Description string      `yaml:"Description"`
	Name        string      `yaml:"ParserName"`
	Equivalent  string      `yaml:"EquivalentBuiltInParser"`
	Params      []parameter `yaml:"ParserParams"`
	Query       string      `yaml:"ParserQuery"`
}

// parameter is one of a parser.
type parameter struct {
	Name    string `yaml:"Name"`
	Type    string `yaml:"Type"`
	Default string `yaml:"Default"`
}

// rule is an analytic rule.
type rule struct {
	ID, Name, Description, Severity string
	RequiredDataConnectors          []struct {
		ConnectorID string   `yaml:"connectorId"`
		DataTypes   []string `yaml:"dataTypes"`
	} `yaml:"requiredDataConnectors"`
	QueryFrequency     string `yaml:"queryFrequency"`
	QueryPeriod        string `yaml:"queryPeriod"`
	TriggerOperator    string `yaml:"triggerOperator"`
	TriggerThreshold   *int   `yaml:"triggerThreshold"`
	Tactics            []string
	RelevantTechniques []string `yaml:"relevantTechniques"`
	Query              string
	EntityMappings     []entity `yaml:"entityMappings"`
	Version, Kind      string
}

// entity tells in which columns an entity is.
type entity struct {
	EntityType    string  `yaml:"entityType" json:"entityType"`
	FieldMappings []field `yaml:"fieldMappings" json:"fieldMappings"`
}

type field struct {
	Identifier string `yaml:"identifier" json:"identifier"`
	ColumnName string `yaml:"columnName" json:"columnName"`
}

// read decodes the files of a directory by their names, strictly.
func read[T any](t *testing.T, dir string) map[string]T {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("No files in %s: %v", dir, err)
	}
	all := make(map[string]T)
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		d := yaml.NewDecoder(f)
		d.KnownFields(true)
		var v T
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".yaml")] = v
	}
	return all
}

// TestParsers holds what ASIM asks of the parsers of a source.
func TestParsers(t *testing.T) {
	parsers := read[parser](t, "parsers")
	for name, p := range parsers {
		if p.Name != name || p.Normalization.Schema != "Dns" || p.Normalization.Version != "0.1.7" || p.Description == "" || len(p.References) == 0 || p.Parser.Version == "" {
			t.Errorf("%s: got %+v", name, p)
		}
	}
	want := []parameter{
		{"starttime", "datetime", "datetime(null)"},
		{"endtime", "datetime", "datetime(null)"},
		{"srcipaddr", "string", "*"},
		{"domain_has_any", "dynamic", "dynamic([])"},
		{"responsecodename", "string", "*"},
		{"response_has_ipv4", "string", "*"},
		{"response_has_any_prefix", "dynamic", "dynamic([])"},
		{"eventtype", "string", "Query"},
		{"disabled", "bool", "false"},
	}
	if got := parsers["vimDnsLookalike"].Params; !slices.Equal(got, want) {
		t.Errorf("Got the parameters %v, want %v", got, want)
	}
	if got := parsers["ASimDnsLookalike"].Params; !slices.Equal(got, want[len(want)-1:]) {
		t.Errorf("Got the parameters %v, want disabled", got)
	}
	query := parsers["vimDnsLookalike"].Query
	for _, p := range want {
		if strings.Count(query, p.Name+" = "+p.Name) != 1 || !strings.Contains(query, p.Name+": "+p.Type+" = ") {
			t.Errorf("The query does not pass %s on", p.Name)
		}
	}
	for column := range strings.FieldsSeq("EventCount EventStartTime EventEndTime EventType EventSubType EventResult EventResultDetails EventProduct EventVendor " +
		"EventSchema EventSchemaVersion Dvc SrcIpAddr DnsQuery DnsQueryTypeName DnsResponseCodeName DvcAction RuleName ThreatCategory Domain IpAddr Src Rule") {
		if !projects(query, column) {
			t.Errorf("The parser has no column %s", column)
		}
	}
}

// projects reports whether a query makes a column.
func projects(query, column string) bool {
	return regexp.MustCompile(`(?m)(^|[ ,])` + regexp.QuoteMeta(column) + `( =|,?$)`).MatchString(query)
}

// TestColumns holds that each column of the table that a query uses is one that
// the alerts fill, and that the list has no other.
func TestColumns(t *testing.T) {
	f, err := os.Open("testdata/columns.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, p := range read[parser](t, "parsers") {
		all += p.Query
	}
	for _, r := range read[rule](t, "rules") {
		all += r.Query
	}
	paths := soctest.Paths(soctest.CEF())
	for _, row := range rows[1:] {
		if row[0] != "-" && !slices.Contains(paths, row[0]) {
			t.Errorf("No alert has the key %s of the column %s", row[0], row[1])
		}
		if !regexp.MustCompile(`\b` + row[1] + `\b`).MatchString(all) {
			t.Errorf("No query uses the column %s", row[1])
		}
	}
}

// rows returns the rows of a datatable in a query, without their quotes.
func rows(query, name string, columns int) map[string][]string {
	_, table, _ := strings.Cut(query, "let "+name+" = datatable(")
	_, table, _ = strings.Cut(table, "[")
	table, _, _ = strings.Cut(table, "]")
	values := regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(table, -1)
	all := make(map[string][]string)
	for row := range slices.Chunk(values, columns) {
		var cells []string
		for _, cell := range row[1:] {
			cells = append(cells, cell[1])
		}
		all[row[0][1]] = cells
	}
	return all
}

// TestTables holds that the parser knows each action and severity.
func TestTables(t *testing.T) {
	query := read[parser](t, "parsers")["vimDnsLookalike"].Query
	got, want := rows(query, "Actions", 4), make(map[string][]string)
	answers := map[record.Action][]string{
		record.Monitor: {"NA", "NA"}, record.NXDomain: {"Failure", "NXDOMAIN"}, record.NoData: {"Success", "NOERROR"}, record.NullMX: {"Success", "NOERROR"},
		record.Sinkhole: {"Success", "NOERROR"}, record.Refused: {"Failure", "REFUSED"}, record.Servfail: {"Failure", "SERVFAIL"}, record.Drop: {"Failure", "NA"},
	}
	for _, a := range record.Actions() {
		if a == record.Off { // has no alerts
			continue
		}
		action := "Allowed"
		if a.Blocks() {
			action = "Blocked"
		}
		want[a.String()] = append([]string{action}, answers[a]...)
	}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("Got actions %v, want %v", got, want)
	}
	severities := rows(query, "Severities", 2)
	for _, v := range soctest.Values(soctest.CEF(), "Severity") {
		if len(severities[v]) == 0 {
			t.Errorf("The parser does not know the severity %s", v)
		}
	}
}

// TestRules holds that the rules are complete, that their queries speak of values
// that alerts have, and that entities are in columns that there are.
func TestRules(t *testing.T) {
	rules, parsed := read[rule](t, "rules"), read[parser](t, "parsers")["vimDnsLookalike"].Query
	if got, want := slices.Sorted(maps.Keys(rules)), soctest.Situations(); !slices.Equal(got, want) {
		t.Errorf("Got rules for %q, want %q", got, want)
	}
	guid := regexp.MustCompile(`^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$`)
	values := make(map[string]bool)
	for _, r := range soctest.CEF() {
		for path := range r {
			for _, v := range r[path] {
				values[v] = true
			}
		}
	}
	for _, v := range []string{"Blocked", "High"} { // made by the parser
		values[v] = true
	}
	for name, r := range rules {
		if !guid.MatchString(r.ID) || r.Name == "" || r.Description == "" || !slices.Contains([]string{"Low", "Medium", "High"}, r.Severity) || r.Version == "" || r.Kind != "Scheduled" {
			t.Errorf("%s: got %+v", name, r)
		}
		if r.TriggerOperator != "gt" || r.TriggerThreshold == nil || *r.TriggerThreshold != 0 || len(r.Tactics) == 0 || len(r.RelevantTechniques) == 0 || len(r.EntityMappings) == 0 {
			t.Errorf("%s: got %+v", name, r)
		}
		if len(r.RequiredDataConnectors) != 1 || !slices.Equal(r.RequiredDataConnectors[0].DataTypes, []string{"CommonSecurityLog"}) {
			t.Errorf("%s: got data connectors %v", name, r.RequiredDataConnectors)
		}
		if !strings.Contains(r.Query, " > ago("+r.QueryFrequency+")") {
			t.Errorf("%s looks at other alerts than those that came since it last ran, %s before", name, r.QueryFrequency)
		}
		for _, m := range regexp.MustCompile(`(==|has) "([^"]+)"`).FindAllStringSubmatch(r.Query, -1) {
			if !values[m[2]] {
				t.Errorf("%s: no alert has the value %q", name, m[2])
			}
		}
		for _, e := range r.EntityMappings {
			for _, f := range e.FieldMappings {
				if !projects(r.Query, f.ColumnName) && (!strings.Contains(r.Query, "ASimDnsLookalike()") || strings.Contains(r.Query, "| summarize ") || !projects(parsed, f.ColumnName)) {
					t.Errorf("%s: there is no column %s", name, f.ColumnName)
				}
			}
		}
	}
	const ended = "; the exception for "
	if !strings.Contains(rules["exception_ended"].Query, `"`+ended+`"`) || !slices.ContainsFunc(soctest.ECS(), func(r soctest.Record) bool {
		return len(r["lookalike.exception.name"]) > 0 && strings.Contains(r["message"][0], ended)
	}) {
		t.Errorf("Want a rule and a message with %q", ended)
	}
}

// TestIDs holds that no two rules of the SOC's content have the same id.
func TestIDs(t *testing.T) {
	uuid := regexp.MustCompile(`[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}`)
	found := make(map[string]string)
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !slices.Contains([]string{".yml", ".yaml", ".ndjson"}, filepath.Ext(path)) {
			return err
		}
		text, err := os.ReadFile(filepath.Join("..", path))
		for _, id := range uuid.FindAllString(string(text), -1) {
			if found[id] != "" {
				t.Errorf("%s has the id %s of %s", path, id, found[id])
			}
			found[id] = path
		}
		return err
	})
	if err != nil || len(found) < 3*len(soctest.Situations()) {
		t.Errorf("Got %d ids: %v", len(found), err)
	}
}
