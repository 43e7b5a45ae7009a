package elastic

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cluster keeps documents as _bulk with create does.
type cluster struct {
	*httptest.Server
	docs   map[string]string
	order  []string
	status map[string][]int // what to answer for an id, one a time
	index  string
	whole  int // status of the whole request
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{docs: map[string]string{}, status: map[string][]int{}}
	c.Server = httptest.NewServer(http.HandlerFunc(c.bulk))
	t.Cleanup(c.Close)
	return c
}

func (c *cluster) bulk(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/base/_bulk" || r.Header.Get("Content-Type") != "application/x-ndjson" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if c.whole != 0 {
		w.WriteHeader(c.whole)
		return
	}
	var items []string
	for lines := bufio.NewScanner(r.Body); lines.Scan(); {
		var op struct {
			Create struct {
				ID    string `json:"_id"`
				Index string `json:"_index"`
			}
		}
		if json.Unmarshal(lines.Bytes(), &op) != nil || !lines.Scan() {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		c.index = op.Create.Index
		items = append(items, fmt.Sprintf(`{"create":{"status":%d,"error":{"reason":"x"}}}`, c.create(op.Create.ID, lines.Text())))
	}
	fmt.Fprint(w, `{"errors":true,"items":[`)
	for i, item := range items {
		fmt.Fprint(w, ",,"[:min(i, 1)], item)
	}
	fmt.Fprint(w, `]}`)
}

func (c *cluster) create(id, doc string) int {
	if s := c.status[id]; len(s) > 0 {
		c.status[id] = s[1:]
		if s[0] != 201 {
			return s[0]
		}
	}
	if _, ok := c.docs[id]; ok {
		return 409
	}
	c.docs[id] = doc
	c.order = append(c.order, id)
	return 201
}

func open(t *testing.T, c *cluster) sink.Sink {
	t.Helper()
	opener, err := Parse(sink.Address{Target: c.URL + "/base/"}, &sink.Options{})
	return sinktest.Open(t, opener, err)
}

func batch(ids ...string) []sink.Message {
	all := make([]sink.Message, len(ids))
	for i, id := range ids {
		all[i] = sink.Message{ID: id, Body: fmt.Appendf(nil, `{"id":%q}`, id)}
	}
	return all
}

// TestItems plays answers about single documents, and sends again what was
// not settled, as the pipeline does.
func TestItems(t *testing.T) {
	tests := []struct {
		name    string
		status  map[string][]int
		settled []int    // per Send
		refused []string // buried on the way
	}{
		{"all are taken", nil, []int{4}, nil},
		{"one is there already", map[string][]int{"b": {409}}, []int{4}, nil},
		{"one has to wait", map[string][]int{"b": {429}}, []int{1, 3}, nil},
		{"one has to wait twice", map[string][]int{"c": {503, 429}}, []int{2, 0, 2}, nil},
		{"one is refused", map[string][]int{"c": {400, 400}}, []int{2, 1}, []string{"c"}},
		{"the first is refused", map[string][]int{"a": {400}}, []int{0, 3}, []string{"a"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			c := newCluster(t)
			maps.Copy(c.status, tc.status)
			s := open(t, c)
			todo := batch("a", "b", "c", "d")
			var settled []int
			var refused []string
			for len(todo) > 0 && len(settled) < 9 {
				n, err := s.Send(t.Context(), todo)
				settled = append(settled, n)
				todo = todo[n:]
				if errors.As(err, new(*sink.Refused)) {
					refused = append(refused, todo[0].ID)
					todo = todo[1:]
				}
			}
			if !slices.Equal(settled, tc.settled) || !slices.Equal(refused, tc.refused) {
				t.Errorf("Got %v settled and %q refused, want %v and %q", settled, refused, tc.settled, tc.refused)
			}
			if len(c.docs)+len(refused) < 4 && tc.name != "one is there already" {
				t.Errorf("Got documents %q", c.order)
			}
			if c.index != defaultIndex {
				t.Errorf("Got index %q, want %q", c.index, defaultIndex)
			}
		})
	}
}

func TestWhole(t *testing.T) {
	c := newCluster(t)
	s := open(t, c)
	for status, want := range map[int]any{401: new(*sink.Denied), 413: new(*sink.Refused), 503: new(error)} {
		c.whole = status
		if n, err := s.Send(t.Context(), batch("a", "b")); n != 0 || !errors.As(err, want) {
			t.Errorf("Got %d sent and error %v for status %d, want %T", n, err, status, want)
		}
	}
}

// TestItemErrors tells a bad document from an index that takes none.
func TestItemErrors(t *testing.T) {
	tests := []struct {
		status int
		kind   string
		want   any // nil: it is tried again
	}{
		{400, "document_parsing_exception", new(*sink.Refused)},
		{400, "strict_dynamic_mapping_exception", new(*sink.Refused)},
		{400, "index_closed_exception", nil},
		{400, "validation_exception", nil}, // the cluster has all the shards that it may have
		{403, "cluster_block_exception", nil},
		{403, "security_exception", new(*sink.Denied)},
		{404, "index_not_found_exception", nil},
		{429, "es_rejected_execution_exception", nil},
	}
	for _, tc := range tests {
		t.Run(tc.kind, func(t *testing.T) {
			a := answer{Items: items{most: 2}}
			text := fmt.Sprintf(`{"items":[{"create":{"status":201}},{"create":{"status":%d,"error":{"type":%q,"reason":"x"}}}]}`, tc.status, tc.kind)
			if err := json.Unmarshal([]byte(text), &a); err != nil {
				t.Fatal(err)
			}
			n, err := a.settled(2, "")
			item := itemError{}
			if n != 1 || !errors.As(err, &item) {
				t.Fatalf("Got %d settled and error %v, want 1", n, err)
			}
			if tc.want != nil && !errors.As(item.error, tc.want) ||
				tc.want == nil && (errors.As(item.error, new(*sink.Refused)) || errors.As(item.error, new(*sink.Denied))) {
				t.Errorf("Got error %#v, want %T", item.error, tc.want)
			}
		})
	}
}

// TestHugeAnswer holds that an answer takes no more memory than what was sent
// gives reason for.
func TestHugeAnswer(t *testing.T) {
	for name, answer := range map[string]string{
		"of 4 MiB":             `{"items":[` + strings.Repeat("{},", 4<<20/3) + "{}]}",
		"of as much as may be": `{"items":[` + strings.Repeat("{},", 60<<10/3) + "{}]}",
		"of a wide item":       `{"items":[{"create":{"error":[` + strings.Repeat("{},", 60<<10/3) + "{}]}}]}",
		"of many lists":        `{` + strings.Repeat(`"items":[{}],`, 4000) + `"items":[{}]}`,
		"of a deep item":       `{"items":[` + strings.Repeat("[", 60<<10),
		"of no list":           `{"items":{}}`,
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
			defer server.Close()
			opener, err := Parse(sink.Address{Target: server.URL}, sinktest.Options(t))
			s := sinktest.Open(t, opener, err)
			sinktest.Allocates(t, 4<<20, func() {
				if n, err := s.Send(t.Context(), []sink.Message{{ID: "a", Body: []byte("{}")}}); n != 0 || err == nil {
					t.Errorf("Got %d sent and error %v, want none", n, err)
				}
			})
		})
	}
}

func TestHostile(t *testing.T) {
	sinktest.Survives(t, nil, false, func(t *testing.T, address string) sink.Sink {
		t.Helper()
		opener, err := Parse(sink.Address{Target: "http://" + address}, sinktest.Options(t))
		return sinktest.Open(t, opener, err)
	})
}

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{`{"items":[{"create":{"status":201}}]}`, `{"items":[{"create":{"status":400,"error":{"type":"x"}}}]}`, `{"items":[]}`, `{"items":[{},{},{}]}`, `[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a := answer{Items: items{most: 2}}
		if json.Unmarshal(text, &a) != nil {
			return
		}
		n, err := a.settled(2, "")
		if n < 0 || n > 2 || (n == 2) != (err == nil) {
			t.Errorf("Got %d settled and error %v", n, err)
		}
	})
}
