package state

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/stitcher/identity"
)

var records Arena

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func apply(t *testing.T, s *Store, partition int32, records ...Record) {
	t.Helper()
	b := s.NewBatch(0)
	must(t, b.Add(partition, records...))
	must(t, b.Apply())
}

var (
	a, b, c = identity.ID{1}, identity.ID{2}, identity.ID{3}
	small   = Options{CacheBytes: 1 << 20, MemtableBytes: 1 << 18}
)

func entry(key string, home identity.ID, joins ...identity.ID) *identity.Entry {
	e := &event.Event{Workspace: "w", Source: "s", ID: key[2:], Type: event.Form, Form: &event.FormData{}, Nodes: []event.Node{{Kind: "k", ID: home}}}
	return &identity.Entry{Key: key, Version: 1, Home: home, Joins: joins, Event: e.Keep()}
}

// What was written is read, of its own node, workspace and partition alone, and what was taken back is gone.
func TestStoreReadsWhatWasWritten(t *testing.T) {
	s, err := Open("", small)
	must(t, err)
	e, f := entry("s/1", a, b), entry("s/2", b)
	lease := &identity.Lease{Key: "s/3", From: 5, Until: 9, Visitor: b, Several: true}
	call := &identity.Call{Key: "s/4", Time: 7, Home: c, Version: 2, Match: identity.Match{State: identity.Matched, Visitor: b}}
	apply(t, s, 4,
		records.Entry("w", identity.EntryRef{Home: a, Key: e.Key}, e), records.Entry("w", identity.EntryRef{Home: b, Key: f.Key}, f), records.Member("w", identity.Pair{A: a, B: b}, identity.Membership{Here: true}),
		records.Moved("w", identity.Pair{A: b, B: b}, a), records.Moved("w", identity.Pair{A: a, B: c}, b),
		records.Lease("w", identity.EntryRef{Home: c, Key: lease.Key}, lease), records.Call("w", identity.EntryRef{Home: c, Key: call.Key}, call),
		records.Spend("w", c, f.Event), records.Config("w", []byte("rules")),
		records.Entry("v", identity.EntryRef{Home: a, Key: f.Key}, f),
	)
	apply(t, s, 5, records.Entry("w", identity.EntryRef{Home: a, Key: f.Key}, f))
	p := s.Partition(4)
	w := p.Space("w")
	for _, row := range []struct {
		name string
		read func() (any, error)
		want any
	}{
		{"an owner", func() (any, error) { return w.Node(a) }, identity.Record{Others: []identity.Other{{ID: b}}, Entries: []*identity.Entry{e}}},
		{"a node that is away", func() (any, error) { return w.Node(b) }, identity.Record{Away: true, Next: a}},
		{"a node never seen", func() (any, error) { return w.Node(identity.ID{9}) }, identity.Record{}},
		{"entries of a home", func() (any, error) { return w.Entries(b) }, []*identity.Entry{f}},
		{"another workspace", func() (any, error) { return p.Space("v").Node(a) }, identity.Record{Entries: []*identity.Entry{f}}},
		{"a workspace whose name begins so", func() (any, error) { return p.Space("vw").Node(a) }, identity.Record{}},
		{"spend", func() (any, error) { return w.Spend(c) }, f.Event},
		{"no spend", func() (any, error) { return w.Spend(b) }, (*event.Event)(nil)},
		{"a configuration", func() (any, error) { return w.Config() }, []byte("rules")},
		{"workspaces", func() (any, error) { return p.Workspaces() }, []string{"v", "w"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := row.read()
			must(t, err)
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
	leases, calls, err := w.Number(c)
	must(t, err)
	if !reflect.DeepEqual(leases, []*identity.Lease{lease}) || !reflect.DeepEqual(calls, []*identity.Call{call}) {
		t.Errorf("a number knows %+v and %+v", leases, calls)
	}
	for pair, want := range map[identity.Pair]identity.ID{{A: b, B: b}: a, {A: a, B: c}: b, {A: a, B: b}: {}} {
		if got, ok, err := w.Moved(pair.A, pair.B); err != nil || got != want || ok != (want != identity.ID{}) {
			t.Errorf("%v: got %v, %v, %v", pair, got, ok, err)
		}
	}

	apply(t, s, 4, records.Entry("w", identity.EntryRef{Home: a, Key: e.Key}, nil), records.Member("w", identity.Pair{A: a, B: b}, identity.Membership{}), records.Moved("w", identity.Pair{A: b, B: b}, identity.ID{}))
	if got, err := w.Node(a); err != nil || len(got.Entries) != 1 {
		t.Errorf("a view changes before it is refreshed: %+v, %v", got, err)
	}
	must(t, p.Refresh())
	for _, id := range []identity.ID{a, b} {
		if got, err := w.Node(id); err != nil || got.Away || len(got.Others) != 0 {
			t.Errorf("what was taken back is there: %+v, %v", got, err)
		}
	}
	must(t, p.Refresh())
	must(t, s.Clear(4))
	if got, err := p.Workspaces(); err != nil || len(got) != 0 {
		t.Errorf("a partition that was cleared has %v, %v", got, err)
	}
	must(t, p.Refresh())
	other := s.Partition(5)
	if got, err := other.Workspaces(); err != nil || !slices.Equal(got, []string{"w"}) {
		t.Errorf("another partition has %v, %v", got, err)
	}
	must(t, other.Refresh())
	must(t, s.Close())
}

// TestEachTellsEveryIDOnce goes through a workspace that lies between two others.
func TestEachTellsEveryIDOnce(t *testing.T) {
	s, err := Open("", small)
	must(t, err)
	for _, w := range []string{"u", "w", "ww"} {
		for i := range 50 {
			home := identity.ID{byte(i)}
			apply(t, s, 0, records.Entry(w, identity.EntryRef{Home: home, Key: "s/1"}, entry("s/1", home)), records.Moved(w, identity.Pair{A: home, B: home}, a))
		}
	}
	p := s.Partition(0)
	var ids []identity.ID
	must(t, p.Space("w").Each(func(id identity.ID, has func(Kind) bool) error {
		if !has(KindEntry) || !has(KindAway) || has(KindMember) {
			t.Errorf("%v has other kinds", id)
		}
		ids = append(ids, id)
		return nil
	}))
	if len(ids) != 50 || len(slices.Compact(ids)) != 50 {
		t.Errorf("%d ids", len(ids))
	}
	failed := errors.New("enough")
	if err := p.Space("w").Each(func(identity.ID, func(Kind) bool) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	must(t, p.Refresh())
	must(t, s.Close())
}

// TestACrashLeavesAWholeTransaction crashes a store at random moments, on a disk that has kept a random part of what was not synced:
// what is there afterwards is the state of one transaction, whole, with the position that follows it.
func TestACrashLeavesAWholeTransaction(t *testing.T) {
	behind := 0
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		disk := vfs.NewCrashableMem()
		s, err := open(disk, "state", small)
		must(t, err)
		const keys = 40
		last := 50 + rnd.IntN(200)
		for i := 1; i <= last; i++ {
			batch := s.NewBatch(0)
			for k := range keys {
				home := identity.ID{byte(k), 1}
				e := entry(fmt.Sprint("s/", k), home)
				e.Version = uint64(i)
				must(t, batch.Add(int32(k%3), records.Entry("w", identity.EntryRef{Home: home, Key: e.Key}, e)))
			}
			for p := range int32(3) {
				must(t, batch.Position(p, Position{Topic: "t", Next: int64(i), At: time.Unix(int64(i), 0)}))
			}
			must(t, batch.Apply())
		}
		after := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rnd.IntN(101), RNG: rnd})
		must(t, s.Close())
		if s, err = open(after, "state", small); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		at, found, err := s.Position(0)
		must(t, err)
		if at.Next < int64(last) {
			behind++
		}
		for k := range keys {
			p := s.Partition(int32(k % 3))
			other, _, err := s.Position(int32(k % 3))
			must(t, err)
			entries, err := p.Space("w").Entries(identity.ID{byte(k), 1})
			must(t, err)
			must(t, p.Refresh())
			if other.Next != at.Next || found && (len(entries) != 1 || entries[0].Version != uint64(at.Next)) || !found && len(entries) != 0 {
				t.Fatalf("seed %d: at %d, key %d is %+v of %d", seed, at.Next, k, entries, other.Next)
			}
		}
		must(t, s.Close())
	}
	if behind == 0 {
		t.Error("no crash lost anything: the disk is too good to prove anything")
	}
}

func TestOneProcessADirectory(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, small)
	must(t, err)
	if _, err := Open(dir, small); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v", err)
	}
	apply(t, s, 1, records.Config("w", []byte("kept")))
	must(t, s.Close())
	s, err = Open(dir, small)
	must(t, err)
	p := s.Partition(1)
	if got, err := p.Space("w").Config(); err != nil || string(got) != "kept" {
		t.Errorf("after a restart: %q, %v", got, err)
	}
	must(t, p.Refresh())
	must(t, s.Close())
}
