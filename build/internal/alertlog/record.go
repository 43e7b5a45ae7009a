// Package alertlog reads the alerts that the plugin has written: files of one
// JSON object a line in the ecs format, rotated and compressed ones too, to
// their ends or as they grow.
package alertlog

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/record"
	"github.com/lookalike-dns/lookalike/plugin/lookalike/detect"
)

// Record is an alert read from a file or stream.
type Record struct {
	record.Record
	Text string // the alert in one sentence, as the server put it
	Raw  []byte // the line
	File string // the file it was read from, or empty
	Line int    // from 1
}

// ErrNoAlert is the error of a line that is not an alert in the ecs format.
var ErrNoAlert = errors.New("no alert in the ecs format")

// Parse reads a line and keeps a reference to it. Fields from later versions of the
// plugin remain in Raw only.
func Parse(line []byte) (*Record, error) {
	var e ecs
	if json.Unmarshal(line, &e) != nil || e.Lookalike == nil || e.Lookalike.Phase == nil {
		return nil, ErrNoAlert
	}
	return &Record{Record: e.record(), Text: e.Message, Raw: line}, nil
}

// ecs holds the fields that are read, under the names of package format.
type ecs struct {
	Timestamp time.Time `json:"@timestamp"`
	Message   string
	Event     struct {
		ID             string
		Sequence       uint64
		Created, Start time.Time
		Reason         string
	}
	Source, Destination struct {
		IP   netip.Addr
		Port uint16
	}
	Network struct{ Transport string }
	DNS     struct {
		ID       uint16 `json:",string"`
		Question struct {
			Name, Type  string
			Registrable string `json:"registered_domain"`
		}
		ResponseCode string       `json:"response_code"`
		ResolvedIP   []netip.Addr `json:"resolved_ip"`
	}
	Observer struct{ Hostname, Version string }
	Agent    struct {
		Epoch string `json:"ephemeral_id"`
	}
	Related   struct{ IP []netip.Addr }
	Lookalike *own
}

// own holds the fields of this product.
type own struct {
	Phase           *record.Phase
	Class           detect.Class
	Confidence      detect.Confidence
	Action          action
	Group, Unicode  string
	Protected       []string
	DidYouMean      []string `json:"did_you_mean"`
	Count, Total    uint64
	FirstSeen       time.Time `json:"first_seen"`
	Qtypes, Samples []string
	DistinctNames   uint64 `json:"distinct_names"`
	DistinctClients uint64 `json:"distinct_clients"`
	Context         oneOrMore
	Vias            []string
	ViasMore        uint64 `json:"vias_more"`
	SMTP            []record.SMTP
	SMTPMore        uint64 `json:"smtp_more"`
	Protocol        oneOrMore
	ServerBlock     oneOrMore `json:"server_block"`
	View            oneOrMore
	Exception       *record.Exception
	Lost            *lost
}

type lost struct {
	Reason              string
	Epoch               string `json:"ephemeral_id"`
	From, To            uint64
	Records, Detections uint64
}

// action is one that a record may have, where off stands for none.
type action struct{ record.Action }

// UnmarshalText reads an action; that of a later version is taken for none.
func (a *action) UnmarshalText(text []byte) error {
	a.Action, _ = record.ParseAction(string(text))
	return nil
}

// oneOrMore is a field that is a list only where it has more than one value.
type oneOrMore []string

// UnmarshalJSON reads either.
func (o *oneOrMore) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(o))
	}
	var one string
	err := json.Unmarshal(b, &one)
	*o = oneOrMore{one}
	return err
}

func (e *ecs) record() record.Record {
	l := e.Lookalike
	r := record.Record{
		ID: e.Event.ID, Epoch: e.Agent.Epoch, Sequence: e.Event.Sequence, Phase: *l.Phase, Group: l.Group,
		Created: e.Event.Created, Start: e.Event.Start, End: e.Timestamp, FirstSeen: l.FirstSeen,
		Class: l.Class, Confidence: l.Confidence, Action: l.Action.Action, Reason: e.Event.Reason,
		Client: e.Source.IP.Unmap(), ClientPort: e.Source.Port, Server: netip.AddrPortFrom(e.Destination.IP, e.Destination.Port),
		Transport: e.Network.Transport, DNSID: e.DNS.ID, Qtype: e.DNS.Question.Type, Rcode: e.DNS.ResponseCode, Answers: e.DNS.ResolvedIP,
		Name: e.DNS.Question.Name, Registrable: e.DNS.Question.Registrable, Unicode: l.Unicode,
		Protected: l.Protected, DidYouMean: l.DidYouMean,
		Count: l.Count, Total: l.Total, Qtypes: l.Qtypes, Samples: l.Samples,
		DistinctNames: l.DistinctNames, DistinctClients: l.DistinctClients,
		Contexts: l.Context, Protocols: l.Protocol, ServerBlocks: l.ServerBlock, Views: l.View, Vias: l.Vias, ViasMore: l.ViasMore,
		SMTP: l.SMTP, SMTPMore: l.SMTPMore, Exception: l.Exception, Sensor: e.Observer.Hostname, Version: e.Observer.Version,
	}
	if r.Phase == record.Storm {
		r.Clients = slices.DeleteFunc(e.Related.IP, func(a netip.Addr) bool { return a == r.Client || a == r.Server.Addr() })
		if r.Registrable == "" {
			r.Registrable = record.Any
		}
	}
	if l.Lost != nil {
		r.Lost = &record.Gap{
			Epoch: l.Lost.Epoch, From: l.Lost.From, To: l.Lost.To,
			Records: l.Lost.Records, Detections: l.Lost.Detections, Reason: l.Lost.Reason,
		}
	}
	return r
}
