package loader

import "github.com/throughline-io/throughline/schemas/fact"

// batch is the rows of a batch by table, in the order of its records.
type batch struct {
	events     events
	credits    credits
	touches    touches
	spends     spends
	inquiries  inquiries
	deals      deals
	stages     stages
	identities identities
	calls      calls
	conflicts  conflicts
	letters    letters

	conversations conversations
	steps         steps
}

func newBatch() *batch { return &batch{} }

// reset forgets all rows. The room of those of which there are many is used again.
func (b *batch) reset() {
	*b = batch{credits: b.credits.emptied(), touches: b.touches.emptied(), identities: b.identities.emptied(), steps: b.steps.emptied(), events: b.events.emptied()}
}

// add takes an item that could be read.
func (b *batch) add(i *item) {
	switch {
	case i.event != nil:
		b.events.add(i.event, i.record.Partition, i.record.Offset)
	case i.posting != nil:
		b.addPosting(i.posting)
	case i.letter != nil:
		b.letters.add(i.letter)
	}
}

func (b *batch) addPosting(p *fact.Posting) {
	for i := range p.Credits {
		b.credits.add(p, &p.Credits[i])
	}
	for i := range p.Touches {
		b.touches.add(p, &p.Touches[i])
	}
	for i := range p.Spends {
		b.spends.add(p, &p.Spends[i])
	}
	for i := range p.Inquiries {
		b.inquiries.add(p, &p.Inquiries[i])
	}
	for i := range p.Deals {
		b.deals.add(p, &p.Deals[i])
	}
	for i := range p.Stages {
		b.stages.add(p, &p.Stages[i])
	}
	for i := range p.Identities {
		b.identities.add(p, &p.Identities[i])
	}
	for i := range p.Calls {
		b.calls.add(p, &p.Calls[i])
	}
	for i := range p.Conversations {
		b.conversations.add(p, &p.Conversations[i])
	}
	for i := range p.Steps {
		b.steps.add(p, &p.Steps[i])
	}
	for i := range p.Conflicts {
		b.conflicts.add(p, &p.Conflicts[i])
	}
}

// tables are those that have rows; what reports read stands before what only an audit does.
func (b *batch) tables() (out []table) {
	for _, t := range []table{
		b.touches.table(), b.credits.table(), b.spends.table(), b.inquiries.table(), b.deals.table(), b.stages.table(), b.calls.table(),
		b.conversations.table(), b.steps.table(), b.identities.table(), b.events.table(), b.conflicts.table(), b.letters.table(),
	} {
		if t.n > 0 {
			out = append(out, t)
		}
	}
	return out
}
