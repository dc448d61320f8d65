package identity

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// recorder is the effects of a machine that keeps nothing but the last word on each call.
type recorder struct{ said map[string]*Entry }

func (r *recorder) NewPerson(ID) struct{}                                      { return struct{}{} }
func (r *recorder) Load(struct{}, *Entry)                                      {}
func (r *recorder) Put(Change, string, struct{}, *Entry, *Entry)               {}
func (r *recorder) Merge(string, struct{}, struct{})                           {}
func (r *recorder) Post(Change, string, []struct{}, []struct{})                {}
func (r *recorder) MergeInSteps(string, struct{}, struct{}) Posting            { return nil }
func (r *recorder) PostInSteps(Change, string, []struct{}, []struct{}) Posting { return nil }
func (r *recorder) Bytes(*Entry) int                                           { return 0 }
func (r *recorder) Here(ID) bool                                               { return true }
func (r *recorder) Size(struct{}) int                                          { return 0 }
func (r *recorder) Grew(ID, int)                                               {}
func (r *recorder) Stored(*Entry)                                              {}
func (r *recorder) Pool(ID) bool                                               { return true }
func (r *recorder) Conflict(*Entry)                                            {}
func (r *recorder) Send(m Message) {
	if old := r.said[m.Entry.Key]; old != nil && m.Entry.Version <= old.Version {
		panic("a version came twice")
	}
	r.said[m.Entry.Key] = m.Entry
}

// TestNumbersAgreeWithADirectSearch sends leases and calls in random order, twice some of them, with rollbacks in
// between, and compares the last word on each call with all leases looked through.
func TestNumbersAgreeWithADirectSearch(t *testing.T) {
	states := map[MatchState]int{}
	for seed := range uint64(2000) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		r := &recorder{said: map[string]*Entry{}}
		log := newChangelog()
		m := New[struct{}](r, log, DefaultLimits())
		number := NumberNode("+48221110001")
		var leases []*Lease
		var calls []*Call
		var todo []Message
		for i := range rnd.IntN(12) {
			from := rnd.Int64N(100)
			l := &Lease{fmt.Sprintf("l%d", i), from, from + rnd.Int64N(30), nodeID(rnd.IntN(3)), rnd.IntN(8) == 0}
			leases = append(leases, l)
			todo = append(todo, Message{Kind: Leased, To: number, Cause: l.Key, Lease: l})
		}
		for i := range rnd.IntN(8) {
			c := &Call{Key: fmt.Sprintf("c%d", i), Time: rnd.Int64N(130), Home: nodeID(100 + i)}
			calls = append(calls, c)
			todo = append(todo, Message{Kind: Called, To: number, Cause: c.Key, Call: c})
		}
		rnd.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
		for _, msg := range todo {
			if rnd.IntN(3) == 0 { // a transaction that aborts leaves nothing behind
				said := map[string]*Entry{}
				for k, v := range r.said {
					said[k] = v
				}
				must(m.Handle(msg))
				m.Rollback()
				r.said = said
			}
			for range 1 + rnd.IntN(2) {
				must(m.Handle(msg))
			}
			log.apply(m.Dirty())
			m.Commit()
			if rnd.IntN(4) == 0 { // a restart
				m = New[struct{}](r, log, DefaultLimits())
			}
		}
		for _, c := range calls {
			want := Match{}
			holders := map[ID]bool{}
			for _, l := range leases {
				if l.From <= c.Time && c.Time < l.Until {
					holders[l.Visitor] = true
					if l.Several {
						holders[ID{1}] = true
					}
					want = Match{Matched, l.Visitor}
				}
			}
			if len(holders) > 1 {
				want = Match{State: Ambiguous}
			}
			got := Match{}
			if e := r.said[MatchKey(c.Key)]; e != nil {
				got = *e.Match
				if joined := len(e.Joins) == 1; joined != (want.State == Matched) {
					t.Fatalf("seed %d: call %s joins %v as %v", seed, c.Key, e.Joins, want)
				}
			}
			if got != want {
				t.Fatalf("seed %d: call %s is %v, want %v", seed, c.Key, got, want)
			}
			states[want.State]++
		}
	}
	if states[Matched] == 0 || states[Ambiguous] == 0 || states[Unmatched] == 0 {
		t.Errorf("the worlds are too tame: %v", states)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
