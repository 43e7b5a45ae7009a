//go:build e2e

package test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// kustoVersion is the version of Microsoft's language service for KQL (MIT),
// which this test alone uses: it is fetched when it is needed.
const kustoVersion = "12.4.1"

// kqlScript reads queries by name from standard input, and prints what the
// language service finds wrong with each, and the columns of its result.
const kqlScript = `
const fs = require("fs"), vm = require("vm");
for (const f of ["bridge.min.js", "Kusto.Language.Bridge.min.js"])
	vm.runInThisContext(fs.readFileSync("package/" + f, "utf8"), f);
const { KustoCode, GlobalState } = Kusto.Language;
const list = l => Array.from({ length: l.Count }, (_, i) => l.getItem(i));
const out = {};
for (const [name, text] of Object.entries(JSON.parse(fs.readFileSync(0, "utf8")))) {
	const code = KustoCode.ParseAndAnalyze(text, GlobalState.Default);
	out[name] = {
		Wrong: list(code.GetDiagnostics()).map(d => d.Message + " at " + text.substr(d.Start, 40)),
		Columns: code.ResultType && code.ResultType.Columns ? list(code.ResultType.Columns).map(c => c.Name) : [],
	};
}
console.log(JSON.stringify(out));
`

// analysis is what the language service says of a query.
type analysis struct{ Wrong, Columns []string }

// TestKQL has Microsoft's language service read the parsers and the rules for
// Sentinel: it knows the language, the functions and the types, and the table
// that they read. Nothing executes them.
func TestKQL(t *testing.T) {
	t.Parallel()
	prelude := "let CommonSecurityLog = datatable(" + kqlSchema(t) + ")[];\n"
	queries := make(map[string]string)
	for _, name := range []string{"vimDnsLookalike", "ASimDnsLookalike"} { // the second calls the first
		p := readYAML(t, "parsers/"+name+".yaml")
		prelude += "let " + name + " = (" + kqlParameters(p["ParserParams"].([]any)) + ") {\n" + p["ParserQuery"].(string) + "};\n"
		queries[name] = prelude + name + "()"
	}
	wanted := make(map[string][]string)
	files, err := filepath.Glob("../build/soc/sentinel/rules/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("No rules: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		r := readYAML(t, "rules/"+name)
		queries[name] = prelude + r["query"].(string)
		for _, e := range r["entityMappings"].([]any) {
			for _, f := range e.(map[string]any)["fieldMappings"].([]any) {
				wanted[name] = append(wanted[name], f.(map[string]any)["columnName"].(string))
			}
		}
	}
	queries["wrong"] = prelude + "ASimDnsLookalike() | where EventCont > 1"

	all := analyse(t, queries)
	for name, a := range all {
		if (len(a.Wrong) == 0) == (name == "wrong") {
			t.Errorf("%s: the language service says %q", name, a.Wrong)
		}
		for _, column := range wanted[name] {
			if !slices.Contains(a.Columns, column) {
				t.Errorf("%s: the result has the columns %q, and not %s, which has an entity", name, a.Columns, column)
			}
		}
	}
	if len(all) != len(queries) || len(all["vimDnsLookalike"].Columns) < 40 {
		t.Errorf("Got %v of %q", all, slices.Sorted(maps.Keys(queries)))
	}
}

func readYAML(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../build/soc/sentinel", name))
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// kqlSchema has the columns of the table and their types.
func kqlSchema(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../build/soc/sentinel/testdata/columns.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var columns []string
	for _, row := range rows[1:] {
		columns = append(columns, row[1]+": "+row[2])
	}
	return strings.Join(columns, ", ")
}

func kqlParameters(all []any) string {
	var list []string
	for _, v := range all {
		p := v.(map[string]any)
		value := fmt.Sprint(p["Default"])
		if p["Type"] == "string" {
			value = "'" + value + "'"
		}
		list = append(list, fmt.Sprintf("%v: %v = %s", p["Name"], p["Type"], value))
	}
	return strings.Join(list, ", ")
}

// analyse asks the language service about queries.
func analyse(t *testing.T, queries map[string]string) map[string]analysis {
	t.Helper()
	dir := t.TempDir()
	for _, args := range [][]string{
		{"npm", "pack", "--silent", "@kusto/language-service-next@" + kustoVersion},
		{"tar", "-xzf", "kusto-language-service-next-" + kustoVersion + ".tgz"},
	} {
		cmd := wait.Command(t, 2*time.Minute, args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	in, err := json.Marshal(queries)
	if err != nil {
		t.Fatal(err)
	}
	cmd := wait.Command(t, 2*time.Minute, "node", "-e", kqlScript)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, stderr.String())
	}
	var all map[string]analysis
	if err := json.Unmarshal(out, &all); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return all
}
