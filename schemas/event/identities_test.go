package event

import (
	"crypto/hmac"
	"crypto/sha256"
	"maps"
	"slices"
	"testing"
)

func TestIdentity(t *testing.T) {
	for _, row := range []struct {
		name, kind, value   string
		wantKind, wantValue string
		why                 DropReason
	}{
		{"a national number", "phone", "501 000 001", "phone", "+48501000001", ""},
		{"an international number", "phone", "+1 (202) 555-0123", "phone", "+12025550123", ""},
		{"an international number with zeros", "phone", "0048501000001", "phone", "+48501000001", ""},
		{"an extension", "phone", "+48501000001 ext. 5", "phone", "+48501000001", ""},
		{"a plus left out, home country", "phone", "48501000001", "phone", "+48501000001", ""},
		{"whatsapp without a plus", "whatsapp", "12025550123", "phone", "+12025550123", ""},
		{"whatsapp with a plus", "whatsapp", " +48501000001 ", "phone", "+48501000001", ""},
		{"an impossible number", "phone", "12", "", "", DropUnparsable},
		{"words for a number", "phone", "ask the office", "", "", DropUnparsable},
		{"an excluded number in other spelling", "phone", "22 111-00-00", "", "", DropExcluded},
		{"an excluded number as whatsapp", "whatsapp", "48221110000", "", "", DropExcluded},
		{"an e-mail", "email", " Jan@Example.COM\t", "email", "jan@example.com", ""},
		{"an excluded e-mail", "email", "OFFICE@shop.example", "", "", DropExcluded},
		{"other kinds keep their case", "user_id", " Ab ", "user_id", "Ab", ""},
		{"a kind that nobody knows", "loyalty_card", "7", "loyalty_card", "7", ""},
		{"empty", "user_id", " \t", "", "", DropEmpty},
		{"zeros", "user_id", "000", "", "", DropJunk},
		{"zeros and dashes", "phone", "000-000-000", "", "", DropJunk},
		{"-1", "user_id", "-1", "", "", DropJunk},
		{"a word for nobody", "email", "N/A", "", "", DropJunk},
		{"a word for nobody as a number", "phone", "Unknown", "", "", DropJunk},
		{"a word that holds one", "user_id", "tester", "user_id", "tester", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			kind, value, why := testRules().Identity(row.kind, row.value)
			if kind != row.wantKind || value != row.wantValue || why != row.why {
				t.Fatalf("got %q %q %q", kind, value, why)
			}
		})
	}
	for _, word := range []string{"-1", "null", "nil", "none", "undefined", "unknown", "anonymous", "guest", "test", "n/a"} {
		if _, _, why := testRules().Identity("user_id", word); why != DropJunk {
			t.Errorf("%q must be junk", word)
		}
	}
}

func TestNodeIsTheContractsHash(t *testing.T) {
	h := hmac.New(sha256.New, []byte("not-a-secret"))
	h.Write([]byte("phone\x00+48501000001"))
	if n := testRules().Node("phone", "+48501000001"); n.Kind != "phone" || !slices.Equal(n.ID[:], h.Sum(nil)[:16]) {
		t.Fatalf("%+v", n)
	}
}

func TestDropsAreCounted(t *testing.T) {
	_, dropped, bad := Parse([]byte(head+`"type":"identify","identities":{
		"user_id":["u",""," ","null"],"phone":["12","+48221110000"],"email":["0","test"]}}`), testRules(), testNow, Options{})
	if bad != nil {
		t.Fatal(bad)
	}
	if want := (Dropped{DropEmpty: 2, DropJunk: 3, DropUnparsable: 1, DropExcluded: 1}); !maps.Equal(dropped, want) {
		t.Fatalf("got %v, want %v", dropped, want)
	}
}

// The nodes of an event and which of them is its home.
func TestNodes(t *testing.T) {
	r := testRules()
	for _, row := range []struct {
		name, raw string
		home      Node
		others    []Node
	}{
		{
			"a visit lives with the browser",
			`"type":"visit","identities":{"email":"j@example.com","phone":"501000001","anonymous_id":"a"},"visit":{"url":"https://a.example"}}`,
			r.Node("anonymous_id", "a"), []Node{r.Node("email", "j@example.com"), r.Node("phone", "+48501000001")},
		},
		{
			"whatsapp and phone are one kind",
			`"type":"identify","identities":{"whatsapp":"48501000001","phone":"501000001","email":"j@example.com"}}`,
			r.Node("phone", "+48501000001"), []Node{r.Node("email", "j@example.com")},
		},
		{
			"kinds beyond the usual go by name",
			`"type":"identify","identities":{"vk":"1","telegram":"2"}}`,
			r.Node("telegram", "2"), []Node{r.Node("vk", "1")},
		},
		{
			"an inbound call lives with the caller",
			`"type":"call","identities":{"anonymous_id":"a"},"call":{"direction":"in","from":"501000001","to":"+48221112233","status":"answered"}}`,
			r.Node("phone", "+48501000001"), []Node{r.Node("anonymous_id", "a")},
		},
		{
			"an outbound call with who was called",
			`"type":"call","call":{"direction":"out","from":"+48221112233","to":"501000001","status":"answered"}}`,
			r.Node("phone", "+48501000001"), nil,
		},
		{
			"a call of a hidden number with who else is known",
			`"type":"call","identities":{"crm_contact":"7","email":"j@example.com"},"call":{"direction":"in","from":"","to":"+48221112233","status":"answered"}}`,
			r.Node("crm_contact", "7"), []Node{r.Node("email", "j@example.com")},
		},
		{
			"a call without the hidden number with who else is known",
			`"type":"call","identities":{"crm_contact":"7"},"call":{"direction":"in","to":"+48221112233","status":"answered"}}`,
			r.Node("crm_contact", "7"), nil,
		},
		{
			"an outbound call from nobody knows where",
			`"type":"call","call":{"direction":"out","from":null,"to":"501000001","status":"answered"}}`,
			r.Node("phone", "+48501000001"), nil,
		},
		{
			"a deal lives with itself",
			`"type":"deal","identities":{"anonymous_id":"a"},"deal":{"id":" 7 "}}`,
			r.Node("deal", "site/7"), []Node{r.Node("anonymous_id", "a")},
		},
		{
			"a deep link brings the browser",
			`"type":"message","identities":{"telegram":"t"},"message":{"platform":"Telegram","direction":"in","ref":"a_x1"}}`,
			r.Node("anonymous_id", "x1"), []Node{r.Node("telegram", "t")},
		},
		{
			"a deep link to nobody brings none",
			`"type":"message","identities":{"telegram":"t"},"message":{"platform":"telegram","direction":"in","ref":"a_undefined"}}`,
			r.Node("telegram", "t"), nil,
		},
		{
			"another deep link says nothing",
			`"type":"message","identities":{"telegram":"t"},"message":{"platform":"telegram","direction":"in","ref":"b_x1"}}`,
			r.Node("telegram", "t"), nil,
		},
		{
			"a lease lives with the first visitor listed",
			`"type":"number_lease","identities":{"anonymous_id":["null","z","a"]},"number_lease":{"number":"22 111 00 01","until":"2026-11-01T11:00:00Z"}}`,
			r.Node("anonymous_id", "z"), []Node{r.Node("anonymous_id", "a")},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := mustParse(t, head+row.raw)
			want := append([]Node{row.home}, row.others...)
			slices.SortFunc(want[1:], func(a, b Node) int { return slices.Compare(a.ID[:], b.ID[:]) })
			if !slices.Equal(e.Nodes, want) {
				t.Fatalf("got %v, want %v", e.Nodes, want)
			}
		})
	}
}

// However the sender orders its identities, the event is the same and lives at the same place.
func TestNodesHaveOneOrder(t *testing.T) {
	a := mustParse(t, head+`"type":"identify","identities":{"user_id":["1","2","3","4"],"vk":"5"}}`)
	b := mustParse(t, head+`"type":"identify","identities":{"vk":["5"],"user_id":["4","2","1","3"]}}`)
	if !slices.Equal(a.Nodes, b.Nodes) || a.Content != b.Content {
		t.Fatalf("%v and %v differ", a.Nodes, b.Nodes)
	}
	for _, n := range a.Nodes[1:] {
		if n.Kind == "user_id" && slices.Compare(n.ID[:], a.Nodes[0].ID[:]) < 0 {
			t.Fatal("the home is not the smallest of its kind")
		}
	}
}
