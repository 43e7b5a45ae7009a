//go:build e2e

package monitoring

import (
	"os"
	"strings"
	"testing"

	sdk "github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// TestDashboardSchema reads the dashboard by Grafana's classic schema, which all its
// versions import: a key that is missing, misspelt or of another type is an error.
// It needs no tool, but the schema takes many seconds to compile.
func TestDashboardSchema(t *testing.T) {
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	if problem := misfit(t, string(text)); problem != "" {
		t.Error(problem)
	}
	for _, key := range []string{"schemaVersion", "gridPos", "fieldConfig", "allValue"} {
		if misfit(t, strings.Replace(string(text), `"`+key+`"`, `"`+key+`x"`, 1)) == "" {
			t.Errorf("The schema does not notice that %s is misspelt", key)
		}
	}
}

// misfit says what of a dashboard does not fit the schema.
func misfit(t *testing.T, text string) string {
	t.Helper()
	d := sdk.NewDashboard()
	if err := d.UnmarshalJSONStrict([]byte(text)); err.Error() != "" { // it is never nil, but may be an empty list
		return err.Error()
	}
	if err := d.Validate(); err != nil {
		return err.Error()
	}
	return ""
}
