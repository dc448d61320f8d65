// Package fact is what the stitcher posts and the loader writes: the ledger's entries and the other facts that a
// journey implies.
//
// Every fact is signed: Sign (or the quantities themselves, in a credit) is added when the fact appears and
// subtracted when it goes. Whoever sums all postings, in any order, has the facts of today; nothing is ever updated.
package fact

import "github.com/throughline-io/throughline/schemas/event"

// CauseType says why a ledger entry was posted. Values travel: never renumber.
type CauseType uint8

// The closed list of SPEC §7.
const (
	CauseNew      CauseType = 1
	CauseLate     CauseType = 2
	CauseMerge    CauseType = 3
	CauseSplit    CauseType = 4
	CauseEdit     CauseType = 5
	CauseReversal CauseType = 6
	CauseRebuild  CauseType = 7
)

// Conversion is the kind of a conversion. Values travel.
type Conversion uint8

// Kinds of conversion.
const (
	Inquiry Conversion = 1
	Deal    Conversion = 2
	Sale    Conversion = 3
)

// Model is an attribution model. Values travel.
type Model uint8

// The seven models.
const (
	FirstTouch     Model = 1
	LastTouch      Model = 2
	LastNonDirect  Model = 3
	Linear         Model = 4
	TimeDecay      Model = 5
	PositionBased  Model = 6
	WShaped        Model = 7
	NumberOfModels       = 7
)

// Date is days since 1970-01-01 in the workspace's time zone.
type Date int32

// Tuple is where a touch came from after the channel rules: values are lower case, an absent one is "(none)".
type Tuple struct{ Channel, Source, Medium, Campaign, Content, Term string }

// Posting is what one cause changed in one person's facts (or in one spend key). It is one Kafka record.
type Posting struct {
	Workspace string
	// RecordedAt is when it was posted, Unix milliseconds, by the stitcher's clock.
	RecordedAt int64
	// Cause is `<source>/<event id>` of the event that caused it.
	Cause string

	// Credits refer to Bookings and Touchpoints by index, because a touchpoint is credited by seven models and many bookings.
	Bookings    []Booking
	Touchpoints []Touchpoint
	Credits     []Credit

	Touches    []Touch
	Inquiries  []InquiryRow
	Deals      []DealRow
	Stages     []StageRow
	Identities []IdentityRow
	Calls      []CallRow
	Spends     []SpendRow
	Conflicts  []Conflict

	Conversations []ConversationRow
	Steps         []StepRow
}

// Reset empties the posting and keeps its room, so that it can be used again.
func (p *Posting) Reset() {
	*p = Posting{
		Bookings: emptied(p.Bookings), Touchpoints: emptied(p.Touchpoints), Credits: emptied(p.Credits), Touches: emptied(p.Touches),
		Inquiries: emptied(p.Inquiries), Deals: emptied(p.Deals), Stages: emptied(p.Stages), Identities: emptied(p.Identities),
		Calls: emptied(p.Calls), Spends: emptied(p.Spends), Conflicts: emptied(p.Conflicts),
		Conversations: emptied(p.Conversations), Steps: emptied(p.Steps),
	}
}

// mostKept is how many rows of a kind a posting keeps room for.
const mostKept = 256

func emptied[T any](rows []T) []T {
	if cap(rows) > mostKept {
		return nil
	}
	clear(rows)
	return rows[:0]
}

// Empty reports that nothing would be posted.
func (p *Posting) Empty() bool {
	return len(p.Credits)+len(p.Touches)+len(p.Inquiries)+len(p.Deals)+len(p.Stages)+len(p.Identities)+
		len(p.Calls)+len(p.Spends)+len(p.Conflicts)+len(p.Conversations)+len(p.Steps) == 0
}

// Booking is one posting of one conversion: a count of one, a change of amount, a reversal.
type Booking struct {
	CauseType  CauseType
	Person     event.NodeID
	Conversion Conversion
	ID         string // conversion_id: `<source>/<event id>` of an inquiry, `<source>/<deal.id>` of a deal and a sale
	LeadTime   int64  // ms: deal creation; an inquiry's own time
	SaleTime   int64
	BookedTime int64
	LeadDate   Date
	SaleDate   Date
	BookedDate Date
}

// Touchpoint is the touch that a credit goes to; ID is empty and Channel "(unattributed)" where there is none.
type Touchpoint struct {
	ID   string
	Time int64 // ms
	Date Date
	Tuple
}

// Credit is one signed ledger entry.
type Credit struct {
	Booking     int // index in Posting.Bookings
	Touch       int // index in Posting.Touchpoints
	Model       Model
	Conversions int64 // millionths
	Revenue     int64 // minor units (1/100)
	CostOfGoods int64 // minor units
}

// Touch is a row of `touches`. Sign is +1 when the touch appears with that person, -1 when it goes.
type Touch struct {
	Sign   int32
	Person event.NodeID
	Type   event.Type // Visit, Call or Message
	Touchpoint
}

// InquiryRow is a row of `inquiries`.
type InquiryRow struct {
	Sign   int32
	Person event.NodeID
	ID     string
	Type   event.Type // Form, Call or Message
	Time   int64
	Date   Date
}

// DealRow is a deal as it stands: a row of `deals`. A zero time is NULL.
type DealRow struct {
	Sign         int32
	Person       event.NodeID
	ID           string // `<source>/<deal.id>`
	Pipeline     string
	Stage        string
	Status       string
	Deleted      bool
	Amount       int64 // minor units of the workspace's currency
	CostOfGoods  int64
	CreatedAt    int64
	WonAt        int64 // start of the won interval it is in; 0 if not won
	ClosedAt     int64 // when it last became won or lost; 0 while open
	Manager      string
	Reason       string
	Title        string
	FirstChannel string
	LastChannel  string
	// The days of CreatedAt, WonAt and ClosedAt; zero where these are.
	CreatedDate Date
	WonDate     Date
	ClosedDate  Date
}

// StageRow is one stay of a deal in a stage: a row of `deal_stages`. LeftAt is 0 while there.
type StageRow struct {
	Sign      int32
	Person    event.NodeID
	DealID    string
	Pipeline  string
	Stage     string
	EnteredAt int64
	LeftAt    int64
	Manager   string
	// EnteredDate is the day of EnteredAt.
	EnteredDate Date
}

// StepRow says that a deal reached a step of the funnel, and how much of the deal is a channel's: a row of `deal_steps`. The step is a
// stage of a pipeline, once however often the deal was in it, or with an empty stage that the deal stands won.
type StepRow struct {
	Sign     int32
	DealID   string
	LeadDate Date // of the deal's creation
	Channel  string
	Pipeline string
	Stage    string
	// Ended says that a stay in the stage is over; Stayed is how long these stays were together, in ms.
	Ended  bool
	Stayed int64
	// Shares is what the channel has of the deal's creation under each model, in millionths.
	Shares [NumberOfModels]int64
}

// ConversationRow is a conversation in a messenger: a row of `conversations`. AnsweredAt is the first outbound message after its first
// inbound one and before the next conversation; 0 if there is none.
type ConversationRow struct {
	Sign       int32
	Person     event.NodeID
	ID         string // `<source>/<event id>` of the message that began it
	Platform   string
	Time       int64
	Date       Date
	AnsweredAt int64
	Manager    string // who answered, or else whom the client wrote to
}

// IdentityRow says which person a node belongs to: a row of `identities`.
type IdentityRow struct {
	Sign   int32
	Kind   string
	Node   event.NodeID
	Person event.NodeID
}

// CallRow is a row of `calls`.
type CallRow struct {
	Sign      int32
	Person    event.NodeID
	ID        string
	Time      int64
	Date      Date
	Direction event.Direction
	Status    string
	Company   string
	Wait      int64
	Talk      int64
	Manager   string
	Match     string // matched ambiguous unmatched static none
	Visitor   event.NodeID
}

// SpendRow is what stands for one spend key, signed: Sign -1 takes the former report back.
type SpendRow struct {
	Sign        int32
	EventID     string // `<source>/<event id>`
	Account     string
	Date        Date
	Impressions int64
	Clicks      int64
	Amount      int64 // minor units of the workspace's currency
	Tuple
}

// Conflict is an event that came with the id of another one and other content. The stored one stays; this one
// counts for nothing and the audit leaves it out.
type Conflict struct {
	Source  string
	EventID string
	Content uint64
}
