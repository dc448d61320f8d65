package loader

import "github.com/google/uuid"

// loads is how far partitions are in ClickHouse itself.
type loads struct {
	topic, id, plan []string
	partition       []int32
	next            []int64
}

func (c *loads) add(s span, id uuid.UUID, plan string) {
	c.topic, c.id, c.plan = append(c.topic, s.topic), append(c.id, id.String()), append(c.plan, plan)
	c.partition, c.next = append(c.partition, s.partition), append(c.next, s.last+1)
}

func (c *loads) table() table {
	return table{name: "loads", n: len(c.topic), columns: []column{
		{"topic", c.topic}, {"topic_id", c.id}, {"partition", c.partition}, {"next", c.next}, {"plan", c.plan},
	}}
}
