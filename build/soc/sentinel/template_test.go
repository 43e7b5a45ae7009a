package sentinel

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write azuredeploy.json anew")

type object = map[string]any

// TestTemplate holds that azuredeploy.json, which deploys everything by one
// command, has the parsers and rules as they are in their own files.
func TestTemplate(t *testing.T) {
	var resources []object
	parsers, rules := read[parser](t, "parsers"), read[rule](t, "rules")
	for _, name := range []string{filtering, "ASimDnsLookalike"} {
		resources = append(resources, function(parsers[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(rules)) {
		resources = append(resources, scheduled(rules[name]))
	}
	if len(resources) != len(parsers)+len(rules) {
		t.Fatalf("There are %d parsers and %d rules", len(parsers), len(rules))
	}
	var want bytes.Buffer
	e := json.NewEncoder(&want)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(object{
		"$schema":        "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
		"contentVersion": "1.0.0.0",
		"parameters": object{
			"workspace": object{"type": "string", "metadata": object{"description": "name of the Log Analytics workspace that has Sentinel"}},
			"location":  object{"type": "string", "defaultValue": "[resourceGroup().location]"},
		},
		"resources": resources,
	}); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("azuredeploy.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("azuredeploy.json")
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("azuredeploy.json differs from parsers/ and rules/ (%v); run: go test ./build/soc/sentinel -update", err)
	}
}

const (
	filtering   = "vimDnsLookalike"                                        // the parser that the other one calls
	savedSearch = "Microsoft.OperationalInsights/workspaces/savedSearches" // the resource of a parser
)

func function(p parser) object {
	var parameters []string
	for _, a := range p.Params {
		value := a.Default
		if a.Type == "string" {
			value = "'" + value + "'"
		}
		parameters = append(parameters, a.Name+":"+a.Type+"="+value)
	}
	after := []string{}
	if p.Name != filtering { // which calls it
		after = []string{"[resourceId('" + savedSearch + "', parameters('workspace'), '" + filtering + "')]"}
	}
	return object{
		"type":       savedSearch,
		"apiVersion": "2020-08-01",
		"name":       "[concat(parameters('workspace'), '/" + p.Name + "')]",
		"location":   "[parameters('location')]",
		"dependsOn":  after,
		"properties": object{
			"etag": "*", "displayName": p.Parser.Title, "category": "ASIM", "FunctionAlias": p.Name, "query": p.Query, "version": 1,
			"functionParameters": strings.Join(parameters, ","),
		},
	}
}

func scheduled(r rule) object {
	return object{
		"type":       "Microsoft.OperationalInsights/workspaces/providers/alertRules",
		"apiVersion": "2023-02-01",
		"name":       "[concat(parameters('workspace'), '/Microsoft.SecurityInsights/" + r.ID + "')]",
		"kind":       r.Kind,
		"location":   "[parameters('location')]",
		"dependsOn":  []string{"[resourceId('" + savedSearch + "', parameters('workspace'), 'ASimDnsLookalike')]"},
		"properties": object{
			"displayName": r.Name, "description": strings.TrimSpace(strings.ReplaceAll(r.Description, "\n", " ")), "severity": r.Severity, "enabled": false,
			"query": r.Query, "queryFrequency": period(r.QueryFrequency), "queryPeriod": period(r.QueryPeriod),
			"triggerOperator": "GreaterThan", "triggerThreshold": *r.TriggerThreshold, "suppressionDuration": "PT1H", "suppressionEnabled": false,
			"tactics": r.Tactics, "techniques": r.RelevantTechniques, "entityMappings": r.EntityMappings,
		},
	}
}

// period is a duration as ISO 8601 has it.
func period(s string) string {
	if strings.HasSuffix(s, "d") {
		return "P" + strings.ToUpper(s)
	}
	return "PT" + strings.ToUpper(s)
}
