package pipelines

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/fact"
)

func classifier(t testing.TB, own ...ChannelRule) *Classifier {
	t.Helper()
	c, err := NewClassifier(own)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Each default rule has at least one row, which the test counts.
func TestDefaultRules(t *testing.T) {
	rows := []struct{ source, medium, campaign, want string }{
		{"(direct)", "", "", "Direct"},
		{"(direct)", "(not set)", "", "Direct"},
		{"google", "cpc", "spring cross-network", "Cross-network"},
		{"amazon", "cpc", "", "Paid Shopping"},
		{"unknown", "ppc", "shopping autumn", "Paid Shopping"},
		{"unknown", "ppc", "eshop", "Paid Shopping"},
		{"unknown", "ppc", "workshop", "Paid Other"}, // the published expression takes an e before "shop", no other letter
		{"google", "cpc", "", "Paid Search"},
		{"bing", "cpc", "", "Paid Search"},
		{"yandex", "cpc", "", "Paid Search"},
		{"www.google.co.uk", "cpm", "", "Paid Search"},
		{"facebook", "paid_social", "", "Paid Social"},
		{"vk", "cpc", "", "Paid Social"},
		{"tiktok", "cpm", "", "Paid Social"},
		{"instagram", "retargeting", "", "Paid Social"},
		{"youtube", "cpv", "", "Paid Video"},
		{"telegram_ads", "cpc", "", "Paid Other"},
		{"some", "cpa", "", "Paid Other"},
		{"site", "banner", "", "Display"},
		{"site", "cpm", "", "Display"},
		{"etsy.com", "referral", "", "Organic Shopping"},
		{"partner", "post", "big shop", "Organic Shopping"},
		{"facebook", "social", "", "Organic Social"},
		{"vk", "social", "", "Organic Social"},
		{"blog", "social media", "", "Organic Social"},
		{"l.instagram.com", "link", "", "Organic Social"},
		{"youtube.com", "referral", "", "Organic Video"},
		{"blog", "promo-video", "", "Organic Video"},
		{"google", "organic", "", "Organic Search"},
		{"unheard-of", "organic", "", "Organic Search"},
		{"google.pl", "referral", "", "Organic Search"},
		{"blog.example.org", "referral", "", "Referral"},
		{"phone", "app", "", "Referral"},
		{"mail", "email", "", "Email"},
		{"e-mail", "letter", "", "Email"},
		{"partner", "affiliate", "", "Affiliates"},
		{"podcast", "audio", "", "Audio"},
		{"sms", "text", "", "SMS"},
		{"gate", "sms", "", "SMS"},
		{"app", "webpush", "", "Mobile Push Notifications"},
		{"app", "mobile_app", "", "Mobile Push Notifications"},
		{"firebase", "x", "", "Mobile Push Notifications"},
		{"telegram", "messenger", "", "Messenger"},
		{"vk", "messenger", "", "Messenger"},
		{"radio", "call", "autumn", "Call"},
		{"weird", "thing", "b", "Unassigned"},
		{"", "", "only", "Unassigned"},
		{"", "", "", "Unassigned"},
	}
	c := classifier(t)
	seen := map[string]bool{}
	for _, row := range rows {
		t.Run(fmt.Sprintf("%s/%s/%s", row.source, row.medium, row.campaign), func(t *testing.T) {
			got := c.Tuple(event.UTM{Source: row.source, Medium: row.medium, Campaign: row.campaign})
			if got.Channel != row.want {
				t.Errorf("channel %q, want %q", got.Channel, row.want)
			}
		})
		seen[row.want] = true
	}
	for _, r := range loadDefaults().Channels {
		if !seen[r.Name] {
			t.Errorf("rule %q has no row", r.Name)
		}
	}
}

func TestOrigins(t *testing.T) {
	utm := event.UTM{Source: " Mail", Medium: "EMAIL", Campaign: "a"}
	rows := []struct {
		name string
		in   event.Origin
		want fact.Tuple
	}{
		{"utm beats click id and referrer", event.Origin{UTM: utm, Click: "gclid", Referrer: "vk.com"}, fact.Tuple{Channel: "Email", Source: "mail", Medium: "email", Campaign: "a"}},
		{"click id beats referrer", event.Origin{Click: "yclid", Referrer: "vk.com"}, fact.Tuple{Channel: "Paid Search", Source: "yandex", Medium: "cpc"}},
		{"gclid", event.Origin{Click: "gclid"}, fact.Tuple{Channel: "Paid Search", Source: "google", Medium: "cpc"}},
		{"wbraid", event.Origin{Click: "wbraid"}, fact.Tuple{Channel: "Paid Search", Source: "google", Medium: "cpc"}},
		{"gbraid", event.Origin{Click: "gbraid"}, fact.Tuple{Channel: "Paid Search", Source: "google", Medium: "cpc"}},
		{"msclkid", event.Origin{Click: "msclkid"}, fact.Tuple{Channel: "Paid Search", Source: "bing", Medium: "cpc"}},
		{"ttclid", event.Origin{Click: "ttclid"}, fact.Tuple{Channel: "Paid Social", Source: "tiktok", Medium: "cpc"}},
		{"rb_clickid", event.Origin{Click: "rb_clickid"}, fact.Tuple{Channel: "Paid Social", Source: "vk", Medium: "cpc"}},
		{"fbclid is no paid click", event.Origin{Click: "fbclid"}, fact.Tuple{Channel: "Organic Social", Source: "facebook", Medium: "social"}},
		{"unknown click id says nothing", event.Origin{Click: "zclid", Referrer: "vk.com"}, fact.Tuple{Channel: "Organic Social", Source: "vk", Medium: "social"}},
		{"search engine", event.Origin{Referrer: "google.com"}, fact.Tuple{Channel: "Organic Search", Source: "google", Medium: "organic"}},
		{"search engine abroad", event.Origin{Referrer: "google.com.tr"}, fact.Tuple{Channel: "Organic Search", Source: "google", Medium: "organic"}},
		{"search engine's short host", event.Origin{Referrer: "ya.ru"}, fact.Tuple{Channel: "Organic Search", Source: "yandex", Medium: "organic"}},
		{"mail.ru search", event.Origin{Referrer: "go.mail.ru"}, fact.Tuple{Channel: "Organic Search", Source: "mail.ru", Medium: "organic"}},
		{"a mailbox is no search", event.Origin{Referrer: "e.mail.ru"}, fact.Tuple{Channel: "Referral", Source: "e.mail.ru", Medium: "referral"}},
		{"webmail of an engine", event.Origin{Referrer: "mail.google.com"}, fact.Tuple{Channel: "Referral", Source: "mail.google.com", Medium: "referral"}},
		{"a host that only begins alike", event.Origin{Referrer: "google.evil.example"}, fact.Tuple{Channel: "Referral", Source: "google.evil.example", Medium: "referral"}},
		{"a host that only ends alike", event.Origin{Referrer: "notvk.com"}, fact.Tuple{Channel: "Referral", Source: "notvk.com", Medium: "referral"}},
		{"social network", event.Origin{Referrer: "vk.com"}, fact.Tuple{Channel: "Organic Social", Source: "vk", Medium: "social"}},
		{"social network's exit page", event.Origin{Referrer: "lm.facebook.com"}, fact.Tuple{Channel: "Organic Social", Source: "facebook", Medium: "social"}},
		{"short link of a network", event.Origin{Referrer: "t.co"}, fact.Tuple{Channel: "Organic Social", Source: "twitter", Medium: "social"}},
		{"telegram", event.Origin{Referrer: "web.telegram.org"}, fact.Tuple{Channel: "Organic Social", Source: "telegram", Medium: "social"}},
		{"video site stays a referral", event.Origin{Referrer: "m.youtube.com"}, fact.Tuple{Channel: "Organic Video", Source: "m.youtube.com", Medium: "referral"}},
		{"shop stays a referral", event.Origin{Referrer: "amazon.de"}, fact.Tuple{Channel: "Organic Shopping", Source: "amazon.de", Medium: "referral"}},
		{"other host", event.Origin{Referrer: "blog.example.org"}, fact.Tuple{Channel: "Referral", Source: "blog.example.org", Medium: "referral"}},
		{"nothing", event.Origin{}, fact.Tuple{Channel: "Direct", Source: "(direct)"}},
	}
	c := classifier(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			want := row.want
			for _, v := range []*string{&want.Source, &want.Medium, &want.Campaign, &want.Content, &want.Term} {
				*v = orNone(*v)
			}
			if got := c.Classify(row.in); got != want {
				t.Errorf("got %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestOwnRulesComeFirst(t *testing.T) {
	var own []ChannelRule
	err := yaml.Unmarshal([]byte(`
- {name: Brand Search, source: {category: search}, medium: cpc, campaign: {prefix: brand}}
- {name: Print, any: [{source: [flyer, poster]}, {medium: {regexp: "print.*"}}]}
- {name: Content, content: {contains: [hero, footer]}, term: shoes}
`), &own)
	if err != nil {
		t.Fatal(err)
	}
	c := classifier(t, own...)
	rows := []struct {
		name string
		in   event.UTM
		want string
	}{
		{"all conditions hold", event.UTM{Source: "google", Medium: "cpc", Campaign: "Brand-PL"}, "Brand Search"},
		{"one does not", event.UTM{Source: "google", Medium: "cpc", Campaign: "generic"}, "Paid Search"},
		{"one of a list", event.UTM{Source: "poster", Medium: "x"}, "Print"},
		{"the other set", event.UTM{Source: "y", Medium: "PRINT-ad"}, "Print"},
		{"regexp takes the whole value", event.UTM{Source: "y", Medium: "blueprint"}, "Unassigned"},
		{"content and term", event.UTM{Content: "the hero", Term: "shoes"}, "Content"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			for range 2 { // the second answer comes from memory
				if got := c.Tuple(row.in).Channel; got != row.want {
					t.Errorf("channel %q, want %q", got, row.want)
				}
			}
		})
	}
}

func TestEveryFaultOfARuleIsReported(t *testing.T) {
	_, err := NewClassifier([]ChannelRule{
		{},
		{Name: "(unattributed)", Match: Match{Source: &Condition{Category: "serach"}, Medium: &Condition{Regexp: "(", Prefix: OneOf{""}}}},
		{Name: "x", Any: []Match{{}, {Term: &Condition{}}}},
	})
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, want := range []string{
		`channels[0].name: "" is empty`, `channels[0].source: "" has no condition`,
		`channels[1].name: "(unattributed)"`, `channels[1].source.category: "serach"`, `channels[1].medium.regexp: "("`, `channels[1].medium.prefix: ""`,
		`channels[2].any[0].source: no condition`, `channels[2].any[1].term: "" is empty`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("fault %q is missing in:\n%v", want, err)
		}
	}
}

func TestFaultsOfTheFile(t *testing.T) {
	rows := []struct{ name, text, want string }{
		{"unknown key of a rule", "channels: [{name: a, medum: b}]", "medum"},
		{"unknown part of a condition", "channels: [{name: a, medium: {regex: b}}]", "regex"},
		{"site without category", "sites: [{name: a}]", "sites[0]"},
		{"host listed twice", "sites: [{name: a, category: search, hosts: [x.com]}, {name: b, category: social, hosts: [x.com]}]", `"x.com"`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if _, err := parseDefaults([]byte(row.text)); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want it to name %s", err, row.want)
			}
		})
	}
}

// The conformance worlds hold an independent implementation's channel of each tuple.
func TestWorldsAgree(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "services", "e2e", "testdata", "worlds", "*", "c*.csv"))
	if err != nil || len(files) < 28 {
		t.Fatalf("%d files of answers found, error %v", len(files), err)
	}
	c := classifier(t)
	tuples := map[fact.Tuple]bool{}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		_ = f.Close() // only read from
		if err != nil {
			t.Fatal(err)
		}
		at := slices.Index(rows[0], "channel") // source, medium and campaign follow it in both tables
		for _, r := range rows[1:] {
			tuples[fact.Tuple{Channel: r[at], Source: r[at+1], Medium: r[at+2], Campaign: r[at+3]}] = true
		}
	}
	for want := range tuples {
		if want.Channel == fact.Unattributed {
			continue
		}
		if got := c.Tuple(event.UTM{Source: want.Source, Medium: want.Medium, Campaign: want.Campaign}); got.Channel != want.Channel {
			t.Errorf("%s / %s / %s: %q, want %q", want.Source, want.Medium, want.Campaign, got.Channel, want.Channel)
		}
	}
	if len(tuples) < 60 {
		t.Errorf("only %d tuples checked", len(tuples))
	}
}

func TestCacheIsBoundedAndConcurrent(t *testing.T) {
	c := classifier(t)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range channelCacheSize {
				if got := c.Tuple(event.UTM{Source: fmt.Sprint(g), Medium: "email", Term: fmt.Sprint(i)}).Channel; got != "Email" {
					t.Errorf("channel %q", got)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := len(c.channels.names); n > channelCacheSize {
		t.Errorf("%d tuples are kept", n)
	}
	long := event.UTM{Source: strings.Repeat("x", channelCacheLongest), Medium: "email"}
	if got := c.Tuple(long).Channel; got != "Email" {
		t.Errorf("channel %q", got)
	}
	if _, kept := c.channels.get(long); kept {
		t.Error("a long tuple is kept")
	}
}

func BenchmarkClassify(b *testing.B) {
	c := classifier(b)
	o := event.Origin{UTM: event.UTM{Source: "google", Medium: "cpc", Campaign: "brand"}}
	for b.Loop() {
		c.Classify(o)
	}
}
