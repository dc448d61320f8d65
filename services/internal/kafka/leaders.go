package kafka

import (
	"context"
	"maps"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// slot is one partition.
type slot struct {
	topic     string
	partition int32
}

// leaders are the epochs of partitions' leaders, as a coordinator knows them. To lose a leader takes an epoch, and to find one another.
type leaders map[slot]int32

// leadersOf asks the coordinator itself: it leaves markers out by what it knows, which others may not know yet. Not whole is what
// it did not tell, or a partition that has no leader now.
func (e *Endings) leadersOf(ctx context.Context, client *kgo.Client, coordinator int32) (found leaders, whole bool) {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range append([]string{offsetsTopic}, e.topics...) {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &name
		req.Topics = append(req.Topics, topic)
	}
	answer, err := client.Broker(int(coordinator)).RetriableRequest(ctx, req)
	res, ok := answer.(*kmsg.MetadataResponse)
	if err != nil || !ok {
		return nil, false // whoever cannot be asked has told nothing: the partitions are asked
	}
	found, whole = leaders{}, true
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			found[slot{*t.Topic, p.Partition}] = p.LeaderEpoch
			whole = whole && p.Leader >= 0
		}
	}
	return found, whole
}

// ledAsBefore is whether no partition was without a leader since others were found.
func (l leaders) ledAsBefore(before leaders) bool { return len(l) > 0 && maps.Equal(l, before) }
