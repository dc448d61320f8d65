package fact

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/wire"
	"github.com/throughline-io/throughline/schemas/wire/wiretest"
)

// full is a posting in which every field is set.
func full() Posting {
	var p Posting
	wiretest.Fill(&p)
	for i := range p.Credits {
		p.Credits[i].Booking, p.Credits[i].Touch = i, 1-i
	}
	return p
}

func TestEveryFieldTravels(t *testing.T) {
	p := full()
	got, err := Decode(p.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, p) {
		t.Fatalf("got  %+v\nwant %+v", got, p)
	}
	if got, err := Decode((&Posting{}).Append(nil)); err != nil || !got.Empty() {
		t.Fatalf("an empty posting: %+v %v", got, err)
	}
}

// TestProto reads what Append writes by fact.proto, and what protobuf writes by Decode.
func TestProto(t *testing.T) {
	schema := wiretest.Compile(t, "fact.proto", "Posting")
	tuple := Tuple{"Paid Search", "google", "cpc", "autumn", "banner", "shoes"}
	person := event.NodeID{15: 1}
	p := Posting{
		Workspace: "w", RecordedAt: 1793527200123, Cause: "crm/1",
		Bookings: []Booking{{CauseReversal, person, Sale, "crm/7", 1, 2, 3, 4, 5, -6}},
		Touchpoints: []Touchpoint{
			{Time: 9, Date: -1, Tuple: Tuple{Channel: Unattributed, Source: None}}, {"site/v", 1, 2, tuple},
		},
		Credits: []Credit{{0, 1, WShaped, -1000000, -120050, 1}, {Model: FirstTouch}},
		Touches: []Touch{{-1, person, event.Visit, Touchpoint{"site/v", 1, 2, tuple}}},
		Inquiries: []InquiryRow{
			{1, person, "site/f", event.Form, 5, 6},
		},
		Deals:         []DealRow{{1, person, "crm/7", "sales", "new", "won", true, 120050, -1, 1, 2, 3, "Eva", "r", "T", "Direct", "Email", 10, 11, -12}},
		Stages:        []StageRow{{-1, person, "crm/7", "sales", "new", 1, 2, "Eva", 13}},
		Identities:    []IdentityRow{{1, "phone", event.NodeID{1}, person}},
		Calls:         []CallRow{{1, person, "pbx/1", 5, 6, event.Out, "busy", "+48221112233", 7, 8, "Eva", "matched", event.NodeID{2}}},
		Spends:        []SpendRow{{-1, "ads/1", "acc", 7, 8, 9, 1000, tuple}},
		Conflicts:     []Conflict{{"site", "v", 1 << 63}},
		Conversations: []ConversationRow{{1, person, "chat/1", "viber", 5, 6, 7, "Eva"}},
		Steps:         []StepRow{{-1, "crm/7", 14, "Email", "sales", "new", true, 15, [NumberOfModels]int64{1, -2, 3, 4, 5, 6, 7}}},
	}
	const tupleJSON = `"channel":"Paid Search","source":"google","medium":"cpc","campaign":"autumn","content":"banner","term":"shoes"`
	const personJSON = `"person":"AAAAAAAAAAAAAAAAAAAAAQ=="`
	want := strings.NewReplacer("TUPLE", tupleJSON, "PERSON", personJSON).Replace(`{
		"workspace":"w","recordedAt":"1793527200123","cause":"crm/1",
		"bookings":[{"causeType":"REVERSAL",PERSON,"conversion":"SALE","conversionId":"crm/7","leadTime":1,"saleTime":2,"bookedTime":3,"leadDate":4,"saleDate":5,"bookedDate":-6}],
		"touchpoints":[{"time":9,"date":-1,"channel":"(unattributed)","source":"(none)"},{"id":"site/v","time":1,"date":2,TUPLE}],
		"credits":[{"touchpoint":1,"model":"W_SHAPED","conversions":-1000000,"revenue":-120050,"costOfGoods":1},{"model":"FIRST_TOUCH"}],
		"touches":[{"sign":-1,PERSON,"type":1,"id":"site/v","time":1,"date":2,TUPLE}],
		"inquiries":[{"sign":1,PERSON,"id":"site/f","type":4,"time":5,"date":6}],
		"deals":[{"sign":1,PERSON,"id":"crm/7","pipeline":"sales","stage":"new","status":"won","deleted":true,"amount":120050,"costOfGoods":-1,
			"createdAt":1,"wonAt":2,"closedAt":3,"manager":"Eva","reason":"r","title":"T","firstChannel":"Direct","lastChannel":"Email","createdDate":10,"wonDate":11,"closedDate":-12}],
		"stages":[{"sign":-1,PERSON,"dealId":"crm/7","pipeline":"sales","stage":"new","enteredAt":1,"leftAt":2,"manager":"Eva","enteredDate":13}],
		"identities":[{"sign":1,"kind":"phone","node":"AQAAAAAAAAAAAAAAAAAAAA==",PERSON}],
		"calls":[{"sign":1,PERSON,"id":"pbx/1","time":5,"date":6,"direction":2,"status":"busy","company":"+48221112233","waitSeconds":7,"talkSeconds":8,
			"manager":"Eva","match":"matched","visitor":"AgAAAAAAAAAAAAAAAAAAAA=="}],
		"spends":[{"sign":-1,"eventId":"ads/1","account":"acc","date":7,"impressions":8,"clicks":9,"amount":1000,TUPLE}],
		"conflicts":[{"source":"site","eventId":"v","content":"9223372036854775808"}],
		"conversations":[{"sign":1,PERSON,"id":"chat/1","platform":"viber","time":5,"date":6,"answeredAt":7,"manager":"Eva"}],
		"steps":[{"sign":-1,"dealId":"crm/7","leadDate":14,"channel":"Email","pipeline":"sales","stage":"new","ended":true,"stayed":15,
			"firstTouch":1,"lastTouch":-2,"lastNonDirect":3,"linear":4,"timeDecay":5,"positionBased":6,"wShaped":7}]}`)
	theirs := schema.Agree(t, p.Append(nil), want)
	got, err := Decode(theirs)
	if err != nil || !reflect.DeepEqual(got, p) {
		t.Fatalf("got  %+v %v\nwant %+v", got, err, p)
	}
	all := full() // no field is written that the file lacks
	schema.Known(t, all.Append(nil))
}

func TestDecodeRefuses(t *testing.T) {
	credit := func(c Credit) []byte {
		p := Posting{Bookings: make([]Booking, 1), Touchpoints: make([]Touchpoint, 1), Credits: []Credit{c}}
		return p.Append(nil)
	}
	for name, b := range map[string][]byte{
		"a field cut short":                 {0x0a, 0x05, 'x'},
		"a tag without a field":             {0x00},
		"a booking that is not there":       credit(Credit{Booking: 1}),
		"a touchpoint that is not there":    credit(Credit{Touch: 1}),
		"an index beyond all":               wire.Message(nil, 6, func(b []byte) []byte { return wire.Uint(b, 1, 1<<63) }),
		"a person of 15 bytes":              wire.Message(nil, 4, func(b []byte) []byte { return wire.Set(b, 2, make([]byte, 15)) }),
		"a sign beyond 32 bits":             wire.Message(nil, 7, func(b []byte) []byte { return wire.Int(b, 20, 1<<31) }),
		"a model that would become another": wire.Message(nil, 6, func(b []byte) []byte { return wire.Uint(b, 3, 257) }),
	} {
		t.Run(name, func(t *testing.T) {
			if p, err := Decode(b); err == nil {
				t.Fatalf("accepted as %+v", p)
			}
		})
	}
}

// Fields that a later version adds are passed over.
func TestDecodePassesOverUnknownFields(t *testing.T) {
	p := full()
	b := wire.Message(p.Append(nil), 99, func(b []byte) []byte { return wire.Uint(b, 1, 1) })
	b = wire.Fixed(wire.Int(b, 98, -1), 97, 1)
	if got, err := Decode(b); err != nil || !reflect.DeepEqual(got, p) {
		t.Fatalf("%+v %v", got, err)
	}
}

// FuzzDecode: no bytes break the reader, and what it takes it writes and reads again the same.
func FuzzDecode(f *testing.F) {
	p := full()
	f.Add(p.Append(nil))
	f.Add([]byte{})
	f.Add([]byte{0x32, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(b)
		if err != nil {
			return
		}
		once := p.Append(nil)
		again, err := Decode(once)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if !bytes.Equal(again.Append(nil), once) {
			t.Fatal("a second writing differs")
		}
	})
}
