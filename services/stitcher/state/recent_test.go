package state

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/throughline-io/throughline/services/stitcher/identity"
)

// Whatever was written, forgotten or let go of: what is at hand of a node is what the store holds of it.
func TestRecentIsWhatTheStoreHolds(t *testing.T) {
	hits := 0
	rapid.Check(t, func(t *rapid.T) {
		rnd := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		options := small
		options.RecentBytes = rapid.SampledFrom([]int{0, 4 << 10, 20 << 10, 4 << 20}).Draw(t, "room")
		s, err := Open("", options)
		if err != nil {
			t.Fatal(err)
		}
		nodes := make([]identity.ID, 1+rnd.IntN(40))
		for i := range nodes {
			nodes[i] = randomID(rnd)
		}
		node := func() identity.ID { return nodes[rnd.IntN(len(nodes))] }
		spaces := []string{"w", "ww"}
		p := s.Partition(1)
		check := func() {
			bare := s.Partition(1) // its first read makes the iterator that is read below
			it, err := bare.iterator()
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range spaces {
				for _, id := range nodes {
					got, err := p.Space(w).Node(id)
					if err != nil {
						t.Fatal(err)
					}
					if records, ok := p.known.recent.find(w, id, p.version, p.recentLimit); ok {
						hits++
						space := bare.Space(w)
						want := []byte{}
						prefix := space.prefix(id)
						for ok := it.SeekPrefixGE(prefix); ok; ok = it.Next() {
							want = appendRecord(want, it.Key()[len(prefix):], it.Value())
						}
						if string(records) != string(want) {
							t.Fatalf("of %x in %s at hand\n%q, in the store\n%q", id, w, records, want)
						}
					}
					again, err := p.Space(w).Node(id)
					if err != nil || !reflect.DeepEqual(got, again) {
						t.Fatalf("of %x in %s read %+v, then %+v, %v", id, w, got, again, err)
					}
				}
			}
			if n := s.RecentBytes(); n > 2*options.RecentBytes+2*pieceBytes+placeBytes*len(nodes) {
				t.Fatalf("%d bytes are at hand, of %d", n, options.RecentBytes)
			}
			if err := bare.Refresh(); err != nil {
				t.Fatal(err)
			}
		}
		for range rnd.IntN(60) {
			switch rnd.IntN(12) {
			case 0:
				check()
				continue
			case 1:
				s.Forget(1)
				continue
			case 2:
				if rnd.IntN(4) == 0 {
					if err := p.Refresh(); err != nil {
						t.Fatal(err)
					}
					if err := s.Clear(1); err != nil {
						t.Fatal(err)
					}
				}
				continue
			}
			var a Arena
			var all []Record
			done := map[string]bool{}
			for range 1 + rnd.IntN(20) {
				w, id, key := spaces[rnd.IntN(len(spaces))], node(), fmt.Sprint("s/", rnd.IntN(6))
				e := entry(key, id)
				e.Version = rnd.Uint64()
				for range rnd.IntN(8) * rnd.IntN(8) { // some are large
					e.Joins = append(e.Joins, randomID(rnd))
				}
				if rnd.IntN(4) == 0 {
					e = nil
				}
				r := a.Entry(w, identity.EntryRef{Home: id, Key: key}, e)
				switch rnd.IntN(6) {
				case 0:
					r = a.Member(w, identity.Pair{A: id, B: node()}, identity.Membership{Here: rnd.IntN(2) == 0})
				case 1:
					r = a.Moved(w, identity.Pair{A: id, B: id}, []identity.ID{{}, node()}[rnd.IntN(2)])
				}
				if !done[string(r.Key)] {
					done[string(r.Key)] = true
					all = append(all, r)
				}
			}
			b := s.NewBatch(0)
			if err := b.Add(1, all...); err != nil {
				t.Fatal(err)
			}
			if rnd.IntN(6) == 0 { // a transaction that aborts
				err = b.Drop()
			} else {
				err = b.Apply()
			}
			if err != nil {
				t.Fatal(err)
			}
			if rnd.IntN(3) > 0 {
				if err := p.Refresh(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := p.Refresh(); err != nil {
			t.Fatal(err)
		}
		check()
		if err := p.Refresh(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	})
	if hits == 0 {
		t.Fatal("nothing was ever at hand")
	}
}

// What was not used for a while leaves, and what is used stays.
func TestRecentLetsGoOfWhatIsNotUsed(t *testing.T) {
	var r recent
	const limit = 8 * pieceBytes
	id := func(i int) (id identity.ID) {
		binary.BigEndian.PutUint64(id[:8], uint64(i))
		return id
	}
	records := make([]byte, 1000)
	r.keep("w", id(0), records, 0, limit)
	for i := 1; i < 10_000; i++ {
		r.keep("w", id(i), records, 0, limit)
		if _, ok := r.find("w", id(0), 0, limit); !ok {
			t.Fatalf("what is always used has left after %d others", i)
		}
		if n := r.bytes(); n > limit+2*pieceBytes {
			t.Fatalf("%d bytes, of %d", n, limit)
		}
	}
	if _, ok := r.find("w", id(1), 0, limit); ok {
		t.Fatal("what was not used is there")
	}
	if _, ok := r.find("v", id(0), 0, limit); ok {
		t.Fatal("another workspace's is found")
	}
	if _, ok := r.find("w", id(0), 1, limit); ok {
		t.Fatal("another version is found")
	}
	r.keep("w", id(0), make([]byte, mostRecent+1), 0, limit)
	if _, ok := r.find("w", id(0), 0, limit); ok {
		t.Fatal("what is too large is there as it was before")
	}
}
