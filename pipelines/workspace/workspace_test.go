package workspace

import (
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/throughline-io/throughline/schemas/event"
)

const good = `
name: shop
timezone: Europe/Warsaw
currency: EUR
country: PL
pepper: not-a-secret
fx: {USD: "0.92", PLN: "0.235"}
keys:
  - {name: crm, secret: sk_demo}
  - {name: site, public: pk_demo, origins: ["https://shop.example"]}
static_numbers:
  "22 111 22 33": {source: Radio, medium: call, campaign: " autumn "}
pools:
  - {name: site, numbers: ["+48221110001", "22 111 00 02"], fallback: "+48 22 111 00 09"}
exclude_identities: ["phone:22 111 00 00", "whatsapp:48221110001", "email: Info@Shop.example ", "user_id: 42"]
pipelines:
  - {name: sales, stages: [new, contact]}
`

// read decodes a workspace after replacing text in it, and does not validate it.
func read(t testing.TB, text string, replace ...string) Workspace {
	t.Helper()
	for i := 0; i+1 < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("%q is not in the sample", replace[i])
		}
		text = strings.Replace(text, replace[i], replace[i+1], 1)
	}
	var w Workspace
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

func valid(t testing.TB, replace ...string) *Workspace {
	t.Helper()
	w := read(t, good, replace...)
	if err := w.Validate(); err != nil {
		t.Fatal(err)
	}
	return &w
}

func TestDefaultsAndNormalForms(t *testing.T) {
	w := valid(t)
	if w.Lookback != 2160*time.Hour || w.MaxTouches != 1000 || w.Pools[0].Hold != 30*time.Minute {
		t.Errorf("defaults: %s, %d, %s", w.Lookback, w.MaxTouches, w.Pools[0].Hold)
	}
	if got, want := w.Static()["+48221112233"], (event.UTM{Source: "radio", Medium: "call", Campaign: "autumn"}); got != want {
		t.Errorf("static number: %+v", got)
	}
	for _, n := range []string{"+48221110001", "+48221110002"} {
		if !w.PoolNumbers()[n] {
			t.Errorf("%s is in no pool", n)
		}
	}
	if w.Pools[0].Fallback != "+48221110009" || w.PoolNumbers()["+48221110009"] {
		t.Errorf("fallback: %s", w.Pools[0].Fallback)
	}
	rules := w.EventRules()
	for _, id := range []string{"phone:+48221110000", "phone:+48221110001", "email:info@shop.example", "user_id:42"} {
		if !rules.Exclude[id] {
			t.Errorf("%s is not excluded: %v", id, rules.Exclude)
		}
	}
	if len(rules.Currencies) != 3 || !rules.Currencies["EUR"] || !rules.Currencies["USD"] {
		t.Errorf("currencies: %v", rules.Currencies)
	}
	if rules.Workspace != "shop" || rules.Country != "PL" || string(rules.Pepper) != "not-a-secret" || rules.StoreContacts {
		t.Errorf("rules: %+v", rules)
	}
	if w.Location().String() != "Europe/Warsaw" {
		t.Errorf("zone: %s", w.Location())
	}
	again := *w
	if err := again.Validate(); err != nil || again.Fingerprint() != w.Fingerprint() {
		t.Errorf("a second Validate changes something: %v", err)
	}
}

func TestEveryFaultIsReportedWithItsPath(t *testing.T) {
	rows := []struct{ name, old, new, want string }{
		{"name", "name: shop", "name: Shop!", `name: "Shop!" does not match`},
		{"no name", "name: shop", "", `name: "" does not match`},
		{"timezone", "Europe/Warsaw", "Europe/Warszawa", `timezone: "Europe/Warszawa" is unknown`},
		{"no timezone", "timezone: Europe/Warsaw", "", `timezone: "" is no zone`},
		{"machine's timezone", "Europe/Warsaw", "Local", `timezone: "Local" is no zone`},
		{"currency", "currency: EUR", "currency: EURO", `currency: "EURO" is not three letters`},
		{"country", "country: PL", "country: XX", `country: "XX" is no country`},
		{"pepper", "pepper: not-a-secret", "", "pepper: is empty"},
		{"lookback", "country: PL", "country: PL\nlookback: -1h", `lookback: "-1h0m0s" is not between`},
		{"max_touches", "country: PL", "country: PL\nmax_touches: -5", "max_touches: -5 is not between"},
		{"rate is no number", `"0.92"`, `abc`, `fx.USD: "abc" is not a decimal`},
		{"rate with an exponent", `"0.92"`, `1e999999999`, `fx.USD: "1e999999999" is not a decimal`},
		{"rate is a fraction", `"0.92"`, `"1/3"`, `fx.USD: "1/3" is not a decimal`},
		{"rate is zero", `"0.92"`, `"0.00"`, `fx.USD: "0.00" is not a positive decimal`},
		{"rate is negative", `"0.92"`, `"-1"`, `fx.USD: "-1" is not a positive decimal`},
		{"rate of its own currency", "USD:", "EUR:", `fx.EUR: "EUR" is the workspace's own`},
		{"rate of no currency", "USD:", "usd:", `fx.usd: "usd" is not three capital letters`},
		{"key without a name", "{name: crm, secret", "{secret", `keys[0].name: "" is empty`},
		{"key twice", "name: site, public", "name: crm, public", `keys[1].name: "crm" stands twice`},
		{"key without a value", ", secret: sk_demo", "", `keys[0]: key "crm" needs just one of secret, public and report`},
		{"key that is both", "secret: sk_demo", "secret: a, public: b", `keys[0]: key "crm" needs just one`},
		{"key with a blank", "secret: sk_demo", "secret: sk demo", `keys[0]: key "crm" must be 1 to 256 visible`},
		{"origin with a path", "https://shop.example", "https://shop.example/", `keys[1].origins[0]: "https://shop.example/" is no origin`},
		{"static number", "22 111 22 33", "12", `static_numbers.12: "12" is no phone number`},
		{"static number without utm", "source: Radio, medium: call, campaign: \" autumn \"", "source: \" \"", "has no utm value"},
		{"pool without a name", "{name: site, numbers", "{numbers", `pools[0].name: ""`},
		{"pool number", "22 111 00 02", "nobody", `pools[0].numbers[1]: "nobody" is no phone number`},
		{"pool number twice", "22 111 00 02", "22 111 00 01", `pools[0].numbers[1]: "22 111 00 01" stands twice`},
		{"pool number that is static", "22 111 00 02", "+48 22 111 22 33", `pools[0].numbers[1]: "+48 22 111 22 33" is a static number too`},
		{"pool without numbers", `numbers: ["+48221110001", "22 111 00 02"]`, "numbers: []", "pools[0].numbers: pool"},
		{"pool hold", "{name: site, numbers", "{name: site, hold: 200h, numbers", `pools[0].hold: "200h0m0s"`},
		{"pool fallback", "+48 22 111 00 09", "x", `pools[0].fallback: "x" is no phone number`},
		{"excluded phone", "phone:22 111 00 00", "phone:x", `exclude_identities[0]: "phone:x" would join nobody anyway: unparsable`},
		{"excluded junk", "user_id: 42", "user_id:null", `exclude_identities[3]: "user_id:null" would join nobody anyway: junk`},
		{"excluded without a kind", "user_id: 42", "42", `exclude_identities[3]: "42" is not kind:value`},
		{"channel rule", "country: PL", "country: PL\nchannels: [{name: x, medium: {regexp: '['}}]", `channels[0].medium.regexp: "["`},
		{"pipeline stage twice", "[new, contact]", "[new, new]", `pipelines[0].stages[1]: "new" is empty or stands twice`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			w := read(t, good, row.old, row.new)
			err := w.Validate()
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v\nwant %s", err, row.want)
			}
			if err != nil && strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("one fault is reported as several: %v", err)
			}
		})
	}
	w := read(t, good, "Europe/Warsaw", "X", "country: PL", "country: XX", `"0.92"`, "abc", "secret: sk_demo", "secret: a b", "[new, contact]", "[new, new]")
	err := w.Validate()
	if n := strings.Count(err.Error(), "\n") + 1; n < 5 {
		t.Errorf("only %d faults of a workspace with five: %v", n, err)
	}
	for _, secret := range []string{"not-a-secret", "a b"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("a secret is printed: %v", err)
		}
	}
}

func TestWorkspacesAgainstEachOther(t *testing.T) {
	rows := []struct {
		name    string
		replace []string
		want    string
	}{
		{"same name", []string{"sk_demo", "sk_2", "pk_demo", "pk_2"}, `workspaces[1].name: "shop" is the name of workspaces[0] too`},
		{"same key", []string{"name: shop", "name: other", "pk_demo", "pk_2"}, `workspaces[1].keys[0].secret: key "crm" is the same as workspaces[0].keys[0].secret`},
		{"secret is another's public", []string{"name: shop", "name: other", "sk_demo", "pk_demo", "public: pk_demo", "public: pk_2"}, `workspaces[1].keys[0].secret: key "crm" is the same as workspaces[0].keys[1].public`},
		{"fault of the second", []string{"name: shop", "name: other", "sk_demo", "sk_2", "pk_demo", "pk_2", `"0.92"`, "abc"}, `workspaces[1].fx.USD: "abc" is not a decimal`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			err := Validate([]Workspace{read(t, good), read(t, good, row.replace...)})
			if err == nil || err.Error() != row.want {
				t.Errorf("got %v\nwant %s", err, row.want)
			}
		})
	}
	if err := Validate([]Workspace{read(t, good), read(t, good, "name: shop", "name: other", "sk_demo", "sk_2", "pk_demo", "pk_2")}); err != nil {
		t.Errorf("two good ones: %v", err)
	}
}

func TestMinor(t *testing.T) {
	w := valid(t)
	rows := []struct {
		name, amount, currency string
		want                   int64
		ok                     bool
	}{
		{"own currency", "1200.50", "EUR", 120050, true},
		{"own currency left out", "1200.5", "", 120050, true},
		{"whole", "7", "", 700, true},
		{"half goes up", "0.005", "", 1, true},
		{"half goes away from zero", "-0.005", "", -1, true},
		{"under half goes down", "0.004999", "", 0, true},
		{"rate", "100", "USD", 9200, true},
		{"rate, half a minor unit", "0.0625", "USD", 6, true}, // 0.0575
		{"rate, exactly half", "1", "PLN", 24, true},          // 0.235
		{"rate, exactly half, negative", "-1", "PLN", -24, true},
		{"what a float gets wrong", "1.005", "", 101, true},
		{"the largest amount", "9999999999999.999999", "", 1_000_000_000_000_000, true},
		{"unknown currency", "1", "GBP", 0, false},
		{"no amount", "1e3", "", 0, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, ok := w.Minor(event.Money(row.amount), row.currency)
			if got != row.want || ok != row.ok {
				t.Errorf("got %d %t, want %d %t", got, ok, row.want, row.ok)
			}
		})
	}
	dear := valid(t, `"0.92"`, `"999999999"`)
	if v, ok := dear.Minor("9999999999999", "USD"); ok {
		t.Errorf("what the ledger cannot hold became %d", v)
	}
	if holds := dear.EventRules().Holds; holds("9999999999999", "USD") || !holds("9999999999999", "") || !holds("1", "USD") {
		t.Error("events are refused by another rule")
	}
}

func TestKeys(t *testing.T) {
	list := []Workspace{read(t, good), read(t, good, "name: shop", "name: other", "sk_demo", "sk_2", "pk_demo", "pk_2")}
	if err := Validate(list); err != nil {
		t.Fatal(err)
	}
	keys := NewKeys(list)
	rows := []struct {
		name, token, workspace, key string
		public, ok                  bool
	}{
		{"secret", "sk_demo", "shop", "crm", false, true},
		{"public", "pk_demo", "shop", "site", true, true},
		{"secret of the second", "sk_2", "other", "crm", false, true},
		{"public of the second", "pk_2", "other", "site", true, true},
		{"unknown", "sk_3", "", "", false, false},
		{"beginning of one", "sk_", "", "", false, false},
		{"one and more", "sk_demo2", "", "", false, false},
		{"nothing", "", "", "", false, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got, ok := keys.Find(row.token)
			if ok != row.ok {
				t.Fatalf("found %t", ok)
			}
			if ok && (got.Workspace.Name != row.workspace || got.Name != row.key || got.Public != row.public) {
				t.Errorf("got %s %s public %t", got.Workspace.Name, got.Name, got.Public)
			}
			if got.Public && len(got.Origins) != 1 {
				t.Errorf("origins %v", got.Origins)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	base := valid(t).Fingerprint()
	rows := []struct {
		name, old, new string
		changes        bool
	}{
		{"timezone", "Europe/Warsaw", "Europe/Kyiv", true},
		{"currency", "currency: EUR", "currency: GBP", true},
		{"lookback", "country: PL", "country: PL\nlookback: 720h", true},
		{"max_touches", "country: PL", "country: PL\nmax_touches: 10", true},
		{"rate", `"0.92"`, `"0.93"`, true},
		{"static number", "source: Radio", "source: tv", true},
		{"pool", `"22 111 00 02"`, `"22 111 00 03"`, true},
		{"channels", "country: PL", "country: PL\nchannels: [{name: x, medium: y}]", true},
		{"same rate, other spelling", `"0.92"`, `"0.920"`, false},
		{"same number, other spelling", `"22 111 00 02"`, `"+48 221110002"`, false},
		{"default written out", "country: PL", "country: PL\nlookback: 2160h\nmax_touches: 1000", false},
		{"key", "sk_demo", "sk_other", false},
		{"hold", "{name: site, numbers", "{name: site, hold: 1h, numbers", false},
		{"pipeline", "[new, contact]", "[new, contact, invoice]", false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if got := valid(t, row.old, row.new).Fingerprint() != base; got != row.changes {
				t.Errorf("changed %t", got)
			}
		})
	}
}

func BenchmarkMinor(b *testing.B) {
	w := valid(b)
	for b.Loop() {
		w.Minor("1200.50", "USD")
	}
}
