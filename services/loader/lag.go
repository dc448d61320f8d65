package loader

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"
)

// lag is how many records of each partition of ours are still to be taken, as of the last fetch that had any.
type lag struct {
	mu    sync.Mutex
	of    map[string]map[int32]int64
	gauge *prometheus.GaugeVec
}

func (g *lag) fetched(fetches kgo.Fetches) {
	g.mu.Lock()
	defer g.mu.Unlock()
	fetches.EachPartition(func(f kgo.FetchTopicPartition) {
		if len(f.Records) == 0 {
			return
		}
		if g.of[f.Topic] == nil {
			g.of[f.Topic] = map[int32]int64{}
		}
		g.of[f.Topic][f.Partition] = max(0, f.LastStableOffset-1-f.Records[len(f.Records)-1].Offset)
		g.show(f.Topic)
	})
}

// forget drops partitions that are no longer ours.
func (g *lag) forget(lost map[string][]int32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for topic, partitions := range lost {
		for _, p := range partitions {
			delete(g.of[topic], p)
		}
		g.show(topic)
	}
}

func (g *lag) show(topic string) {
	sum := int64(0)
	for _, n := range g.of[topic] {
		sum += n
	}
	g.gauge.WithLabelValues(topic).Set(float64(sum))
}
