package stitcher

import (
	"errors"
	"fmt"
	"time"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/services/stitcher/state"
)

// fill puts what a transaction changes into a batch of the store's.
func fill(to *state.Batch, work []*batch) error {
	for _, b := range work {
		if err := to.Add(b.partition.id, b.changes...); err != nil {
			return fmt.Errorf("keep the state: %w", err)
		}
	}
	return nil
}

// room is what a store's batch takes that holds all that was changed.
func room(work []*batch) (bytes int) {
	for _, b := range work {
		bytes += b.tally.changeBytes + recordBytes*len(b.changes)
	}
	return bytes
}

// recordBytes is what a record takes in the store's batch beside itself, about.
const recordBytes = 16

// save makes what a transaction has committed the store's own. Before that a crash loses nothing: it is in the changelog.
func (s *Stitcher) save(filled *state.Batch, work []*batch) error {
	topic := s.cfg.topic(pipelines.TopicState)
	for _, b := range work {
		if len(b.changes) == 0 && b.read == b.partition.read {
			continue
		}
		at := state.Position{Topic: s.stateID(), At: time.Now(), Read: b.read}
		for _, r := range b.out {
			if r.Topic == topic {
				at.Next = max(at.Next, r.Offset+1)
			}
		}
		if err := filled.Position(b.partition.id, at); err != nil {
			return fmt.Errorf("keep the state: %w", err)
		}
		b.partition.next = at.Next
	}
	if err := filled.Apply(); err != nil {
		return fmt.Errorf("keep the state: %w", err)
	}
	return nil
}

// stamp says of the partitions that are held that nobody else has changed them until now, so that a start after a quiet day finds
// them good.
func (s *Stitcher) stamp() error {
	batch := s.store.NewBatch(0)
	owned := s.ownership.now()
	for id, p := range s.partitions {
		if p.next == 0 || owned[id] != p.since {
			continue
		}
		if err := batch.Position(id, state.Position{Topic: s.stateID(), Next: p.next, At: time.Now(), Read: p.read}); err != nil {
			return errors.Join(err, batch.Drop())
		}
	}
	return batch.Apply()
}
