package state

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Position is where in the changelog a partition of the store stands.
type Position struct {
	// Topic is the id of the topic: a topic that was made anew under its name is another one.
	Topic string `json:"topic"`
	// Next is the offset of the first record that is not in the store.
	Next int64 `json:"next"`
	// At is when the changelog was last known to stand there: what it has removed for good since then the store cannot know.
	At time.Time `json:"at"`
	// Read is how far the partition's inputs were worked off there.
	Read Read `json:"read,omitzero"`
}

// Read is how far a partition's inputs are worked off.
type Read struct {
	Events   ReadTopic `json:"events"`
	Messages ReadTopic `json:"messages"`
}

// ReadTopic is the first offset that is not worked off. A topic that was made anew under its name is another one.
type ReadTopic struct {
	Topic string `json:"topic"`
	Next  int64  `json:"next"`
}

func positionKey(partition int32) []byte { return append(appendPartition(nil, partition), 0) }

// Position is where a partition stands; false means that nothing of it is there.
func (s *Store) Position(partition int32) (Position, bool, error) {
	v, err := s.get(positionKey(partition))
	if err != nil || v == nil {
		return Position{}, false, err
	}
	var p Position
	if err := json.Unmarshal(v, &p); err != nil {
		return Position{}, false, fmt.Errorf("position of partition %d: %w", partition, err)
	}
	return p, true, nil
}

// Position says where the partition stands once the batch is the store's own.
func (b *Batch) Position(partition int32, p Position) error {
	v, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return b.b.Set(positionKey(partition), v, nil)
}

// Clear removes all of a partition.
func (s *Store) Clear(partition int32) error {
	defer s.Forget(partition)
	return s.db.DeleteRange(appendPartition(nil, partition), appendPartition(nil, partition+1), pebble.NoSync)
}
