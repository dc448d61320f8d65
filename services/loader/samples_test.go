package loader

import (
	"fmt"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

// noon is 2026-11-01 12:00 UTC in milliseconds, and its day.
const (
	noon  = int64(1793534400_000)
	today = fact.Date(noon / 86_400_000)
)

var google = fact.Tuple{Channel: "Paid Search", Source: "google", Medium: "cpc", Campaign: "autumn", Content: "(none)", Term: "(none)"}

func node(n int) (id event.NodeID) {
	for i := range id {
		id[i] = byte(n + i)
	}
	id[15] ^= byte(n >> 8)
	return id
}

// posting is the n-th of a kind that has one of everything: a visit, an inquiry and a sale of 100.01 with a cost of 60
// under every model, a call, a deal in a stage, an identity and a day of spend.
func posting(workspace string, n int) *fact.Posting {
	p := &fact.Posting{Workspace: workspace, RecordedAt: noon + int64(n), Cause: fmt.Sprintf("crm/d%d", n)}
	person, at := node(n), noon+int64(n)
	touch := fact.Touchpoint{ID: fmt.Sprintf("site/v%d", n), Time: at, Date: today, Tuple: google}
	deal := fmt.Sprintf("crm/%d", n)
	p.Touchpoints = []fact.Touchpoint{touch}
	p.Bookings = []fact.Booking{
		{CauseType: fact.CauseNew, Person: person, Conversion: fact.Inquiry, ID: p.Cause, LeadTime: at, SaleTime: at, BookedTime: at, LeadDate: today, SaleDate: today, BookedDate: today},
		{CauseType: fact.CauseNew, Person: person, Conversion: fact.Sale, ID: deal, LeadTime: at, SaleTime: at, BookedTime: at, LeadDate: today, SaleDate: today + 1, BookedDate: today + 2},
	}
	for m := fact.FirstTouch; m <= fact.WShaped; m++ {
		p.Credits = append(p.Credits, fact.Credit{Booking: 0, Model: m, Conversions: 1_000_000},
			fact.Credit{Booking: 1, Model: m, Conversions: 1_000_000, Revenue: 100_01, CostOfGoods: 60_00})
	}
	p.Touches = []fact.Touch{{Sign: 1, Person: person, Type: event.Visit, Touchpoint: touch}}
	p.Inquiries = []fact.InquiryRow{{Sign: 1, Person: person, ID: p.Cause, Type: event.Form, Time: at, Date: today}}
	p.Deals = []fact.DealRow{{
		Sign: 1, Person: person, ID: deal, Pipeline: "sales", Stage: "new", Status: "won", Amount: 100_01, CostOfGoods: 60_00, CreatedAt: at, WonAt: at,
		ClosedAt: at, Manager: "Ann", FirstChannel: google.Channel, LastChannel: google.Channel, CreatedDate: today, WonDate: today, ClosedDate: today,
	}}
	p.Stages = []fact.StageRow{{Sign: 1, Person: person, DealID: deal, Pipeline: "sales", Stage: "new", EnteredAt: at, LeftAt: at + hour, Manager: "Ann", EnteredDate: today}}
	p.Conversations = []fact.ConversationRow{{Sign: 1, Person: person, ID: fmt.Sprintf("chat/m%d", n), Platform: "viber", Time: at, Date: today, AnsweredAt: at + minute, Manager: "Ann"}}
	for _, stage := range []string{"new", ""} {
		p.Steps = append(p.Steps, fact.StepRow{
			Sign: 1, DealID: deal, LeadDate: today, Channel: google.Channel, Pipeline: "sales", Stage: stage, Ended: stage != "", Stayed: hour,
			Shares: [fact.NumberOfModels]int64{1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000},
		})
	}
	p.Identities = []fact.IdentityRow{{Sign: 1, Kind: "phone", Node: node(n + 1), Person: person}}
	p.Calls = []fact.CallRow{{Sign: 1, Person: person, ID: fmt.Sprintf("pbx/c%d", n), Time: at, Date: today, Direction: event.In, Status: "answered", Company: "+48221112233", Wait: 3, Talk: 60, Match: "none"}}
	p.Spends = []fact.SpendRow{{Sign: 1, EventID: fmt.Sprintf("ads/s%d", n), Account: "a", Date: today, Impressions: 1000, Clicks: 10, Amount: 5_00, Tuple: google}}
	return p
}

// visit is the n-th raw event of a kind.
func visit(workspace string, n int) *event.Event {
	return &event.Event{
		Workspace: workspace, ID: fmt.Sprintf("v%d", n), Source: "site", Type: event.Visit, Time: noon + int64(n), Received: noon + int64(n) + 5,
		Nodes: []event.Node{{Kind: "anonymous_id", ID: node(n)}}, Content: uint64(n) + 1<<63, Raw: []byte(`{"id":"v"}`),
		Visit: &event.VisitData{URL: "https://shop.example/"},
	}
}

func batchOf(events []*event.Event, postings ...*fact.Posting) *batch {
	b := newBatch()
	for _, e := range events {
		b.events.add(e, 3, 40)
	}
	for _, p := range postings {
		b.addPosting(p)
	}
	return b
}
