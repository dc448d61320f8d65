package event

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/throughline-io/throughline/schemas/wire"
	"github.com/throughline-io/throughline/schemas/wire/wiretest"
)

// full is an event of each type in which every field is set.
func full() (out []Event) {
	for _, t := range []Type{Visit, Call, Message, Form, Deal, Spend, Identify, NumberLease} {
		var e Event
		wiretest.Fill(&e)
		all := e
		e.Visit, e.Call, e.Message, e.Form, e.Deal, e.Spend, e.Lease = nil, nil, nil, nil, nil, nil, nil
		e.Type = t
		switch t {
		case Visit:
			e.Visit = all.Visit
		case Call:
			e.Call = all.Call
			e.Call.Direction = Out
		case Message:
			e.Message = all.Message
			e.Message.Direction = In
		case Form:
			e.Form = all.Form
		case Deal:
			e.Deal = all.Deal
			e.Deal.Amount, e.Deal.CostOfGoods = ptr(Money("1.5")), ptr(Money("-2"))
		case Spend:
			e.Spend = all.Spend
			e.Spend.Amount = "3"
		case NumberLease:
			e.Lease = all.Lease
		case Identify:
		}
		out = append(out, e)
	}
	return out
}

func TestEveryFieldTravels(t *testing.T) {
	schema := wiretest.Compile(t, "event.proto", "Event")
	for _, e := range full() {
		t.Run(e.Type.String(), func(t *testing.T) {
			b := e.Append(nil)
			got, err := Decode(b)
			if err != nil || !reflect.DeepEqual(got, e) {
				t.Fatalf("got  %+v %v\nwant %+v", got, err, e)
			}
			schema.Known(t, b)
			if !bytes.HasSuffix(b, e.appendMeaning(nil)) {
				t.Fatal("Content is not a hash of the end of the record")
			}
		})
	}
}

// TestDealKeepsPresence: unchanged and set to nothing are different things.
func TestDealKeepsPresence(t *testing.T) {
	for _, deal := range []string{
		`{"id":"1"}`, `{"id":"1","manager":"","title":""}`, `{"id":"1","deleted":false,"created_at":"1970-01-02T00:00:00Z","amount":"0"}`,
	} {
		e := mustParse(t, head+`"type":"deal","deal":`+deal+`}`)
		if got, err := Decode(e.Append(nil)); err != nil || !reflect.DeepEqual(got, e) {
			t.Fatalf("%s: got %+v %v", deal, got.Deal, err)
		}
	}
}

// TestProto reads what Append writes by event.proto, and what protobuf writes by Decode.
func TestProto(t *testing.T) {
	schema := wiretest.Compile(t, "event.proto", "Event")
	utm, utmJSON := UTM{"google", "cpc", "autumn", "banner", "shoes"}, `{"source":"google","medium":"cpc","campaign":"autumn","content":"banner","term":"shoes"}`
	id, idJSON := NodeID{15: 1}, `"AAAAAAAAAAAAAAAAAAAAAQ=="`
	for _, row := range []struct {
		object Event
		json   string
	}{
		{Event{Type: Identify}, `"type":"IDENTIFY"`},
		{
			Event{Type: Visit, Visit: &VisitData{URL: "u", Referrer: "r", Title: "t", Origin: Origin{utm, "gclid", "h"}, ClickIDs: map[string]string{"a": "1", "b": "2"}}},
			`"type":"VISIT","visit":{"url":"u","referrer":"r","title":"t","originUtm":UTM,"originClick":"gclid","originReferrer":"h","clickIds":{"a":"1","b":"2"}}`,
		},
		{Event{Type: Visit, Visit: &VisitData{URL: "u"}}, `"type":"VISIT","visit":{"url":"u"}`},
		{
			Event{Type: Call, Call: &CallData{Out, "+48221112233", id, "busy", 5, 6, "Eva", "rec", utm}},
			`"type":"CALL","call":{"direction":"OUT","company":"+48221112233","client":ID,"status":"busy","waitSeconds":5,"talkSeconds":6,"manager":"Eva","recordingUrl":"rec","utm":UTM}`,
		},
		{
			Event{Type: Message, Message: &MessageData{"telegram", In, "Eva", utm, "a_1"}},
			`"type":"MESSAGE","message":{"platform":"telegram","direction":"IN","manager":"Eva","utm":UTM,"ref":"a_1"}`,
		},
		{Event{Type: Form, Form: &FormData{"f", "u"}}, `"type":"FORM","form":{"formId":"f","url":"u"}`},
		{Event{Type: Form, Form: &FormData{}}, `"type":"FORM","form":{}`},
		{
			Event{Type: Deal, Deal: &DealData{"7", ptr("p"), ptr("s"), ptr("won"), ptr(Money("1")), ptr(Money("-2")), ptr("EUR"), ptr(""), ptr("r"), ptr("t"), ptr(int64(0)), ptr(false)}},
			`"type":"DEAL","deal":{"id":"7","pipeline":"p","stage":"s","status":"won","amount":"1","costOfGoods":"-2","currency":"EUR","manager":"","reason":"r","title":"t","createdAt":0,"deleted":false}`,
		},
		{
			Event{Type: Spend, Spend: &SpendData{"2026-11-01", "acc", utm, 1 << 40, 2, "3", "EUR"}},
			`"type":"SPEND","spend":{"date":"2026-11-01","account":"acc","utm":UTM,"impressions":"1099511627776","clicks":2,"amount":"3","currency":"EUR"}`,
		},
		{
			Event{Type: NumberLease, Lease: &LeaseData{"+48221110001", -1, id, true}},
			`"type":"NUMBER_LEASE","lease":{"number":"+48221110001","until":-1,"visitor":ID,"several":true}`,
		},
	} {
		t.Run(row.json, func(t *testing.T) {
			e := row.object
			e.Workspace, e.ID, e.Source, e.Time, e.Received, e.Content, e.Raw = "w", "1", "s", 1793527200123, -1, 1<<63, []byte("{}")
			e.Nodes = []Node{{"phone", NodeID{1}}, {"card", id}}
			json := `{"workspace":"w","id":"1","source":"s","time":"1793527200123","received":"-1","content":"9223372036854775808","raw":"e30=",
				"nodes":[{"kind":"phone","id":"AQAAAAAAAAAAAAAAAAAAAA=="},{"kind":"card","id":ID}],` + row.json + `}`
			theirs := schema.Agree(t, e.Append(nil), strings.NewReplacer("UTM,", utmJSON+",", "UTM}", utmJSON+"}", "ID,", idJSON+",", "ID}", idJSON+"}").Replace(json))
			if got, err := Decode(theirs); err != nil || !reflect.DeepEqual(got, e) {
				t.Fatalf("got  %+v %v\nwant %+v", got, err, e)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	change := func(do func(*Event)) []byte {
		e := full()[4] // a deal
		do(&e)
		return e.Append(nil)
	}
	for name, b := range map[string][]byte{
		"nothing":                       {},
		"a field cut short":             {0x2a, 0x05, 'x'},
		"no workspace":                  change(func(e *Event) { e.Workspace = "" }),
		"no id":                         change(func(e *Event) { e.ID = "" }),
		"no identity":                   change(func(e *Event) { e.Nodes = nil }),
		"a node without an id":          change(func(e *Event) { e.Nodes[1].ID = NodeID{} }),
		"a node without a kind":         change(func(e *Event) { e.Nodes[0].Kind = "" }),
		"no object":                     change(func(e *Event) { e.Deal = nil }),
		"another type's object":         change(func(e *Event) { e.Deal, e.Form = nil, &FormData{} }),
		"two objects":                   append(change(func(*Event) {}), wire.Message(nil, 14, func(b []byte) []byte { return b })...),
		"an object where none may be":   change(func(e *Event) { e.Type = Identify }),
		"no type":                       change(func(e *Event) { e.Type = 0 }),
		"a type that nobody knows":      change(func(e *Event) { e.Type = 9 }),
		"a type that would be cut":      wire.Uint(change(func(*Event) {}), 7, 256+5),
		"a deal without an id":          change(func(e *Event) { e.Deal.ID = "" }),
		"an amount that is none":        change(func(e *Event) { e.Deal.Amount = ptr(Money("1e3")) }),
		"a node of 15 bytes":            wire.Message(change(func(*Event) {}), 9, func(b []byte) []byte { return wire.Set(b, 2, make([]byte, 15)) }),
		"a call to nowhere":             change(func(e *Event) { e.Type, e.Deal, e.Call = Call, nil, &CallData{} }),
		"a message to nowhere":          change(func(e *Event) { e.Type, e.Deal, e.Message = Message, nil, &MessageData{Direction: 3} }),
		"a spend of an empty amount":    change(func(e *Event) { e.Type, e.Deal, e.Spend = Spend, nil, &SpendData{} }),
		"a lease without a visitor":     change(func(e *Event) { e.Type, e.Deal, e.Lease = NumberLease, nil, &LeaseData{} }),
		"groups in groups without end":  bytes.Repeat([]byte{0x93, 0x06}, 20000),
		"a length beyond the end":       {0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f},
		"a varint of more than 64 bits": append([]byte{0x38}, bytes.Repeat([]byte{0xff}, 11)...),
	} {
		t.Run(name, func(t *testing.T) {
			if e, err := Decode(b); err == nil {
				t.Fatalf("accepted as %+v", e)
			}
		})
	}
}

// FuzzDecode: no bytes break the reader, and what it takes it writes and reads again the same.
func FuzzDecode(f *testing.F) {
	for _, e := range full() {
		f.Add(e.Append(nil))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Decode(b)
		if err != nil {
			return
		}
		once := e.Append(nil)
		again, err := Decode(once)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if !bytes.Equal(again.Append(nil), once) {
			t.Fatal("a second writing differs")
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, e := range full() {
		wire := e.Append(nil)
		b.Run(fmt.Sprint(e.Type), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(wire); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
