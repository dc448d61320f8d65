package stitcher

import (
	"maps"
	"sync"
)

// ownership is which partitions are ours, as the group tells in its own goroutine. A partition that is ours in one
// generation of the group and in the next keeps its number, and with it its state: nobody else can have had it in
// between. One that was lost, or may have been another's for a while, gets a new number and is restored.
type ownership struct {
	mu         sync.Mutex
	next       uint64
	generation int32
	since      map[int32]uint64
}

// assigned tells the whole assignment of a generation (the range balancer is eager: each rebalance assigns all anew).
func (o *ownership) assigned(generation int32, partitions []int32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	since := make(map[int32]uint64, len(partitions))
	for _, p := range partitions {
		if old, ok := o.since[p]; ok && generation == o.generation+1 {
			since[p] = old
			continue
		}
		o.next++
		since[p] = o.next
	}
	o.since, o.generation = since, generation
}

func (o *ownership) lost() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.since = map[int32]uint64{}
}

func (o *ownership) now() map[int32]uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.since)
}
