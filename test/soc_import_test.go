//go:build e2e

package test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lookalike-dns/lookalike/test/wait"
)

// TestElasticImport runs the import of the content for Elastic against a server
// that stands for Elasticsearch and Kibana: it holds what is sent where, in which
// order, and that a refusal ends the import.
func TestElasticImport(t *testing.T) {
	t.Parallel()
	all := []string{
		"PUT /_ingest/pipeline/lookalike@pipeline pipeline.json",
		"PUT /_component_template/lookalike@mappings component-template.json",
		"PUT /_index_template/logs-lookalike.alert index-template.json",
		"POST /api/saved_objects/_import?overwrite=true dashboard.ndjson",
		"POST /api/detection_engine/rules/_import?overwrite=true rules.ndjson",
	}
	tests := []struct {
		name   string
		refuse string // a path that is refused
		part   string // a path of which a part is refused
		want   []string
		failed string // said by the import
	}{
		{"everything is taken", "", "", all, ""},
		{"a template is refused", "/_component_template/lookalike@mappings", "", all[:2], "403"},
		{"a rule is refused", "", "/api/detection_engine/rules/_import", all, "has not taken all of rules.ndjson"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				got = append(got, r.Method+" "+r.RequestURI+" "+sent(t, r))
				if r.Header.Get("Authorization") != "ApiKey c2VjcmV0" || r.Header.Get("Kbn-Xsrf") == "" || r.URL.Path == tc.refuse {
					w.WriteHeader(http.StatusForbidden)
				}
				success := "true"
				if r.URL.Path == tc.part {
					success = "false"
				}
				_, _ = io.WriteString(w, `{"success":`+success+`,"acknowledged":true}`) // the import may be gone
			}))
			defer receiver.Close()
			key := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(key, []byte("c2VjcmV0\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := wait.Command(t, time.Minute, "../build/soc/elastic/import")
			cmd.Env = append(os.Environ(), "ELASTICSEARCH_URL="+receiver.URL, "KIBANA_URL="+receiver.URL, "API_KEY_FILE="+key)
			out, err := cmd.CombinedOutput()
			if (err != nil) != (tc.failed != "") || !strings.Contains(string(out), tc.failed) {
				t.Errorf("Got %v, want a failure with %q\n%s", err, tc.failed, out)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("Got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// sent is the name of the file of the content whose text a request has.
func sent(t *testing.T, r *http.Request) string {
	t.Helper()
	var body io.Reader = r.Body
	if file, _, err := r.FormFile("file"); err == nil {
		body = file
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Error(err)
	}
	files, err := filepath.Glob("../build/soc/elastic/*json")
	if err != nil {
		t.Error(err)
	}
	for _, name := range files {
		if content, err := os.ReadFile(name); err == nil && string(content) == string(text) {
			return filepath.Base(name)
		}
	}
	return "something else"
}
