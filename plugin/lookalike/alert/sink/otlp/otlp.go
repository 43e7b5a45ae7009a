// Package otlp sends alerts as OpenTelemetry log records, in protobuf over
// HTTP. The keys of the record become attributes, with dots between levels.
package otlp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	resource "go.opentelemetry.io/proto/otlp/resource/v1"
	"google.golang.org/protobuf/proto"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink/web"
)

// scope names the source of the records.
const scope = "github.com/lookalike-dns/lookalike"

// Sink is a sink for one collector.
type Sink struct {
	client *web.Client
	token  sink.Secret
	env    sink.Env
}

// Parse reads an http or https address and the options token_file and
// token_env, of a bearer token, besides those of all HTTP sinks. Without a
// path in the address, it is /v1/logs.
func Parse(a sink.Address, o *sink.Options) (sink.Opener, error) {
	config, err := web.Parse(a, true, o)
	if err != nil {
		return nil, err
	}
	if config.URL.Path == "" || config.URL.Path == "/" {
		config.URL.Path = "/v1/logs"
	}
	s := Sink{token: o.SentSecret("token")}
	if s.token.Given() && config.User != "" {
		return nil, errors.New("user and token exclude each other")
	}
	return func(env sink.Env) (sink.Sink, error) {
		opened := s
		opened.env = env
		if _, err := opened.token.Read(); err != nil {
			return nil, err
		}
		client, err := web.NewClient(config)
		opened.client = client
		return &opened, err
	}, nil
}

// Send posts the batch.
func (s *Sink) Send(ctx context.Context, batch []sink.Message) (int, error) {
	lost := &sink.Partial{}
	n, err := web.Deliver(ctx, batch, func(ctx context.Context, part []sink.Message) error {
		err := s.post(ctx, part)
		if partial := (*sink.Partial)(nil); errors.As(err, &partial) {
			lost.N, lost.Err = lost.N+partial.N, partial.Err
			return nil
		}
		return err
	})
	if err == nil && lost.N > 0 {
		return n, lost
	}
	return n, err
}

func (s *Sink) post(ctx context.Context, batch []sink.Message) error {
	body, err := proto.Marshal(s.request(batch, time.Now()))
	if err != nil {
		return &sink.Refused{Err: err}
	}
	header := http.Header{}
	header.Set("Content-Type", "application/x-protobuf")
	token, err := s.token.Read()
	if err != nil {
		return &sink.Denied{Err: err}
	}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	reply, err := s.client.Post(ctx, "", header, body)
	if err != nil {
		return err
	}
	if err := reply.Err(); err != nil {
		return err
	}
	text, err := reply.Body()
	if err != nil {
		return err
	}
	return rejected(text, len(batch))
}

// rejected reads the collector's answer to the records sent.
func rejected(text []byte, sent int) error {
	var answer collector.ExportLogsServiceResponse
	if err := proto.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("the collector's answer is not OTLP: %w", err)
	}
	if p := answer.GetPartialSuccess(); p.GetRejectedLogRecords() > 0 {
		err := errors.New(p.GetErrorMessage())
		if p.GetRejectedLogRecords() >= int64(sent) {
			return &sink.Refused{Err: err} // all of them
		}
		return &sink.Partial{N: int(p.GetRejectedLogRecords()), Err: err}
	}
	return nil
}

func (s *Sink) request(batch []sink.Message, now time.Time) *collector.ExportLogsServiceRequest {
	records := make([]*logs.LogRecord, len(batch))
	for i := range batch {
		records[i] = record(&batch[i], now)
	}
	return &collector.ExportLogsServiceRequest{ResourceLogs: []*logs.ResourceLogs{{
		Resource: &resource.Resource{Attributes: []*common.KeyValue{
			attribute("service.name", text("coredns-lookalike")),
			attribute("service.version", text(s.env.Version)),
			attribute("host.name", text(s.env.Sensor)),
		}},
		ScopeLogs: []*logs.ScopeLogs{{
			Scope:      &common.InstrumentationScope{Name: scope, Version: s.env.Version},
			LogRecords: records,
		}},
	}}}
}

var severities = map[sink.Severity]logs.SeverityNumber{
	sink.Info: logs.SeverityNumber_SEVERITY_NUMBER_INFO, sink.Low: logs.SeverityNumber_SEVERITY_NUMBER_INFO2,
	sink.Medium: logs.SeverityNumber_SEVERITY_NUMBER_WARN, sink.High: logs.SeverityNumber_SEVERITY_NUMBER_ERROR,
}

func record(m *sink.Message, now time.Time) *logs.LogRecord {
	r := &logs.LogRecord{
		TimeUnixNano:         uint64(max(m.Time.UnixNano(), 0)),
		ObservedTimeUnixNano: uint64(max(now.UnixNano(), 0)),
		SeverityNumber:       severities[m.Severity],
		EventName:            "lookalike.alert",
		Body:                 text(m.Text),
	}
	var object map[string]any
	d := json.NewDecoder(bytes.NewReader(m.Body))
	d.UseNumber()
	if d.Decode(&object) != nil { // a format that is not JSON is the body as it is
		r.Body = text(string(m.Body))
		r.Attributes = []*common.KeyValue{attribute("event.id", text(m.ID))}
		return r
	}
	delete(object, "message") // the body
	r.Attributes = flatten(nil, "", object)
	return r
}

// flatten appends the leaves of an object, in the order of their keys.
func flatten(to []*common.KeyValue, prefix string, object map[string]any) []*common.KeyValue {
	for _, k := range slices.Sorted(maps.Keys(object)) {
		if inner, ok := object[k].(map[string]any); ok {
			to = flatten(to, prefix+k+".", inner)
			continue
		}
		to = append(to, attribute(prefix+k, value(object[k])))
	}
	return to
}

func attribute(key string, v *common.AnyValue) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: v}
}

func text(s string) *common.AnyValue {
	return &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: strings.ToValidUTF8(s, "\ufffd")}}
}

// value is a JSON value, with UseNumber, as OTLP has it.
func value(v any) *common.AnyValue {
	switch v := v.(type) {
	case string:
		return text(v)
	case bool:
		return &common.AnyValue{Value: &common.AnyValue_BoolValue{BoolValue: v}}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return &common.AnyValue{Value: &common.AnyValue_IntValue{IntValue: n}}
		}
		f, _ := v.Float64()
		return &common.AnyValue{Value: &common.AnyValue_DoubleValue{DoubleValue: f}}
	case []any:
		list := make([]*common.AnyValue, len(v))
		for i := range v {
			list[i] = value(v[i])
		}
		return &common.AnyValue{Value: &common.AnyValue_ArrayValue{ArrayValue: &common.ArrayValue{Values: list}}}
	case map[string]any:
		return &common.AnyValue{Value: &common.AnyValue_KvlistValue{
			KvlistValue: &common.KeyValueList{Values: flatten(nil, "", v)},
		}}
	}
	return &common.AnyValue{}
}

// Close closes the connection.
func (s *Sink) Close() error { return s.client.Close() }
