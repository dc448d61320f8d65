package state

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/throughline-io/throughline/services/stitcher/identity"
)

func randomID(rnd *rand.Rand) (id identity.ID) {
	binary.BigEndian.PutUint64(id[:8], rnd.Uint64())
	binary.BigEndian.PutUint64(id[8:], rnd.Uint64())
	return id
}

// A node that was added is never denied; of those that were not, few are taken for it.
func TestSeenNeverDeniesWhatIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		n := rapid.IntRange(0, 6*firstSeen).Draw(t, "nodes")
		f := &seen{whole: true}
		all := make([]identity.ID, n)
		for i := range all {
			all[i] = randomID(rnd)
			f.add(all[i])
		}
		for _, id := range all {
			if !f.may(id) {
				t.Fatalf("%x of %d nodes is denied", id, n)
			}
		}
		wrong := 0
		const others = 10_000
		for range others {
			if f.may(randomID(rnd)) {
				wrong++
			}
		}
		if wrong > others/10 {
			t.Fatalf("%d of %d others are taken for one of %d", wrong, others, n)
		}
	})
}

// Beyond its bound it says maybe to all, and takes no memory.
func TestSeenIsBounded(t *testing.T) {
	f := &seen{whole: true}
	rnd := rand.New(rand.NewPCG(1, 2))
	for f.grow() {
		f.room = 0
	}
	f.add(randomID(rnd))
	if !f.may(randomID(rnd)) || f.bytes() != 0 || f.layers != nil {
		t.Fatalf("%d bytes, %d layers", f.bytes(), len(f.layers))
	}
}

// While the filter still reads what the store held, batches are applied: in the end it knows both, and until then it denies nothing.
func TestSeenReadsTheStoreWhileItIsWritten(t *testing.T) {
	s, err := Open(t.TempDir(), small)
	must(t, err)
	rnd := rand.New(rand.NewPCG(3, 4))
	var nodes []identity.ID
	write := func(n int) {
		for range n {
			id := randomID(rnd)
			nodes = append(nodes, id)
			e := entry("s/1", id)
			apply(t, s, 3, records.Entry("w", identity.EntryRef{Home: id, Key: e.Key}, e))
		}
	}
	check := func(p *Partition) {
		t.Helper()
		must(t, p.Refresh())
		for _, id := range nodes {
			r, err := p.Space("w").Node(id)
			must(t, err)
			if len(r.Entries) != 1 {
				t.Fatalf("%x is denied", id)
			}
		}
	}
	write(2_000)
	p := s.Partition(3)
	check(p)
	var others sync.WaitGroup
	others.Go(func() { // another partition's, at once
		q, rnd := s.Partition(4), rand.New(rand.NewPCG(5, 6))
		for range 2_000 {
			if _, err := q.Space("w").Node(randomID(rnd)); err != nil {
				t.Error(err)
			}
		}
		if err := q.Refresh(); err != nil {
			t.Error(err)
		}
	})
	write(2_000)
	check(p)
	others.Wait()
	s.reading.Wait()
	check(p)
	if !p.known.seen.whole || s.FilterBytes() == 0 {
		t.Fatal("the store was not read whole")
	}
	denied := 0
	for range 1_000 {
		if !p.known.seen.may(randomID(rnd)) {
			denied++
		}
	}
	if denied < 900 {
		t.Fatalf("of 1,000 nodes that are not there %d are denied", denied)
	}
	must(t, p.Refresh())
	must(t, s.Close())
}

// A store that is closed while the filter reads ends the reading.
func TestSeenEndsWithTheStore(t *testing.T) {
	s, err := Open(t.TempDir(), small)
	must(t, err)
	e := entry("s/1", a)
	apply(t, s, 0, records.Entry("w", identity.EntryRef{Home: a, Key: e.Key}, e))
	s.oneReads.Lock()
	k, err := s.knownOf(0)
	must(t, err)
	f := &k.seen
	closed := make(chan error)
	go func() { closed <- s.Close() }()
	<-s.closing
	s.oneReads.Unlock()
	must(t, <-closed)
	if !f.may(b) {
		t.Fatal("it denies though it has not read all")
	}
}
