package collector

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/collector/numbers"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// The log of leases is a compacted topic. A pool's records are all in one partition, which one process at a time may write:
//
//	lease ␀ workspace ␀ pool ␀ number            {"visitor":"<node id>","until":ms}
//	hour  ␀ workspace ␀ pool ␀ 2026-11-01T10     {"visitors":n,"dry":n,"demand":{"<numbers needed>":visitors}}

// poolID names a pool.
type poolID struct{ workspace, pool string }

// partition is where a pool's records are.
func (id poolID) partition(n int32) int32 {
	return int32(xxhash.Sum64String(id.workspace+"\x00"+id.pool) % uint64(n))
}

const (
	leaseKey = "lease"
	hourKey  = "hour"
	// hourForm is an hour in UTC.
	hourForm = "2006-01-02T15"
)

func logKey(kind string, id poolID, name string) []byte {
	return []byte(kind + "\x00" + id.workspace + "\x00" + id.pool + "\x00" + name)
}

type leaseRecord struct {
	Visitor string `json:"visitor"`
	Until   int64  `json:"until"`
}

func leaseValue(l numbers.Lease) []byte {
	b, err := json.Marshal(leaseRecord{hex.EncodeToString(l.Visitor[:]), l.Until})
	if err != nil {
		panic(err) // a string and a number
	}
	return b
}

func hourValue(h numbers.Hour) []byte {
	b, err := json.Marshal(h)
	if err != nil {
		panic(err) // numbers alone
	}
	return b
}

// leaseLog is what the log says, as far as it was read.
type leaseLog struct {
	leases map[poolID]map[string]numbers.Lease
	hours  map[poolID]map[string]numbers.Hour
}

func newLeaseLog() *leaseLog {
	return &leaseLog{map[poolID]map[string]numbers.Lease{}, map[poolID]map[string]numbers.Hour{}}
}

func put[V any](all map[poolID]map[string]V, id poolID, name string, v V) {
	if all[id] == nil {
		all[id] = map[string]V{}
	}
	all[id][name] = v
}

func (l *leaseLog) read(r *kgo.Record) error {
	parts := bytes.Split(r.Key, []byte{0})
	if len(parts) != 4 {
		return fmt.Errorf("leases: record %d/%d has no key of ours", r.Partition, r.Offset)
	}
	id, name := poolID{string(parts[1]), string(parts[2])}, string(parts[3])
	var err error
	switch {
	case string(parts[0]) == hourKey && r.Value == nil:
		delete(l.hours[id], name)
	case string(parts[0]) == hourKey:
		var h numbers.Hour
		err = json.Unmarshal(r.Value, &h)
		put(l.hours, id, name, h)
	case string(parts[0]) == leaseKey:
		var v leaseRecord
		var visitor []byte
		if err = json.Unmarshal(r.Value, &v); err == nil {
			visitor, err = hex.DecodeString(v.Visitor)
		}
		if err == nil && len(visitor) != len(event.NodeID{}) {
			err = fmt.Errorf("visitor of %d bytes", len(visitor))
		}
		if err == nil {
			put(l.leases, id, name, numbers.Lease{Number: name, Visitor: event.NodeID(visitor), Until: v.Until})
		}
	}
	if err != nil {
		return fmt.Errorf("leases: record %d/%d: %w", r.Partition, r.Offset, err)
	}
	return nil
}

// readLeases reads what is committed in these partitions of the log (all, if none is named), up to their ends.
func readLeases(ctx context.Context, connect []kgo.Opt, topic string, only ...int32) (*leaseLog, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	log := newLeaseLog()
	if _, err := kafka.ReadAll(ctx, connect, topic, log.read, only...); err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	return log, nil
}

// readTimeout bounds the reading of the log: it has a record a number, and one an hour and pool.
const readTimeout = 30 * time.Second
