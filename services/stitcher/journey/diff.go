package journey

import (
	"github.com/throughline-io/throughline/schemas/fact"
)

// Change says why facts change.
type Change struct {
	// Cause is the key of the event that caused it.
	Cause string
	// Type is CauseMerge, CauseSplit or CauseRebuild where persons or rules changed; zero for an event, where each booking
	// tells its own.
	Type fact.CauseType
}

// Diff appends to p what must be posted so that the facts of before become those of after.
func Diff(p *fact.Posting, before, after []*Facts, why Change) {
	if booked(before) || booked(after) {
		l := newLedger(p)
		l.diff(before, after, why)
		l.done()
	}
	diffAllRows(p, before, after)
}

// diffAllRows appends the rows that come and go.
func diffAllRows(p *fact.Posting, before, after []*Facts) {
	diffRows(&p.Touches, before, after, func(f *Facts) []fact.Touch { return f.touches }, func(r *fact.Touch) *int32 { return &r.Sign })
	diffRows(&p.Inquiries, before, after, func(f *Facts) []fact.InquiryRow { return f.inquiries }, func(r *fact.InquiryRow) *int32 { return &r.Sign })
	diffRows(&p.Deals, before, after, func(f *Facts) []fact.DealRow { return f.deals }, func(r *fact.DealRow) *int32 { return &r.Sign })
	diffRows(&p.Stages, before, after, func(f *Facts) []fact.StageRow { return f.stages }, func(r *fact.StageRow) *int32 { return &r.Sign })
	diffRows(&p.Identities, before, after, func(f *Facts) []fact.IdentityRow { return f.identities }, func(r *fact.IdentityRow) *int32 { return &r.Sign })
	diffRows(&p.Calls, before, after, func(f *Facts) []fact.CallRow { return f.calls }, func(r *fact.CallRow) *int32 { return &r.Sign })
	diffRows(&p.Conversations, before, after, func(f *Facts) []fact.ConversationRow { return f.conversations }, func(r *fact.ConversationRow) *int32 { return &r.Sign })
	diffRows(&p.Steps, before, after, func(f *Facts) []fact.StepRow { return f.steps }, func(r *fact.StepRow) *int32 { return &r.Sign })
}

// diffRows appends the difference of two multisets of rows, with their signs. Rows of one person come in a fixed order, so for the common
// change of one person the equal ends are passed over without a map.
func diffRows[R comparable](to *[]R, before, after []*Facts, rows func(*Facts) []R, sign func(*R) *int32) {
	emit := func(r R, s int32) {
		*to = append(*to, r)
		*sign(&(*to)[len(*to)-1]) = s
	}
	if len(before) == 1 && len(after) == 1 {
		b, a := trim(rows(before[0]), rows(after[0]))
		diffSets([][]R{b}, [][]R{a}, emit)
		return
	}
	collect := func(fs []*Facts) (out [][]R) {
		for _, f := range fs {
			out = append(out, rows(f))
		}
		return out
	}
	diffSets(collect(before), collect(after), emit)
}

func count[R any](lists [][]R) (n int) {
	for _, l := range lists {
		n += len(l)
	}
	return n
}

func tell[R any](lists [][]R, sign int32, emit func(R, int32)) {
	for _, l := range lists {
		for _, r := range l {
			emit(r, sign)
		}
	}
}

func trim[R comparable](b, a []R) ([]R, []R) {
	for len(b) > 0 && len(a) > 0 && b[0] == a[0] {
		b, a = b[1:], a[1:]
	}
	for len(b) > 0 && len(a) > 0 && b[len(b)-1] == a[len(a)-1] {
		b, a = b[:len(b)-1], a[:len(a)-1]
	}
	return b, a
}

func diffSets[R comparable](before, after [][]R, emit func(R, int32)) {
	if count(before) == 0 || count(after) == 0 {
		tell(after, 1, emit)
		tell(before, -1, emit)
		return
	}
	left := map[R]int32{}
	for _, rows := range before {
		for _, r := range rows {
			left[r]++
		}
	}
	for _, rows := range after {
		for _, r := range rows {
			if left[r] > 0 {
				left[r]--
			} else {
				emit(r, 1)
			}
		}
	}
	for _, rows := range before { // in the order of before: postings must not depend on a map's order
		for _, r := range rows {
			if left[r] > 0 {
				left[r]--
				emit(r, -1)
			}
		}
	}
}
