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

// readTimeout is how long brokers may take for the next records that they have.
const readTimeout = 30 * time.Second

// maxFetch is how much a broker may send at once.
const maxFetch = 8 << 20

// Read hands over what the topic has, each partition from its beginning up to
// what it has when Read begins. The address and the options are those of Parse.
// The error is that of each, of ctx, or of the brokers.
func Read(ctx context.Context, a sink.Address, o *sink.Options, each func(body []byte) error) error {
	open, err := Parse(a, o)
	if err == nil {
		err = o.Err()
	}
	if err != nil {
		return err
	}
	opened, err := open(sink.Env{Sensor: "reader", Guest: true})
	if err != nil {
		return err
	}
	c := opened.(*Sink).config // Parse makes no other
	opened.Close()
	client, err := c.connect(kgo.ConsumeTopics(c.topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.BrokerMaxReadBytes(4*maxFetch), kgo.FetchMaxBytes(maxFetch), kgo.FetchMaxPartitionBytes(maxFetch))
	if err != nil {
		return err
	}
	defer client.Close()
	began := time.Now()
	first, err := offsets(ctx, client, c.topic, -2)
	if err != nil {
		return sink.Waited(ctx, "the offsets of the topic", time.Since(began), err)
	}
	last, err := offsets(ctx, client, c.topic, -1)
	if err != nil {
		return err
	}
	for p := range last {
		if first[p] >= last[p] {
			delete(last, p)
		}
	}
	return drain(ctx, client, last, each)
}

// drain reads until each partition has come to its end.
func drain(ctx context.Context, client *kgo.Client, ends map[int32]int64, each func(body []byte) error) error {
	for len(ends) > 0 {
		one, stop := context.WithTimeout(ctx, readTimeout)
		fetches := client.PollFetches(one)
		stop()
		if err := fetches.Err(); err != nil {
			return sink.Waited(ctx, "the next records of the topic", readTimeout, err)
		}
		for _, r := range fetches.Records() {
			end, open := ends[r.Partition]
			if !open || r.Offset >= end {
				continue
			}
			if r.Offset+1 == end {
				delete(ends, r.Partition)
			}
			if err := each(r.Value); err != nil {
				return err
			}
		}
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
