package demo

import (
	"fmt"
	"time"
)

// channel is where visitors come from, and what a day of it costs.
type channel struct {
	name          string // of the channel that the default rules put it in
	url, referrer string
	weight        int
	utm           fields // of what it costs; nil: nothing
	source        string // the account's
	perDay        int64  // cents
}

const site = "https://cars.example/"

// channels of the dealer: paid search of two engines and two campaigns, paid social, organic, e-mail, partners; and those who
// just come.
var channels = []channel{
	{name: "Paid Search", url: site + "?utm_source=google&utm_medium=cpc&utm_campaign=brand", weight: 18, utm: fields{"source": "google", "medium": "cpc", "campaign": "brand"}, source: "google_ads", perDay: 9_000},
	{name: "Paid Search", url: site + "suv?utm_source=google&utm_medium=cpc&utm_campaign=suv", weight: 16, utm: fields{"source": "google", "medium": "cpc", "campaign": "suv"}, source: "google_ads", perDay: 21_000},
	{name: "Paid Search", url: site + "?utm_source=yandex&utm_medium=cpc&utm_campaign=search", weight: 12, utm: fields{"source": "yandex", "medium": "cpc", "campaign": "search"}, source: "yandex_ads", perDay: 12_000},
	{name: "Paid Social", url: site + "?utm_source=facebook&utm_medium=paid_social&utm_campaign=lookalike", weight: 14, utm: fields{"source": "facebook", "medium": "paid_social", "campaign": "lookalike"}, source: "facebook_ads", perDay: 16_000},
	{name: "Organic Search", url: site, referrer: "https://www.google.com/", weight: 18},
	{name: "Email", url: site + "?utm_source=newsletter&utm_medium=email&utm_campaign=autumn", weight: 7},
	{name: "Referral", url: site, referrer: "https://autoblog.example.org/review", weight: 6},
	{name: "Direct", url: site, weight: 9},
}

func (t *teller) pick() channel {
	total := 0
	for _, c := range channels {
		total += c.weight
	}
	n := t.rnd.IntN(total)
	for _, c := range channels {
		if n -= c.weight; n < 0 {
			return c
		}
	}
	return channels[0]
}

// life is one person's: visits from a browser or two, perhaps an inquiry, perhaps a deal.
func (t *teller) life(person int) {
	p := &client{teller: t, person: person, phone: fmt.Sprintf("+4850%07d", person), email: fmt.Sprintf("client%d@example.com", person)}
	p.browsers = 1 + t.rnd.IntN(2)
	first := t.rnd.IntN(t.cfg.Days - 20)
	span := 1 + t.rnd.IntN(18)
	for v := range 2 + t.rnd.IntN(14) {
		c := t.pick()
		body := fields{"url": c.url}
		if c.referrer != "" {
			body["referrer"] = c.referrer
		}
		t.tell(fmt.Sprintf("v-%d-%d", person, v), "visit", "site", t.day(first+t.rnd.IntN(span)), fields{"anonymous_id": p.browser(v % p.browsers)}, body)
		t.totals.Visits++
		t.totals.VisitsBy[c.name]++
	}
	asked := t.day(first + span)
	if !p.ask(asked) {
		return // they only looked
	}
	if p.browsers > 1 { // the other browser turns out to be theirs only later
		t.tell(fmt.Sprintf("i2-%d", person), "identify", "site", asked.Add(30*time.Hour), fields{"anonymous_id": p.browser(1), "email": p.email}, nil)
		t.tell(fmt.Sprintf("i3-%d", person), "identify", "crm", asked.Add(31*time.Hour), fields{"phone": p.phone, "email": p.email}, nil)
	}
	if t.rnd.IntN(3) > 0 {
		t.deal(person, asked, p.phone)
	}
}

// client is a person of the story.
type client struct {
	*teller
	person       int
	phone, email string
	browsers     int
}

func (p *client) browser(i int) string { return fmt.Sprintf("b-%d-%d", p.person, i) }

// ask is how somebody becomes known, if they do.
func (p *client) ask(at time.Time) bool {
	id := func(prefix string) string { return fmt.Sprintf("%s-%d", prefix, p.person) }
	learn := func() { // the sales room learns which browser it was
		p.tell(id("i"), "identify", "crm", at.Add(time.Hour), fields{"anonymous_id": p.browser(0), "phone": p.phone, "email": p.email}, nil)
	}
	switch p.rnd.IntN(10) {
	case 0, 1, 2, 3:
		return false
	case 4, 5: // the form says who they are
		p.tell(id("f"), "form", "site", at, fields{"anonymous_id": p.browser(0), "phone": p.phone}, fields{"form_id": "test_drive"})
		p.totals.Inquiries++
	case 6: // they call
		p.tell(id("c"), "call", "pbx", at, nil, fields{
			"direction": "in", "from": p.phone, "to": "+48221119999", "status": "answered", "wait_seconds": 7, "talk_seconds": 30 + p.rnd.IntN(600),
		})
		p.totals.Inquiries++
		learn()
	case 7: // they write from the site, and again: one conversation
		who := fields{"telegram": fmt.Sprintf("tg-%d", p.person)}
		for i, ref := range []string{"a_" + p.browser(0), ""} {
			p.tell(fmt.Sprintf("m-%d-%d", p.person, i), "message", "bot", at.Add(time.Duration(i)*time.Minute), who, fields{"platform": "telegram", "direction": "in", "ref": ref})
		}
		p.totals.Inquiries++
		learn()
	default: // they walk in
		learn()
	}
	return true
}

// advertising is what every account reports of every day: first roughly, then as it stands.
func (t *teller) advertising() {
	for n := range t.cfg.Days {
		for i, c := range channels {
			if c.utm == nil {
				continue
			}
			day := t.day(n)
			spent := c.perDay/2 + t.rnd.Int64N(c.perDay)
			stands := int64(0)
			for which, cents := range []int64{spent - spent/10, spent} {
				told := t.tell(fmt.Sprintf("s-%d-%d-%d", i, n, which), "spend", c.source, day.Add(time.Duration(which+1)*12*time.Hour), nil, fields{
					"date": day.Format(time.DateOnly), "account": "1", "utm": c.utm, "amount": money(cents), "clicks": cents / 60, "impressions": cents,
				})
				if told {
					stands = cents
				}
			}
			t.totals.Spend += stands
			t.totals.SpendBy[c.name] += stands
		}
	}
}
