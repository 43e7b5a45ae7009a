// Package kafka produces alerts to a Kafka topic, idempotently and acknowledged
// by all in-sync replicas. The key is the group, so that a group's alerts stay
// in order in one partition. A header has the event id.
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
	plain     bool // not idempotently
}

const dialTimeout = 10 * time.Second

// topicLetters are those that a topic's name may have.
const topicLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

// Parse reads the part of the address behind kafka://, HOST[:PORT],.../TOPIC,
// and the options tls, sasl, user, password_file, password_env and idempotent.
func Parse(a sink.Address, o *sink.Options) (sink.Opener, error) {
	hosts, topic, _ := strings.Cut(a.Rest(), "/")
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
	} else {
		o.Clear("tls=yes", strings.Split(hosts, ",")...)
	}
	c.plain = o.OneOf("idempotent", "yes", "no") == "no"
	c.mechanism = o.OneOf("sasl", "none", "plain", "scram-sha-256", "scram-sha-512")
	if c.mechanism != "none" {
		c.user, c.password = o.String("user", ""), o.Secret("password")
		if c.user == "" || !c.password.Given() {
			return nil, errors.New("option sasl needs user and password_file (or password_env)")
		}
		if c.mechanism == "plain" {
			o.Sends("the password")
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

// The size of a broker's answer. The largest one lists the brokers and the
// topic's partitions, some 60 octets each. The client allocates memory for an
// answer when it knows the length, and a multiple of it to decode the lists.
const maxAnswer = 256 << 10

// connect makes a client, which connects when there is something to send.
func (c config) connect(more ...kgo.Opt) (*kgo.Client, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(c.brokers...),
		kgo.DefaultProduceTopic(c.topic),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ClientID("coredns-lookalike"),
		kgo.DialTimeout(dialTimeout),
		kgo.RetryTimeout(20 * time.Second),
		kgo.BrokerMaxReadBytes(maxAnswer),
		kgo.FetchMaxBytes(maxAnswer), // of what is never fetched: it may not be above the former
		kgo.UnknownTopicRetries(0),
		kgo.MetadataMinAge(time.Second), // otherwise a broker that has moved costs five
	}
	if c.plain {
		options = append(options, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(1)) // one at a time keeps the order
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
	return kgo.NewClient(append(options, more...)...)
}

// dialTLS reads the files anew for each connection.
func (c config) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	tlsConfig, err := c.tls.Config("")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := (&tls.Dialer{Config: tlsConfig}).DialContext(ctx, network, address)
	if err != nil { // not the typed nil of the dialer
		return nil, sink.ExplainTLS(sink.Waited(ctx, "a TLS connection to "+address, dialTimeout, err))
	}
	return conn, nil
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
	began := time.Now()
	n, err := s.send(ctx, batch)
	err = s.config.explain(sink.Waited(ctx, "the brokers of the topic "+s.config.topic, time.Since(began), err))
	if ctx.Err() != nil || errors.As(err, new(*sink.Denied)) {
		s.drop()
	}
	return n, err
}

// drop closes a client that would stay in its state: access denied, told to
// wait for days, or waiting for an answer to what it has sent.
func (s *Sink) drop() {
	s.client.Close()
	s.client, s.up = nil, false
}

func (s *Sink) send(ctx context.Context, batch []sink.Message) (int, error) {
	if !s.up { // the client would only say that it had no time
		if err := s.client.Ping(ctx); err != nil {
			return 0, err
		}
	}
	n, err := s.produceAll(ctx, batch)
	s.up = err == nil
	return n, err
}

// produceAll produces the batch in parts that the brokers take. They refuse
// records together, either for their total size or for one among them; a record
// that is refused alone is to blame.
func (s *Sink) produceAll(ctx context.Context, batch []sink.Message) (int, error) {
	sent, size := 0, len(batch)
	for sent < len(batch) {
		part := batch[sent:min(sent+size, len(batch))]
		n, err := s.produce(ctx, part)
		sent += n
		if refused(err) && len(part) > 1 {
			size = len(part) / 2
			continue
		}
		if err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// produce produces a part and waits for the brokers, or for the end of ctx,
// which the client may not notice. Records have no time of their own, so that
// the age limits of the client and the topic count from now: the age of an
// alert's detections does not matter to the transport.
func (s *Sink) produce(ctx context.Context, batch []sink.Message) (int, error) {
	type answer struct {
		i   int
		err error
	}
	answers := make(chan answer, len(batch))
	for i := range batch {
		m := &batch[i]
		s.client.Produce(ctx, &kgo.Record{
			Key: []byte(m.Group), Value: m.Body,
			Headers: []kgo.RecordHeader{
				{Key: "event.id", Value: []byte(m.ID)},
				{Key: "event.sequence", Value: strconv.AppendUint(nil, m.Sequence, 10)},
			},
		}, func(_ *kgo.Record, err error) { answers <- answer{i, err} })
	}
	came, failed := make([]bool, len(batch)), make([]error, len(batch))
	for range batch {
		select {
		case a := <-answers:
			came[a.i], failed[a.i] = true, a.err
			continue
		case <-ctx.Done():
		}
		break
	}
	for i := range batch {
		switch {
		case failed[i] != nil:
			return i, failed[i]
		case !came[i]:
			return i, ctx.Err()
		}
	}
	return len(batch), nil
}

// refused reports whether the brokers will never take the record: alone, or
// together with the others of its part.
func refused(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.InvalidRecord)
}

// explain gives an error its meaning, and adds the cure.
func (c *config) explain(err error) error {
	switch {
	case refused(err):
		return &sink.Refused{Err: err}
	case errors.Is(err, kerr.InvalidTimestamp):
		return fmt.Errorf("%w (set the clocks of this machine and of the brokers)", err)
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return &sink.Denied{Err: err}
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return &sink.Denied{Err: fmt.Errorf("%w (give the principal the rights Write and Describe on the topic %s)", err, c.topic)}
	case errors.Is(err, kerr.ClusterAuthorizationFailed):
		return &sink.Denied{Err: fmt.Errorf("%w (give the principal the right IdempotentWrite on the cluster, or say idempotent=no)", err)}
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
