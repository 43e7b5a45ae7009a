package otlp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSend(t *testing.T) {
	var got collector.ExportLogsServiceRequest
	answer := &collector.ExportLogsServiceResponse{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path != "/v1/logs" || r.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &got) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		b, _ := proto.Marshal(answer)
		w.Write(b)
	}))
	defer server.Close()
	opener, err := Parse(sink.Address{Target: server.URL}, &sink.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := opener(sink.Env{Sensor: "ns1.example.org", Version: "1.0.0"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := time.UnixMilli(1795423567101)
	batch := []sink.Message{
		{ID: "a", Time: at, Severity: sink.High, Text: "words", Body: []byte(`{"message":"words","event":{"id":"a","kind":"alert"},"n":42,"f":1.5,"t":true,"tags":["x"],"smtp":[{"to":"bob"}]}`)},
		{ID: "b", Time: at, Severity: sink.Low, Text: "words", Body: []byte("CEF:0|b")},
	}
	if n, err := s.Send(t.Context(), batch); n != 2 || err != nil {
		t.Fatalf("Got %d sent and error %v, want 2", n, err)
	}
	logs := got.GetResourceLogs()[0]
	if text := fmt.Sprint(logs.GetResource().GetAttributes()); !strings.Contains(text, "ns1.example.org") {
		t.Errorf("Got resource %s", text)
	}
	records := logs.GetScopeLogs()[0].GetLogRecords()
	flat := map[string]string{}
	for _, a := range records[0].GetAttributes() {
		flat[a.GetKey()] = strings.ReplaceAll(a.GetValue().String(), "  ", " ")
	}
	want := map[string]string{
		"event.id": `string_value:"a"`, "event.kind": `string_value:"alert"`, "n": "int_value:42", "f": "double_value:1.5",
		"t": "bool_value:true", "tags": `array_value:{values:{string_value:"x"}}`,
		"smtp": `array_value:{values:{kvlist_value:{values:{key:"to" value:{string_value:"bob"}}}}}`,
	}
	for k, w := range want {
		if flat[k] != w {
			t.Errorf("Got attribute %s = %s, want %s", k, flat[k], w)
		}
	}
	if len(flat) != len(want) {
		t.Errorf("Got attributes %v, want %v", flat, want)
	}
	r := records[0]
	if r.GetTimeUnixNano() != uint64(at.UnixNano()) || r.GetSeverityNumber() != 17 || r.GetEventName() != "lookalike.alert" || r.GetBody().GetStringValue() != "words" {
		t.Errorf("Got record %v", r)
	}
	if r := records[1]; r.GetBody().GetStringValue() != "CEF:0|b" || r.GetSeverityNumber() != 10 {
		t.Errorf("Got record %v", r)
	}

	answer.PartialSuccess = &collector.ExportLogsPartialSuccess{RejectedLogRecords: 1, ErrorMessage: "bad"}
	if n, err := s.Send(t.Context(), batch[:1]); n != 0 || !errors.As(err, new(*sink.Refused)) {
		t.Errorf("Got %d sent and error %v, want the only one refused", n, err)
	}
	answer.PartialSuccess = &collector.ExportLogsPartialSuccess{RejectedLogRecords: 1, ErrorMessage: "too old"}
	n, err := s.Send(t.Context(), batch)
	if partial := (*sink.Partial)(nil); n != 2 || !errors.As(err, &partial) || partial.N != 1 {
		t.Errorf("Got %d sent and error %v, want 2 of which 1 is not kept", n, err)
	}
}

func TestHostile(t *testing.T) {
	sinktest.Survives(t, nil, false, func(t *testing.T, address string) sink.Sink {
		t.Helper()
		opener, err := Parse(sink.Address{Target: "http://" + address}, sinktest.Options(t))
		return sinktest.Open(t, opener, err)
	})
}

// FuzzAnswer holds that any answer of a collector settles no alert twice.
func FuzzAnswer(f *testing.F) {
	for _, a := range []*collector.ExportLogsServiceResponse{
		{}, {PartialSuccess: &collector.ExportLogsPartialSuccess{RejectedLogRecords: 1, ErrorMessage: "no\x1b"}},
		{PartialSuccess: &collector.ExportLogsPartialSuccess{RejectedLogRecords: -1}}, {PartialSuccess: &collector.ExportLogsPartialSuccess{RejectedLogRecords: 1 << 62}},
	} {
		text, err := proto.Marshal(a)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		err := rejected(text, 3)
		if partial := (*sink.Partial)(nil); errors.As(err, &partial) && (partial.N < 1 || partial.N > 2) {
			t.Errorf("Got %d of 3 rejected in part", partial.N)
		}
	})
}
