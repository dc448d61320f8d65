package loader

import "sync"

// settled are partitions whose plan of a former life is finished, with the offset to go on from. It is committed with
// the next turn: not where it is found out, for there the assignment is still under way, and a commit of a partition that
// goes to somebody else in the same moment would take that one's commit back.
type settled struct {
	mu sync.Mutex
	at map[string]map[int32]int64
}

func (s *settled) put(topic string, partition int32, next int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at == nil {
		s.at = map[string]map[int32]int64{}
	}
	put(s.at, topic, partition, next)
}

// forget drops partitions that are no longer ours.
func (s *settled) forget(lost map[string][]int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for topic, partitions := range lost {
		for _, p := range partitions {
			delete(s.at[topic], p)
		}
	}
}

// take empties it.
func (s *settled) take() map[string]map[int32]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.at
	s.at = nil
	return at
}
