// Package pipelines is how data flows, as data: topics, channel rules, sources and the SQL of ClickHouse.
package pipelines

import (
	"encoding/binary"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/throughline-io/throughline/schemas/event"
)

// Names of topics, before the configured prefix. An incompatible change of what a topic carries is a new version,
// that is a new topic.
const (
	TopicEvents   = "throughline.events.v1"
	TopicMessages = "throughline.messages.v1"
	TopicState    = "throughline.state.v1"
	TopicFacts    = "throughline.facts.v1"
	TopicDead     = "throughline.dead.v1"
	TopicLeases   = "throughline.leases.v1"
	TopicFetches  = "throughline.fetches.v1"
	TopicPulls    = "throughline.pulls.v1"
	TopicImports  = "throughline.imports.v1"
)

// DefaultPartitions is how many partitions each topic gets unless the configuration says otherwise.
const DefaultPartitions = 12

// Topic is one Kafka topic as it must be.
type Topic struct {
	Name string
	// Key says what the record key is, for whoever reads the topic with other tools.
	Key string
	// Doc says what one record is.
	Doc string
	// Retention is how long records stay; 0 means for ever. Ignored for a compacted topic.
	Retention time.Duration
	// Compact keeps the last record of each key for ever.
	Compact bool
	// Tied topics have the same number of partitions and are assigned together, because partition i of each holds the
	// same nodes.
	Tied bool
}

// Topics is every topic of the system.
var Topics = []Topic{
	{Name: TopicEvents, Key: "home node id, 16 bytes", Doc: "an accepted event (schemas/event/event.proto)", Retention: 30 * 24 * time.Hour, Tied: true},
	{Name: TopicMessages, Key: "the node it is addressed to, 16 bytes", Doc: "a message between the owners of nodes (services/stitcher)", Retention: 30 * 24 * time.Hour, Tied: true},
	{Name: TopicState, Key: "kind, workspace, id of a part of the state", Doc: "changelog of the stitcher's state", Compact: true, Tied: true},
	{Name: TopicFacts, Key: "person id, 16 bytes", Doc: "a posting (schemas/fact/fact.proto)", Retention: 30 * 24 * time.Hour},
	{Name: TopicDead, Key: "workspace", Doc: "a rejected item with its reason and raw body (JSON)", Retention: 90 * 24 * time.Hour},
	{Name: TopicLeases, Key: "kind, workspace, pool and number or hour", Doc: "who holds a pool's number, and what a pool was asked for in an hour (JSON)", Compact: true},
	{Name: TopicFetches, Key: "workspace/instance", Doc: "a vendor's item for which the vendor must be asked back (schemas/delivery, JSON)", Retention: 30 * 24 * time.Hour},
	{Name: TopicPulls, Key: "kind, workspace, instance and what of it", Doc: "how far the puller is with each vendor, and its tokens, sealed (JSON)", Compact: true},
	{Name: TopicImports, Key: "workspace, source, entry and the content's hash", Doc: "how far the import of a file is (JSON)", Compact: true},
}

// Home is the node that an event lives with: its partition has all of a node's events in their order.
func Home(e *event.Event) event.NodeID {
	if e.Type == event.Spend {
		return event.SpendKey(e)
	}
	return e.Nodes[0].ID
}

// KeyPartition is the partition of n of what is kept by a text: the dead letters of a workspace, what concerns a vendor's instance.
func KeyPartition(key string, n int32) int32 {
	return int32(xxhash.Sum64String(key) % uint64(n))
}

// Partition is the partition of n that a node's events, messages and state live on.
func Partition(id event.NodeID, n int32) int32 {
	return int32(binary.BigEndian.Uint32(id[:4]) % uint32(n))
}
