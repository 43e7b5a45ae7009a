// Package kafka produces alerts to a Kafka topic: idempotently, acknowledged
// by all in-sync replicas, with the group as the key, so that a group's alerts
// stay in order in one partition, and the event id in a header of that name.
package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// Sink is a sink for one topic.
type Sink struct {
	config config
	client *kgo.Client // nil: there will be another one
	up     bool        // the last Send found the brokers
}

// config is what the address and the options say.
type config struct {
	brokers   []string
	topic     string
	useTLS    bool
	tls       sink.TLS
	mechanism string
	user      string
	password  sink.Secret
}

// topicLetters are those that a topic's name may have.
const topicLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// Parse reads the part of the address behind kafka://, HOST[:PORT],.../TOPIC,
// and the options tls, sasl, user, password_file and password_env.
func Parse(address string, o *sink.Options) (sink.Opener, error) {
	hosts, topic, _ := strings.Cut(address, "/")
	c := config{topic: topic}
	if topic == "" || strings.Contains(topic, "/") {
		return nil, errors.New("the address is not HOST[:PORT],.../TOPIC")
	}
	if len(topic) > 249 || strings.Trim(topic, topicLetters) != "" || strings.Trim(topic, ".") == "" {
		return nil, fmt.Errorf("%q is no name of a topic", topic)
	}
	for host := range strings.SplitSeq(hosts, ",") {
		broker, err := sink.HostPort(host, 9092)
		if err != nil {
			return nil, err
		}
		c.brokers = append(c.brokers, broker)
	}
	if c.useTLS = o.OneOf("tls", "no", "yes") == "yes"; c.useTLS {
		c.tls = o.TLS()
	}
	c.mechanism = o.OneOf("sasl", "none", "plain", "scram-sha-256", "scram-sha-512")
	if c.mechanism != "none" {
		c.user, c.password = o.String("user", ""), o.Secret("password")
		if c.user == "" || !c.password.Given() {
			return nil, errors.New("option sasl needs user and password_file (or password_env)")
		}
	}
	return c.open, nil
}

func (c config) open(sink.Env) (sink.Sink, error) {
	client, err := c.connect()
	if err != nil {
		return nil, err
	}
	return &Sink{config: c, client: client}, nil
}

// connect makes a client, which connects when there is something to send.
func (c config) connect() (*kgo.Client, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(c.brokers...),
		kgo.DefaultProduceTopic(c.topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ClientID("coredns-lookalike"),
		kgo.DialTimeout(10 * time.Second),
		kgo.RetryTimeout(20 * time.Second),
		kgo.RecordDeliveryTimeout(25 * time.Second),
		kgo.UnknownTopicRetries(0),
		kgo.MetadataMinAge(time.Second), // else a broker that moved costs five
	}
	if c.useTLS {
		if _, err := c.tls.Config(""); err != nil {
			return nil, err
		}
		options = append(options, kgo.Dialer(c.dialTLS))
	}
	if c.mechanism != "none" {
		if _, err := c.password.Read(); err != nil {
			return nil, err
		}
		options = append(options, kgo.SASL(c.sasl()))
	}
	return kgo.NewClient(options...)
}

// dialTLS reads the files anew for each connection.
func (c config) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	tlsConfig, err := c.tls.Config("")
	if err != nil {
		return nil, err
	}
	dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: 10 * time.Second}, Config: tlsConfig}
	return dialer.DialContext(ctx, network, address)
}

// sasl reads the password anew for each connection.
func (c config) sasl() sasl.Mechanism {
	password := func() (string, error) {
		p, err := c.password.Read()
		if err != nil {
			err = &sink.Denied{Err: err}
		}
		return p, err
	}
	if c.mechanism == "plain" {
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			p, err := password()
			return plain.Auth{User: c.user, Pass: p}, err
		})
	}
	auth := func(context.Context) (scram.Auth, error) {
		p, err := password()
		return scram.Auth{User: c.user, Pass: p}, err
	}
	if c.mechanism == "scram-sha-256" {
		return scram.Sha256(auth)
	}
	return scram.Sha512(auth)
}

// Send produces the batch and waits for the brokers. Alerts behind one that
// failed may be there already; they are offered again with the same id.
func (s *Sink) Send(ctx context.Context, batch []sink.Message) (int, error) {
	if s.client == nil {
		client, err := s.config.connect()
		if err != nil {
			return 0, &sink.Denied{Err: err}
		}
		s.client = client
	}
	n, err := s.send(ctx, batch)
	if errors.As(err, new(*sink.Denied)) { // the client keeps to that for ever
		s.client.Close()
		s.client = nil
	}
	return n, err
}

func (s *Sink) send(ctx context.Context, batch []sink.Message) (int, error) {
	if !s.up { // the client would only say that it had no time
		if err := s.client.Ping(ctx); err != nil {
			return 0, explain(err)
		}
	}
	n, err := s.produceAll(ctx, batch)
	s.up = err == nil
	return n, err
}

// produceAll produces the batch in parts that the brokers take. They refuse
// records together, and for their size together or for one among them; what is
// refused on its own is to blame.
func (s *Sink) produceAll(ctx context.Context, batch []sink.Message) (int, error) {
	sent, size := 0, len(batch)
	for sent < len(batch) {
		part := batch[sent:min(sent+size, len(batch))]
		n, err := s.produce(ctx, part)
		sent += n
		if errors.As(err, new(*sink.Refused)) && len(part) > 1 {
			size = len(part) / 2
			continue
		}
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

func (s *Sink) produce(ctx context.Context, batch []sink.Message) (int, error) {
	records := make([]*kgo.Record, len(batch))
	for i := range batch {
		m := &batch[i]
		records[i] = &kgo.Record{
			Key: []byte(m.Group), Value: m.Body, Timestamp: m.Time,
			Headers: []kgo.RecordHeader{
				{Key: "event.id", Value: []byte(m.ID)},
				{Key: "event.sequence", Value: strconv.AppendUint(nil, m.Sequence, 10)},
			},
		}
	}
	failed := make(map[*kgo.Record]error)
	for _, result := range s.client.ProduceSync(ctx, records...) {
		if result.Err != nil {
			failed[result.Record] = result.Err
		}
	}
	for i, r := range records {
		if err := failed[r]; err != nil {
			return i, explain(err)
		}
	}
	return len(batch), nil
}

// explain gives an error its meaning.
func explain(err error) error {
	switch {
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.InvalidRecord),
		errors.Is(err, kerr.InvalidTimestamp): // of one that has waited for longer than the topic allows
		return &sink.Refused{Err: err}
	case errors.Is(err, kerr.SaslAuthenticationFailed), errors.Is(err, kerr.TopicAuthorizationFailed),
		errors.Is(err, kerr.ClusterAuthorizationFailed):
		return &sink.Denied{Err: err}
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return fmt.Errorf("%w (create the topic, or let the brokers do so)", err)
	}
	return err
}

// Close closes the connections.
func (s *Sink) Close() error {
	if s.client != nil {
		s.client.Close()
	}
	return nil
}
