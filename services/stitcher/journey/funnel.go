package journey

import (
	"github.com/throughline-io/throughline/schemas/fact"
)

// addSteps adds the steps of the funnel that the deal reached, for each channel that has a part of its creation. A step is here, and
// not a join of the ledger and the stays in ClickHouse, because a sum of products cannot be kept up to date at insert where the
// factors come in two inserts.
func (d *deal) addSteps(f *Facts, creation *booking) {
	if creation.key.conversion != fact.Deal || d.rules.Lean || len(d.stages) == 0 && !d.isWon {
		return
	}
	reached := d.reached()
	for _, c := range channelShares(creation.looked()) {
		for _, r := range reached {
			r.DealID, r.LeadDate, r.Channel, r.Shares = d.id, creation.row.LeadDate, c.channel, c.shares
			f.steps = append(f.steps, r)
		}
	}
}

// reached is the steps without their shares: stages in the order in which they were reached first, and won.
func (d *deal) reached() (out []fact.StepRow) {
	type stage struct{ pipeline, name string }
	at := map[stage]int{}
	for i := range d.stages {
		s := &d.stages[i]
		k := stage{s.Pipeline, s.Stage}
		j, ok := at[k]
		if !ok {
			j = len(out)
			at[k] = j
			out = append(out, fact.StepRow{Pipeline: s.Pipeline, Stage: s.Stage})
		}
		if s.LeftAt != 0 {
			out[j].Ended = true
			out[j].Stayed += s.LeftAt - s.EnteredAt
		}
	}
	if d.isWon {
		out = append(out, fact.StepRow{})
	}
	return out
}

// channelShare is what a channel has of a conversion under each model.
type channelShare struct {
	channel string
	shares  [fact.NumberOfModels]int64
}

// channelShares are in the order of the channels' first touches.
func channelShares(b *booking) (out []channelShare) {
	if len(b.window) == 0 {
		all := channelShare{channel: fact.Unattributed}
		for m := range all.shares {
			all.shares[m] = b.count * oneConversion
		}
		return []channelShare{all}
	}
	at := make([]int, len(b.window))
	for i, t := range b.window {
		at[i] = -1
		for j := range out {
			if out[j].channel == t.Channel {
				at[i] = j
			}
		}
		if at[i] < 0 {
			at[i] = len(out)
			out = append(out, channelShare{channel: t.Channel})
		}
	}
	var s sharing
	s.prepare(b)
	for m := fact.FirstTouch; m <= fact.WShaped; m++ {
		s.by(m, b)
		for i, j := range at {
			out[j].shares[m-fact.FirstTouch] += s.part(i).count
		}
	}
	return out
}
