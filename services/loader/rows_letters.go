package loader

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/schemas/deadletter"
)

// letter is a dead letter with its place in Kafka.
type letter struct {
	deadletter.Letter
	received  int64
	partition int32
	offset    int64
}

// unreadable is the code of a dead letter that is none.
const unreadable = "unreadable"

// readLetter never fails: a dead letter that cannot be read must not become another one, for ever.
func readLetter(r *kgo.Record) *letter {
	out := &letter{received: r.Timestamp.UnixMilli(), partition: r.Partition, offset: r.Offset}
	l, err := deadletter.Decode(r.Value)
	if err != nil {
		l = &deadletter.Letter{Code: unreadable, Message: err.Error(), Record: r.Value}
	}
	out.Letter = *l
	if at, err := time.Parse(time.RFC3339, l.ReceivedAt); err == nil {
		out.received = at.UnixMilli()
	}
	return out
}

type letters struct {
	workspace, key, source, code, field, message, body, sealed, topic, record []string
	received, index, offset, recordOffset                                     []int64
	partition, recordPartition                                                []int32
}

func (c *letters) add(l *letter) {
	c.workspace, c.key, c.code = append(c.workspace, l.Workspace), append(c.key, l.Key), append(c.code, l.Code)
	c.source = append(c.source, l.From())
	c.field, c.message, c.body = append(c.field, l.Field), append(c.message, l.Message), append(c.body, l.Body)
	c.sealed, c.topic, c.record = append(c.sealed, string(l.Sealed)), append(c.topic, l.Topic), append(c.record, string(l.Record))
	c.received, c.index = append(c.received, l.received), append(c.index, int64(l.Index))
	c.partition, c.offset = append(c.partition, l.partition), append(c.offset, l.offset)
	c.recordPartition, c.recordOffset = append(c.recordPartition, l.Partition), append(c.recordOffset, l.Offset)
}

func (c *letters) table() table {
	return table{name: "dead_letters", n: len(c.code), columns: []column{
		{"workspace", c.workspace}, {"received_at", c.received}, {"key", c.key}, {"source", c.source}, {"code", c.code}, {"field", c.field}, {"message", c.message},
		{"item", c.index}, {"body", c.body}, {"sealed", c.sealed}, {"record_topic", c.topic}, {"record_partition", c.recordPartition},
		{"record_offset", c.recordOffset}, {"record", c.record}, {"partition", c.partition}, {"offset", c.offset},
	}}
}
