package loader

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// note writes into ClickHouse that a plan is about to be loaded, and that the one before it is. A loader that the group has put out may be
// late with it: what it writes stands below what others have written since.
func (l *Loader) note(ctx context.Context, p, loaded plan) error {
	var c loads
	for _, s := range loaded {
		if !p.has(s.topic, s.partition) {
			c.add(s, l.ids[s.topic], "")
		}
	}
	text := p.String()
	for _, s := range p {
		c.add(s, l.ids[s.topic], text)
	}
	return l.insertWithRetries(ctx, p.token(), c.table())
}

// standings is what is known of all partitions: what the group has committed, or what stands in ClickHouse where that is further. A
// broker that restarts may answer with old offsets or none (Apache Kafka 4.3 did, where its coordinator had read half of its log): what
// was loaded since would be loaded again, under other plans and so other tokens.
func (l *Loader) standings(ctx context.Context) (func(topic string, partition int32) standing, error) {
	committed, err := l.admin().FetchOffsets(ctx, l.cfg.topic(l.cfg.Group))
	if err != nil {
		return nil, fmt.Errorf("loader: read committed offsets: %w", err)
	}
	noted, err := l.noted(ctx)
	if err != nil {
		return nil, fmt.Errorf("loader: read how far partitions are loaded: %w", err)
	}
	return func(topic string, partition int32) standing {
		st := standing{offset: -1}
		if o, ok := committed.Lookup(topic, partition); ok {
			st = standing{offset: o.At, plan: o.Metadata}
		}
		return noted[topic][partition].further(st)
	}, nil
}

// note is how far a partition is in ClickHouse: the first offset behind its last plan, and the plan, if it may not be loaded whole.
type note struct {
	next int64
	plan string
}

// further is what stands, of what the group says and what ClickHouse does.
func (n note) further(group standing) standing {
	switch {
	case group.offset >= n.next || n == (note{}):
		return group
	case n.plan == "":
		return standing{offset: n.next, behind: true}
	case group.plan == n.plan: // it is being loaded
		return group
	}
	return standing{offset: n.next - 1, plan: n.plan, behind: true}
}

// noted is how far partitions are in ClickHouse, by topic.
func (l *Loader) noted(ctx context.Context) (map[string]map[int32]note, error) {
	out := map[string]map[int32]note{}
	err := l.withRetries(ctx, func() error {
		clear(out)
		rows, err := l.db.Query(ctx, "SELECT topic, topic_id, partition, next, plan FROM "+schema.Database+".loads FINAL WHERE topic IN ?", l.topics())
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var topic, id string
			var partition int32
			var n note
			if err := rows.Scan(&topic, &id, &partition, &n.next, &n.plan); err != nil {
				return err
			}
			if id != l.ids[topic].String() {
				continue
			}
			if out[topic] == nil {
				out[topic] = map[int32]note{}
			}
			out[topic][partition] = n
		}
		return rows.Err()
	})
	return out, err
}

// identify asks for the topics' ids. A topic that was made a moment ago may not be known everywhere.
func (l *Loader) identify(ctx context.Context) error {
	client, err := kgo.NewClient(l.cfg.Kafka...)
	if err != nil {
		return fmt.Errorf("loader: %w", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, identifyTimeout)
	defer cancel()
	topics, err := kafka.AwaitTopics(ctx, kadm.NewClient(client), l.topics())
	if err != nil {
		return fmt.Errorf("loader: ask for the topics: %w (`throughline migrate` creates them)", err)
	}
	l.ids = map[string]uuid.UUID{}
	for name, t := range topics {
		l.ids[name] = uuid.UUID(t.ID)
	}
	return nil
}

// identifyTimeout bounds the wait for topics that are not there.
const identifyTimeout = 10 * time.Second

// tellBehind counts a partition whose offset had gone back.
func (l *Loader) tellBehind(topic string, partition int32, st standing) {
	l.metrics.behind.Inc()
	l.log.Warn("the group's offset has gone back: what is loaded already is passed over",
		zap.String("topic", topic), zap.Int32("partition", partition), zap.Int64("loaded_to", st.offset), zap.String("plan", st.plan))
}
