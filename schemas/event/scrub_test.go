package event

import (
	"encoding/json"
	"strings"
	"testing"
)

// scrubbed parses an event of the site with two contacts, and one more member at the end.
func scrubbed(t *testing.T, more string) Event {
	t.Helper()
	raw := `{"id":"1","type":"visit","source":"site","time":"2026-11-01T10:00:00Z",
		"identities":{"anonymous_id":"a1","phone":"+48 501-000-001","email":"Jan.K@Example.com"},
		"visit":{"url":"https://shop.example/"},` + more + `}`
	e, _, bad := Parse([]byte(raw), testRules(), testNow, Options{})
	if bad != nil {
		t.Fatal(bad)
	}
	if !json.Valid(e.Raw) {
		t.Fatalf("not JSON: %s", e.Raw)
	}
	return e
}

func TestScrubRaw(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{"the spelling that was sent", `"x":"call +48 501-000-001 now"`, `"x":"call [phone] now"`},
		{"national", `"x":"tel 501000001"`, `"x":"tel [phone]"`},
		{"national with a trunk zero", `"x":"tel 0501000001"`, `"x":"tel 0[phone]"`},
		{"international without a plus", `"x":"48501000001"`, `"x":"[phone]"`},
		{"international with zeros", `"x":"0048 501 000 001"`, `"x":"00[phone]"`},
		{"with brackets", `"x":"+48 (501) 000-001"`, `"x":"[phone]"`},
		{"with unbreakable spaces", `"x":"501\u00a0000\u00a0001"`, `"x":"[phone]"`},
		{"escaped in a query", `"x":"https://a.example/?t=%2B48%20501%20000%20001&b=1"`, `"x":"https://a.example/?t=[phone]\u0026b=1"`},
		{"spaces as pluses", `"x":"t=+48+501+000+001"`, `"x":"t=[phone]"`},
		{"after a date", `"x":"2026-11-01 501000001"`, `"x":"2026-11-01 [phone]"`},
		{"before a time", `"x":"501000001 1730000000"`, `"x":"[phone] 1730000000"`},
		{"twice", `"x":"501000001, 48501000001"`, `"x":"[phone], [phone]"`},
		{"in a name of a file", `"x":"https://r.example/48501000001_20261101.mp3"`, `"x":"https://r.example/[phone]_20261101.mp3"`},
		{"as a number", `"x":48501000001`, `"x":"[phone]"`},
		{"as a key", `"x":{"501000001":true}`, `"x":{"[phone]":true}`},
		{"in a list in a list", `"x":[["501000001"]]`, `"x":[["[phone]"]]`},
		{"another number with a plus", `"x":"or +48 502 000 002."`, `"x":"or [phone]."`},
		{"digits that nobody said to be a phone", `"x":"order 502000002"`, `"x":"order 502000002"`},
		{"a plus inside an encoded blob", `"x":"ab+12345678901"`, `"x":"ab+12345678901"`},
		{"an e-mail that is an identity", `"x":"jan.k@example.com"`, `"x":"[email]"`},
		{"any other e-mail", `"x":"<b>anna+shop@mail.example.org</b>"`, `"x":"\u003cb\u003e[email]\u003c/b\u003e"`},
		{"an e-mail in other letters", `"x":"żaneta@poczta.рф!"`, `"x":"[email]!"`},
		{"an e-mail in a query", `"x":"https://a.example/?e=jan%40example.com&b=1"`, `"x":"https://a.example/?e=[email]\u0026b=1"`},
		{"an e-mail escaped twice", `"x":"u=jan%2540example.com"`, `"x":"u=[email]"`},
		{"an e-mail in escapes of JSON", `"x":"jan\u0040example.com"`, `"x":"[email]"`},
		{"an at sign that is no e-mail", `"x":"https://maps.example/@52.2,21.0"`, `"x":"https://maps.example/@52.2,21.0"`},
		{"numbers that no float holds", `"x":[12345678901234567890,1.10,-0]`, `"x":[12345678901234567890,1.10,-0]`},
		{"escapes that hide nothing", `"x":"\u00e9\/\n"`, `"x":"\u00e9\/\n"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			e := scrubbed(t, row.in)
			if !strings.HasSuffix(string(e.Raw), ","+row.want+"}") {
				t.Fatalf("got  %s\nwant …%s}", e.Raw, row.want)
			}
		})
	}
}

// The rest of the document, white space and the order of keys with it, stays as it was.
func TestScrubLeavesTheRest(t *testing.T) {
	e := scrubbed(t, `"x":1`)
	want := `{"id":"1","type":"visit","source":"site","time":"2026-11-01T10:00:00Z",
		"identities":{"anonymous_id":"a1","phone":"[phone]","email":"[email]"},
		"visit":{"url":"https://shop.example/"},"x":1}`
	if string(e.Raw) != want {
		t.Fatalf("got  %s\nwant %s", e.Raw, want)
	}
}

func TestScrubByPlace(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{
			"both sides of an inbound call",
			`"type":"call","call":{"direction":"in","from":"501000001","to":"+48221112233","status":"missed"}`,
			`"type":"call","call":{"direction":"in","from":"[phone]","to":"+48221112233","status":"missed"}`,
		},
		{
			"both sides of an outbound call",
			`"type":"call","call":{"from":"+48221112233","to":"501000001","status":"busy","direction":"out"}`,
			`"type":"call","call":{"from":"+48221112233","to":"[phone]","status":"busy","direction":"out"}`,
		},
		{
			"a caller that hides",
			`"type":"call","identities":{"user_id":"u"},"call":{"direction":"in","from":"anonymous","to":"22","status":"missed"}`,
			`"type":"call","identities":{"user_id":"u"},"call":{"direction":"in","from":"anonymous","to":"22","status":"missed"}`,
		},
		{
			"values that do not parse",
			`"type":"identify","identities":{"user_id":"u","phone":["12","ask Jan"],"email":["Jan Kowalski"]}`,
			`"type":"identify","identities":{"user_id":"u","phone":["[phone]","[phone]"],"email":["[email]"]}`,
		},
		{
			"an e-mail without a domain, elsewhere too",
			`"type":"identify","identities":{"user_id":"u","email":"root@localhost"},"note":"of root@localhost"`,
			`"type":"identify","identities":{"user_id":"u","email":"[email]"},"note":"of [email]"`,
		},
		{
			"the earlier of two equal keys",
			`"type":"identify","identities":{"phone":"+48501000001"},"identities":{"user_id":"u"}`,
			`"type":"identify","identities":{"phone":"[phone]"},"identities":{"user_id":"u"}`,
		},
		{
			"a number of the pool",
			`"type":"number_lease","identities":{"anonymous_id":"a"},"number_lease":{"number":"+48221110001","until":"2026-11-01T11:00:00Z"}`,
			`"type":"number_lease","identities":{"anonymous_id":"a"},"number_lease":{"number":"+48221110001","until":"2026-11-01T11:00:00Z"}`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			head := `{"id":"1","source":"s","time":"2026-11-01T10:00:00Z",`
			e, _, bad := Parse([]byte(head+row.in+"}"), testRules(), testNow, Options{})
			if bad != nil {
				t.Fatal(bad)
			}
			if want := head + row.want + "}"; string(e.Raw) != want {
				t.Fatalf("got  %s\nwant %s", e.Raw, want)
			}
		})
	}
}

func TestScrubFields(t *testing.T) {
	raw := `{"id":"1","type":"visit","source":"site","time":"2026-11-01T10:00:00Z","identities":{"phone":"+48501000001"},
		"visit":{"url":"https://shop.example/?e=jan@example.com&utm_term=jan@example.com","referrer":"https://m.example/501000001","title":"48501000001"}}`
	e, _, bad := Parse([]byte(raw), testRules(), testNow, Options{})
	if bad != nil {
		t.Fatal(bad)
	}
	v := e.Visit
	if v.URL != "https://shop.example/?e=[email]&utm_term=[email]" || v.Referrer != "https://m.example/[phone]" || v.Title != "[phone]" || v.Origin.UTM.Term != "[email]" {
		t.Fatalf("%+v", v)
	}
	if b := string(e.Append(nil)); strings.Contains(b, "501000001") || strings.Contains(b, "jan") {
		t.Fatalf("a contact is on the wire: %q", b)
	}
	rules := testRules()
	rules.StoreContacts = true
	if e, _, _ = Parse([]byte(raw), rules, testNow, Options{}); string(e.Raw) != raw || e.Visit.Title != "48501000001" {
		t.Fatalf("a workspace that stores contacts must have them: %s", e.Raw)
	}
}

// A short number is looked for where it stands alone only.
func TestScrubShortNumbers(t *testing.T) {
	s := &scrubber{}
	s.addPhone("+4912345", "DE")
	for in, want := range map[string]string{
		"call 012345": "call 0[phone]", "id 9123456": "id 9123456", "+49 123 45": "[phone]", "12345": "[phone]", "x12345y": "x[phone]y",
	} {
		if got := s.text(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestScrubErrors(t *testing.T) {
	for _, row := range []struct{ name, in, want string }{
		{"an e-mail in a url", `"type":"visit","identities":{"user_id":"u"},"visit":{"url":"/?e=jan@example.com"}`, `"/?e=[email]" is not an absolute URL`},
		{"a known number", `"type":"deal","identities":{"phone":"+48501000001"},"deal":{"id":"1","status":"501 000 001"}`, `"[phone]" is not one of open, won, lost`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, _, bad := Parse([]byte(head+row.in+"}"), testRules(), testNow, Options{}); bad == nil || bad.Message != row.want {
				t.Fatalf("got %v", bad)
			}
		})
	}
}
