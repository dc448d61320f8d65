package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options bound what a store takes of memory.
type Options struct {
	// CacheBytes bounds the blocks that are kept unpacked and, with them, two of what MemtableBytes bounds: what was written and is not on
	// disk yet, the most that is read again from the changelog after a crash.
	CacheBytes, MemtableBytes int
	// RecentBytes bounds what was used last of nodes and is at hand without a look into the store, about.
	RecentBytes int
	// Logf is told what goes wrong on the disk; nil: nobody.
	Logf func(format string, args ...any)
}

// DefaultOptions are for a small machine.
func DefaultOptions() Options {
	return Options{CacheBytes: 160 << 20, MemtableBytes: 48 << 20, RecentBytes: 96 << 20}
}

// Store holds partitions side by side. Its methods may be called at once; those of one Partition may not.
type Store struct {
	db    *pebble.DB
	cache *pebble.Cache
	logf  func(format string, args ...any)

	mu          sync.RWMutex // batches are applied under it
	known       map[int32]*known
	recentBytes int
	reading     sync.WaitGroup
	oneReads    sync.Mutex
	closing     chan struct{}
}

// ErrInUse means that another process has the directory.
var ErrInUse = errors.New("another process uses the directory")

// Open opens the store in a directory, which is made if it is not there; an empty name means memory.
func Open(dir string, o Options) (*Store, error) {
	if dir == "" {
		return open(vfs.NewMem(), "state", o)
	}
	return open(vfs.Default, dir, o)
}

func open(fs vfs.FS, dir string, o Options) (*Store, error) {
	cache := pebble.NewCache(int64(o.CacheBytes))
	options := &pebble.Options{
		FS: fs, Cache: cache, Comparer: comparer, MemTableSize: uint64(o.MemtableBytes),
		// The changelog is the log. What was not flushed is read from it again.
		DisableWAL:         true,
		FormatMajorVersion: pebble.FormatNewest,
		Logger:             logger(o.Logf),
	}
	options.ApplyCompressionSettings(func() pebble.DBCompressionSettings { return pebble.DBCompressionFastest })
	for i := range options.Levels {
		options.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	options.Experimental.SpanPolicyFunc = func([]byte) (pebble.SpanPolicy, []byte, error) {
		// What is said of a node is read together. Without this all but its first record would be taken for older versions of that one, and
		// stand apart.
		return pebble.SpanPolicy{DisableValueSeparationBySuffix: true}, nil, nil
	}
	db, err := pebble.Open(dir, options)
	if err != nil {
		cache.Unref()
		if strings.Contains(err.Error(), "lock") {
			return nil, fmt.Errorf("state in %s: %w: give each stitcher a data directory of its own", dir, ErrInUse)
		}
		return nil, fmt.Errorf("open state in %s: %w (it is a copy of a changelog: it may be removed, and is then read again)", dir, err)
	}
	return &Store{
		db: db, cache: cache, logf: logger(o.Logf).Errorf, known: map[int32]*known{}, recentBytes: o.RecentBytes, closing: make(chan struct{}),
	}, nil
}

// Close flushes, so that the next start has little to read again.
func (s *Store) Close() error {
	defer s.cache.Unref()
	close(s.closing)
	s.reading.Wait()
	err := s.db.Flush()
	return errors.Join(err, s.db.Close())
}

// DiskBytes is how much room the store takes.
func (s *Store) DiskBytes() uint64 { return s.db.Metrics().DiskSpaceUsage() }

// comparer orders bytewise, and knows what of a key names a node: so that a look for a node that was never seen ends at a filter.
var comparer = func() *pebble.Comparer {
	c := *pebble.DefaultComparer
	c.Name = "throughline.node.v1"
	c.Split = func(k []byte) int {
		if len(k) > partitionBytes {
			if end := bytes.IndexByte(k[partitionBytes:], 0); end > 0 && len(k) >= partitionBytes+end+1+idBytes {
				return partitionBytes + end + 1 + idBytes
			}
		}
		return len(k)
	}
	// Keys are not shortened: a shortened one would be split elsewhere.
	c.Separator = func(dst, a, _ []byte) []byte { return append(dst, a...) }
	c.Successor = func(dst, a []byte) []byte { return append(dst, a...) }
	c.ImmediateSuccessor = func(dst, a []byte) []byte { return append(append(dst, a...), 0) }
	return &c
}()

// partitionBytes stand before each key of a partition.
const partitionBytes = 4

func appendPartition(b []byte, id int32) []byte { return binary.BigEndian.AppendUint32(b, uint32(id)) }

// Batch is what becomes a store's own at once.
type Batch struct {
	store *Store
	b     *pebble.Batch
	key   []byte
	nodes []written
}

// NewBatch makes an empty batch with room for about so many bytes. It must be applied or dropped.
func (s *Store) NewBatch(bytes int) *Batch { return &Batch{store: s, b: s.db.NewBatchWithSize(bytes)} }

// Add adds records of a partition's changelog, none twice. It orders them, and they must stand as they are until the batch is applied.
func (b *Batch) Add(partition int32, records ...Record) error {
	// In order, each is put where the last one was: and those of a node stand together.
	slices.SortFunc(records, func(x, y Record) int { return bytes.Compare(x.Key, y.Key) })
	first := 0
	for i, r := range records {
		p, err := splitKey(r.Key)
		if err != nil {
			return err
		}
		b.key = append(appendPartition(b.key[:0], partition), r.Key...)
		if r.Value == nil {
			err = b.b.Delete(b.key, nil)
		} else {
			err = b.b.Set(b.key, r.Value, nil)
		}
		if err != nil {
			return err
		}
		node := len(p.workspace) + 1 + idBytes
		if i+1 == len(records) || !bytes.HasPrefix(records[i+1].Key, r.Key[:node]) {
			b.nodes = append(b.nodes, written{partition, p.id, records[first : i+1]})
			first = i + 1
		}
	}
	return nil
}

// Apply makes the batch the store's own.
func (b *Batch) Apply() error {
	return errors.Join(b.store.commit(b.b, b.nodes), b.Drop())
}

// Drop forgets the batch, if it was not applied or dropped.
func (b *Batch) Drop() error {
	if b.b == nil {
		return nil
	}
	dropped := b.b
	b.b = nil
	return dropped.Close()
}

// Len is how many bytes the batch holds.
func (b *Batch) Len() int { return b.b.Len() }

// get is a value's copy, nil where there is none.
func (s *Store) get(k []byte) ([]byte, error) {
	v, closer, err := s.db.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer closeQuietly(closer)
	return append([]byte{}, v...), nil
}

// logger tells of the disk's faults and of nothing else.
type logger func(format string, args ...any)

func (l logger) Infof(string, ...any) {}

func (l logger) Errorf(format string, args ...any) {
	if l != nil {
		l(format, args...)
	}
}

// Fatalf is called where the store cannot go on: what it holds can be read again from the changelog, so it panics and the
// process starts anew.
func (l logger) Fatalf(format string, args ...any) {
	l.Errorf(format, args...)
	panic(fmt.Sprintf(format, args...))
}

// closeQuietly ends a read; its error has been told by what was read.
func closeQuietly(c io.Closer) { _ = c.Close() }
