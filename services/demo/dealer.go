package demo

import (
	"fmt"
	"time"
)

// channel is where visitors come from, and what a day of it costs.
type channel struct {
	url, referrer string
	weight        int
	utm           fields // of what it costs; nil: nothing
	source        string // the account's
	perDay        int64  // cents
}

const site = "https://cars.example/"

// channels of the dealer: paid search of two engines, paid social, organic, e-mail, partners; and those who just come.
var channels = []channel{
	{url: site + "?utm_source=google&utm_medium=cpc&utm_campaign=brand", weight: 18, utm: fields{"source": "google", "medium": "cpc", "campaign": "brand"}, source: "google_ads", perDay: 9_000},
	{url: site + "suv?utm_source=google&utm_medium=cpc&utm_campaign=suv", weight: 16, utm: fields{"source": "google", "medium": "cpc", "campaign": "suv"}, source: "google_ads", perDay: 21_000},
	{url: site + "?utm_source=yandex&utm_medium=cpc&utm_campaign=search", weight: 12, utm: fields{"source": "yandex", "medium": "cpc", "campaign": "search"}, source: "yandex_ads", perDay: 12_000},
	{url: site + "?utm_source=facebook&utm_medium=paid_social&utm_campaign=lookalike", weight: 14, utm: fields{"source": "facebook", "medium": "paid_social", "campaign": "lookalike"}, source: "facebook_ads", perDay: 16_000},
	{url: site, referrer: "https://www.google.com/", weight: 18},
	{url: site + "?utm_source=newsletter&utm_medium=email&utm_campaign=autumn", weight: 7},
	{url: site, referrer: "https://autoblog.example.org/review", weight: 6},
	{url: site, weight: 9},
}

var stages = []string{"new", "contact", "test_drive", "invoice"}

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
	browsers := 1 + t.rnd.IntN(2)
	first := t.rnd.IntN(t.cfg.Days - 20)
	visits := 2 + t.rnd.IntN(14)
	phone := fmt.Sprintf("+4850%07d", person)
	email := fmt.Sprintf("client%d@example.com", person)
	browser := func(i int) string { return fmt.Sprintf("b-%d-%d", person, i) }
	span := 1 + t.rnd.IntN(18)
	for v := range visits {
		c := t.pick()
		body := fields{"url": c.url}
		if c.referrer != "" {
			body["referrer"] = c.referrer
		}
		t.tell(fmt.Sprintf("v-%d-%d", person, v), "visit", "site", t.day(first+t.rnd.IntN(span)), fields{"anonymous_id": browser(v % browsers)}, body)
		t.totals.Visits++
	}
	asked := t.day(first + span)
	switch t.rnd.IntN(5) {
	case 0, 1: // they only looked
		return
	case 2: // the form says who they are
		t.tell(fmt.Sprintf("f-%d", person), "form", "site", asked, fields{"anonymous_id": browser(0), "phone": phone}, fields{"form_id": "test_drive"})
	default: // the sales room learns it
		t.tell(fmt.Sprintf("i-%d", person), "identify", "crm", asked, fields{"anonymous_id": browser(0), "phone": phone, "email": email}, nil)
	}
	if browsers > 1 { // the other browser turns out to be theirs only later
		t.tell(fmt.Sprintf("i2-%d", person), "identify", "site", asked.Add(30*time.Hour), fields{"anonymous_id": browser(1), "email": email}, nil)
		t.tell(fmt.Sprintf("i3-%d", person), "identify", "crm", asked.Add(31*time.Hour), fields{"phone": phone, "email": email}, nil)
	}
	if t.rnd.IntN(3) > 0 {
		t.deal(person, asked, phone)
	}
}

// deal walks the pipeline, and ends won, lost or nowhere; some that were won come back.
func (t *teller) deal(person int, asked time.Time, phone string) {
	id, n := fmt.Sprintf("D%d", person), 0
	at := asked
	amount := int64(900_000+t.rnd.IntN(4_000_000)) + int64(t.rnd.IntN(100))
	cost := amount * int64(70+t.rnd.IntN(20)) / 100
	say := func(body fields) {
		body["id"] = id
		t.tell(fmt.Sprintf("%s-%d", id, n), "deal", "crm", at, fields{"phone": phone}, body)
		n++
	}
	t.totals.Deals++
	reached := 1 + t.rnd.IntN(len(stages))
	for i, stage := range stages[:reached] {
		body := fields{"pipeline": "sales", "stage": stage, "status": "open", "manager": []string{"anna", "boris", "celine"}[person%3]}
		if i == 0 {
			body["created_at"] = asked.UTC().Format(time.RFC3339)
			body["title"] = "car"
		}
		say(body)
		at = at.Add(time.Duration(6+t.rnd.IntN(40)) * time.Hour)
	}
	if reached < len(stages) {
		if t.rnd.IntN(2) == 0 {
			say(fields{"status": "lost", "reason": "price"})
		}
		return
	}
	say(fields{"status": "won", "amount": money(amount), "cost_of_goods": money(cost)})
	at = at.Add(20 * time.Hour)
	switch t.rnd.IntN(10) {
	case 0: // paid back
		say(fields{"status": "lost", "reason": "refund"})
		return
	case 1: // paid back, and bought again for less
		say(fields{"status": "lost", "reason": "refund"})
		at = at.Add(50 * time.Hour)
		amount -= 50_000
		say(fields{"status": "won", "amount": money(amount)})
	case 2: // an extra was added to the bill
		amount += 120_099
		say(fields{"amount": money(amount)})
	}
	t.totals.Won++
	t.totals.Revenue += amount
	t.totals.Cost += cost
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
			report := func(which int, cents int64) {
				t.tell(fmt.Sprintf("s-%d-%d-%d", i, n, which), "spend", c.source, day.Add(time.Duration(which)*12*time.Hour), nil, fields{
					"date": day.Format(time.DateOnly), "account": "1", "utm": c.utm, "amount": money(cents), "clicks": cents / 60, "impressions": cents,
				})
			}
			report(1, spent-spent/10)
			report(2, spent)
			t.totals.Spend += spent
		}
	}
}
