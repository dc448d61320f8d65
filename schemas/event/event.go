// Package event is the canonical event: what a sender may report and what travels from the collector to the
// stitcher and the loader.
//
// It promises that a value of type Event is valid: every constructor (Parse from JSON, Decode from the wire)
// either returns one that keeps all rules of the contract or an *Error with a code of the closed list. It holds no
// phone number and no e-mail address of a client in readable form unless the workspace asked for it: identities
// are nodes, and Raw is scrubbed.
package event

// Type is what kind of thing happened. Values are part of the wire format: never renumber.
type Type uint8

// The closed list of event types.
const (
	Visit       Type = 1
	Call        Type = 2
	Message     Type = 3
	Form        Type = 4
	Deal        Type = 5
	Spend       Type = 6
	Identify    Type = 7
	NumberLease Type = 8
)

// NodeID is the first 16 bytes of HMAC-SHA256(workspace pepper, kind 0x00 value): one identifier of one workspace.
// Node ids are ordered bytewise.
type NodeID [16]byte

// Node is one identifier of a client: its kind and the id that stands for its value.
type Node struct {
	Kind string
	ID   NodeID
}

// Event is one accepted event. Times are Unix milliseconds. Exactly one of the pointers is set, the one named as the
// type; none for Identify.
type Event struct {
	Workspace string
	ID        string
	Source    string
	Type      Type
	Time      int64
	// Received is when the collector took it, by its clock. Facts never depend on it.
	Received int64
	// Nodes are the identities, normalised, without duplicates, in bytewise order of id except that the first
	// is the home: the node whose partition the event goes to. The home is a function of the event's content alone, so
	// the same event always goes to the same partition. Empty for Spend only.
	Nodes []Node
	// Content is a hash of all that may matter to facts (everything but Received, Raw): it tells a duplicate
	// from a conflict.
	Content uint64
	// Raw is the JSON as it was sent, with contacts scrubbed unless the workspace stores them.
	Raw []byte

	Visit   *VisitData
	Call    *CallData
	Message *MessageData
	Form    *FormData
	Deal    *DealData
	Spend   *SpendData
	Lease   *LeaseData

	key string // if it was made; source and id do not change any more
}

// Key is `<source>/<event id>`: the event's name inside its workspace, and the id of the touch it may become.
func (e *Event) Key() string {
	if e.key != "" {
		return e.key
	}
	return e.Source + "/" + e.ID
}

// UTM is the five values as sent, untouched. Origin decides what they mean.
type UTM struct{ Source, Medium, Campaign, Content, Term string }

// Empty reports that no value is left after trimming.
func (u UTM) Empty() bool { return u.Normal() == UTM{} }

// Origin is where a touch came from, reduced to what the channel rules look at. Of UTM, Click and Referrer the
// first that is set decides.
type Origin struct {
	// UTM has normalised values (trimmed, lower case).
	UTM UTM
	// Click is the name of the click id that was found (gclid, yclid, ...), by the order of SPEC §4.
	Click string
	// Referrer is the referrer's host (lower case, without port and a leading "www."); empty where there is none
	// or where it is the url's own host.
	Referrer string
}

// VisitData is the start of one site session.
type VisitData struct {
	URL      string
	Referrer string
	Title    string
	// Origin is read from utm, click_ids, url and referrer by the rules of SPEC §4.
	Origin Origin
	// ClickIDs are the ids themselves, for export to ad systems.
	ClickIDs map[string]string
	// Bot: what visited says that it is no person's browser. The collector tells, not the sender.
	Bot bool
}

// Direction of a call or a message, as the company sees it.
type Direction uint8

// Directions.
const (
	In  Direction = 1
	Out Direction = 2
)

// CallData is one phone call. The client's number is a node, never here.
type CallData struct {
	Direction Direction
	// Company is the company's own number, E.164 where it parses, trimmed as sent otherwise: to of an inbound call, from of
	// an outbound one.
	Company string
	// Client is the client's phone node: the one a lease match links to the visitor. Zero where the number could
	// not be used.
	Client    NodeID
	Status    string // answered missed busy failed voicemail
	Wait      int64  // seconds
	Talk      int64  // seconds
	Manager   string
	Recording string
	UTM       UTM // normalised
}

// MessageData is one message of a messenger conversation.
type MessageData struct {
	Platform  string // trimmed, lower case
	Direction Direction
	Manager   string
	UTM       UTM // normalised
	Ref       string
}

// FormData is a form that was sent.
type FormData struct {
	FormID string
	URL    string
}

// Money is a decimal as it was sent, at most 13 digits before the point and 6 after, maybe with a minus: never a
// float. It is valid wherever it stands in an Event.
type Money string

// DealData is a partial snapshot of a deal as of the event's time: a nil field is unchanged.
type DealData struct {
	ID          string
	Pipeline    *string
	Stage       *string
	Status      *string // open won lost
	Amount      *Money
	CostOfGoods *Money
	Currency    *string
	Manager     *string
	Reason      *string
	Title       *string
	CreatedAt   *int64
	Deleted     *bool
}

// SpendData is what one account reports of one day and one utm tuple.
type SpendData struct {
	Date        string // YYYY-MM-DD in the workspace's time zone
	Account     string
	UTM         UTM // normalised
	Impressions int64
	Clicks      int64
	Amount      Money
	Currency    string // empty: the workspace's
}

// LeaseData says that a visitor was shown a number of a pool from the event's time to Until.
type LeaseData struct {
	Number string // E.164
	Until  int64
	// Visitor is the anonymous_id node of the visitor that was shown the number.
	Visitor NodeID
	// Several says that the event names more than one anonymous_id: then the number was not held by exactly one visitor, and a call to it
	// meanwhile is ambiguous.
	Several bool
}
