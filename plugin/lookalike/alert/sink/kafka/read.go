package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/lookalike-dns/lookalike/plugin/lookalike/alert/sink"
)

// maxFetch is how much a broker may send at once.
const maxFetch = 8 << 20

// A Reader reads a topic. It is not for concurrent use.
type Reader struct {
	config config
	next   map[int32]int64 // by partition, the offset of the record to read next
}

// NewReader returns a reader of the topic. The address and the options are those
// of Parse. Nothing is connected yet.
func NewReader(a sink.Address, o *sink.Options) (*Reader, error) {
	s, err := sink.OpenReader(Parse, a, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return &Reader{s.(*Sink).config, make(map[int32]int64)}, nil // Parse makes no other
}

// Read hands over what the topic has, each partition from where the Read before
// has ended. With a nil current it ends where the topic ended when it began.
// Otherwise it calls current there, and goes on until an error. That is the error
// of each, of current, of ctx, or of the brokers.
func (r *Reader) Read(ctx context.Context, each func(body []byte) error, current func() error) error {
	client, err := r.config.connect(kgo.ConsumeTopics(r.config.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.BrokerMaxReadBytes(4*maxFetch), kgo.FetchMaxBytes(maxFetch), kgo.FetchMaxPartitionBytes(maxFetch))
	if err != nil {
		return err
	}
	defer client.Close()
	began := time.Now()
	first, err := offsets(ctx, client, r.config.topic, -2)
	if err != nil {
		return sink.Waited(ctx, "the offsets of the topic", time.Since(began), err)
	}
	ends, err := offsets(ctx, client, r.config.topic, -1)
	if err != nil {
		return err
	}
	for p := range ends {
		if max(first[p], r.next[p]) >= ends[p] {
			delete(ends, p)
		}
	}
	left := func() bool { return len(ends) > 0 }
	next := func(ctx context.Context) error { return r.fetch(ctx, client, ends, current != nil, each) }
	return sink.ReadOn(ctx, "the next records of the topic", left, next, current)
}

// fetch hands over what the brokers have next; of what lies behind the ends only
// where beyond is set. A partition whose end it reaches leaves the ends.
func (r *Reader) fetch(ctx context.Context, client *kgo.Client, ends map[int32]int64, beyond bool, each func(body []byte) error) error {
	fetches := client.PollFetches(ctx)
	if err := fetches.Err(); err != nil {
		return err
	}
	for _, rec := range fetches.Records() {
		end, open := ends[rec.Partition]
		if rec.Offset < r.next[rec.Partition] || !beyond && (!open || rec.Offset >= end) {
			continue
		}
		if open && rec.Offset+1 >= end {
			delete(ends, rec.Partition)
		}
		if err := each(rec.Value); err != nil {
			return err
		}
		r.next[rec.Partition] = rec.Offset + 1
	}
	return nil
}

// offsets returns the first (-2) or the next (-1) offset of each partition of a
// topic (KIP-79).
func offsets(ctx context.Context, client *kgo.Client, topic string, which int64) (map[int32]int64, error) {
	ask := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = &topic
	ask.Topics = append(ask.Topics, t)
	meta, err := ask.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	list := kmsg.NewListOffsetsRequestTopic()
	list.Topic = topic
	for i := range meta.Topics {
		if err := kerr.ErrorForCode(meta.Topics[i].ErrorCode); err != nil {
			return nil, err
		}
		for _, p := range meta.Topics[i].Partitions {
			one := kmsg.NewListOffsetsRequestTopicPartition()
			one.Partition, one.Timestamp = p.Partition, which
			list.Partitions = append(list.Partitions, one)
		}
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.Topics = -1, append(req.Topics, list)
	at := make(map[int32]int64)
	for _, shard := range client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return nil, shard.Err
		}
		resp, ok := shard.Resp.(*kmsg.ListOffsetsResponse)
		if !ok {
			return nil, errors.New("the broker answers something else")
		}
		for i := range resp.Topics {
			for _, p := range resp.Topics[i].Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, err
				}
				at[p.Partition] = p.Offset
			}
		}
	}
	return at, nil
}
