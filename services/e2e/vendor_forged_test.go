package e2e

import (
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
	"github.com/throughline-io/throughline/pipelines/sources/checks"
)

// unknownKey counts under no workspace: an address that is none names none.
const unknownKey = string(checks.UnknownKey)

// forged are requests that must change nothing: the samples that are refused, those that are let in sent to another address, and, where
// the vendor says when it sent, those that are let in caught and sent again later.
func (p *play) forged() (list []func()) {
	for _, sample := range p.v.refused() {
		list = append(list, func() { p.refusedSample(sample) })
	}
	hooked := false
	for _, name := range p.v.ledger.Send {
		sample := p.v.samples[name]
		_, e, err := sample.Sent(p.v.Source)
		if err != nil || e.Kind != sources.Webhook {
			continue
		}
		if !hooked {
			hooked = true
			list = append(list, func() {
				r, _ := p.addressed(sample, "a-key-that-somebody-guessed")
				p.mustRefuse(sample, r, 401, unknownKey)
			})
		}
		if w := windowOf(e); w != nil {
			list = append(list, func() {
				r, e := p.signed(sample, w.Within+time.Minute)
				p.mustRefuse(sample, r, e.Answer.Forged, string(checks.TooOld))
			})
		}
	}
	return list
}

// refusedSample sends a sample that must be refused for its reason, and for no other: one that is forged is no old one.
func (p *play) refusedSample(sample *sources.Sample) {
	_, e := p.addressed(sample, "")
	ago, signed := time.Duration(0), false
	if w := windowOf(e); w != nil {
		switch checks.Reason(sample.Refused) {
		case checks.TooOld:
			ago, signed = w.Within+time.Minute, true
		case checks.TooNew:
			ago, signed = -w.Within-time.Minute, true
		default: // it is refused whenever it comes
		}
	}
	if signed {
		r, e := p.signed(sample, ago)
		p.mustRefuse(sample, r, e.Answer.Forged, sample.Refused)
		return
	}
	r, e := p.addressed(sample, vendorKey(p.name))
	if sample.Refused != string(checks.NoTime) {
		p.dated(r, e, 0)
	}
	p.mustRefuse(sample, r, e.Answer.Forged, sample.Refused)
}

func (p *play) mustRefuse(sample *sources.Sample, r *checks.Request, want int, reason string) {
	p.t.Helper()
	p.refused[reason]++
	if status, body := p.request(r); status != want {
		p.t.Errorf("%s, which must be refused as %s: HTTP %d, want %d: %s", sample.Name(), reason, status, want, body)
	}
}
