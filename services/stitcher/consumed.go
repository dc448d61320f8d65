package stitcher

import (
	"encoding/json"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// consumedKey is the key of a changelog's record that says how far its partition's inputs are worked off. It is of the same transaction
// as what came of them, so it is true whatever the group's offsets say: a broker that restarts may answer with old ones or none (Apache
// Kafka 4.3 did, where its coordinator had read half of its log), and messages that are taken twice would make numbers wrong.
const consumedKey = "consumed"

// unread is the records of a fetch that are not worked off yet.
func (s *Stitcher) unread(p *held, f kgo.FetchTopicPartition, of state.ReadTopic) []*kgo.Record {
	if of.Topic != s.ids[f.Topic] {
		return f.Records
	}
	known := 0
	for known < len(f.Records) && f.Records[known].Offset < of.Next {
		known++
	}
	if known > 0 {
		if !p.told {
			s.log.Warn("records come again that are worked off: the group's offsets have gone back; they are passed over",
				zap.String("topic", f.Topic), zap.Int32("partition", f.Partition), zap.Int64("offset", f.Records[0].Offset), zap.Int64("worked_off_to", of.Next))
			p.told = true
		}
		s.metrics.repeated.Add(float64(known))
	}
	return f.Records[known:]
}

// consume notes in the changelog how far a batch goes.
func (s *Stitcher) consume(b *batch) error {
	b.read = b.partition.read
	changed := s.goOn(&b.read.Events, pipelines.TopicEvents, b.events)
	if !s.goOn(&b.read.Messages, pipelines.TopicMessages, b.messages) && !changed {
		return nil
	}
	value, err := json.Marshal(b.read)
	if err != nil {
		return err
	}
	b.add(s.cfg.topic(pipelines.TopicState), b.partition.id, []byte(consumedKey), value)
	return nil
}

// goOn moves behind the last record. Markers of transactions say nothing, and are not worth a record.
func (s *Stitcher) goOn(to *state.ReadTopic, topic string, records []*kgo.Record) bool {
	for i := len(records) - 1; i >= 0; i-- {
		if r := records[i]; !r.Attrs.IsControl() {
			*to = state.ReadTopic{Topic: s.ids[s.cfg.topic(topic)], Next: r.Offset + 1}
			return true
		}
	}
	return false
}
