package stitcher

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/services/stitcher/journey"
)

// world is a random story of some people, all eight event types, with what makes attribution hard: identifiers shared by
// several people, joins late in the story, deals that are won, edited, lost, reopened, deleted and reported backwards,
// leases that overlap, ties to the millisecond.
type world struct {
	rnd    *rand.Rand
	rules  Rules
	events []*event.Event
	n      int
}

const (
	day    = int64(24 * time.Hour / time.Millisecond)
	t0     = int64(1_788_000_000_000)
	number = "+48221110001"
	static = "+48221112233"
)

func testRules(rnd *rand.Rand) Rules {
	classifier, err := pipelines.NewClassifier(nil)
	if err != nil {
		panic(err)
	}
	warsaw, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		panic(err)
	}
	return Rules{Config: []byte("config"), Rules: &journey.Rules{
		Workspace: "w", Location: warsaw, Lookback: []int64{90, 7, 30}[rnd.IntN(3)] * day, MaxTouches: []int{1000, 4, 1}[rnd.IntN(3)],
		Minor: minor, CountBots: rnd.IntN(4) == 0,
		Static: map[string]event.UTM{static: {Source: "radio", Medium: "call"}}, Pool: map[string]bool{number: true},
		Classify: classifier.Classify, Tuple: classifier.Tuple,
	}}
}

// minor is an exact conversion at fixed rates, written apart from the configuration's.
func minor(m event.Money, currency string) (int64, bool) {
	v, ok := new(big.Rat).SetString(string(m))
	if !ok {
		return 0, false
	}
	if currency == "USD" {
		v.Mul(v, big.NewRat(92, 100))
	}
	v.Mul(v, big.NewRat(100, 1))
	half := big.NewRat(int64(v.Sign()), 2)
	v.Add(v, half)
	return new(big.Int).Quo(v.Num(), v.Denom()).Int64(), true
}

func node(kind, value string) event.Node {
	sum := sha256.Sum256([]byte(kind + "\x00" + value))
	return event.Node{Kind: kind, ID: event.NodeID(sum[:16])}
}

func newWorld(seed uint64) *world {
	rnd := rand.New(rand.NewPCG(seed, 0x6c65_6467_6572))
	w := &world{rnd: rnd, rules: testRules(rnd)}
	people := 1 + rnd.IntN(6)
	for range 5 + rnd.IntN(60) {
		w.random(people)
	}
	return w
}

func (w *world) pick(kind string, people, each int) event.Node {
	return node(kind, fmt.Sprintf("%s-%d-%d", kind, w.rnd.IntN(people), w.rnd.IntN(each)))
}

func (w *world) time() int64 {
	if w.rnd.IntN(5) == 0 {
		return t0 + day*w.rnd.Int64N(10) // ties
	}
	return t0 + w.rnd.Int64N(120*day)
}

func (w *world) add(t event.Type, source string, home event.Node, others ...event.Node) *event.Event {
	w.n++
	e := &event.Event{Workspace: "w", ID: fmt.Sprintf("e%03d", w.n), Source: source, Type: t, Time: w.time(), Content: uint64(w.n), Nodes: []event.Node{home}}
	for _, n := range others {
		if !slices.Contains(e.Nodes, n) {
			e.Nodes = append(e.Nodes, n)
		}
	}
	w.events = append(w.events, e)
	return e
}

var origins = []event.Origin{
	{UTM: event.UTM{Source: "google", Medium: "cpc", Campaign: "brand"}}, {UTM: event.UTM{Source: "newsletter", Medium: "email"}},
	{Click: "yclid"}, {Referrer: "google.com"}, {}, {},
}

// random adds one event, or the few of one deal.
func (w *world) random(people int) {
	browser, phone, mail := w.pick("anonymous_id", people, 3), w.pick("phone", people, 2), w.pick("email", people, 1)
	some := func(ns ...event.Node) []event.Node {
		return slices.DeleteFunc(ns, func(event.Node) bool { return w.rnd.IntN(4) > 0 })
	}
	switch k := w.rnd.IntN(20); {
	case k < 8:
		w.add(event.Visit, "site", browser, some(phone, mail)...).Visit = &event.VisitData{Origin: origins[w.rnd.IntN(len(origins))], Bot: w.rnd.IntN(5) == 0}
	case k < 9:
		w.add(event.Form, "site", browser, some(phone, mail)...).Form = &event.FormData{}
	case k < 10:
		w.add(event.Identify, "site", browser, phone)
	case k < 12:
		c := &event.CallData{Direction: event.In, Client: phone.ID, Company: []string{number, number, number, static, "+48229990000"}[w.rnd.IntN(5)], Status: "answered"}
		if w.rnd.IntN(6) == 0 {
			c.Direction = event.Out
		}
		w.add(event.Call, "pbx", phone, some(mail)...).Call = c
	case k < 14:
		m := &event.MessageData{Platform: []string{"telegram", "viber"}[w.rnd.IntN(2)], Direction: event.In}
		if w.rnd.IntN(4) == 0 {
			m.Direction = event.Out
		}
		m.Manager = []string{"", "Ann", "Bob"}[w.rnd.IntN(3)]
		w.add(event.Message, "chat", phone, some(browser)...).Message = m
	case k < 16:
		l := w.add(event.NumberLease, "site", browser, some(w.pick("anonymous_id", people, 3))...)
		l.Lease = &event.LeaseData{Number: number, Until: l.Time + w.rnd.Int64N(40*day), Visitor: browser.ID, Several: len(l.Nodes) > 1}
	case k < 17:
		s := w.add(event.Spend, "ads", browser)
		s.Nodes = nil
		s.Spend = &event.SpendData{
			Date: "2026-09-0" + string('1'+rune(w.rnd.IntN(3))), Account: "1", Amount: event.Money(fmt.Sprintf("%d.%02d", w.rnd.IntN(100), w.rnd.IntN(100))),
			UTM: event.UTM{Source: "google", Medium: "cpc"}, Clicks: w.rnd.Int64N(50),
		}
	default:
		w.deal(people, phone, browser)
	}
}

// deal adds some snapshots of one deal: each partial, at any time.
func (w *world) deal(people int, phone, browser event.Node) {
	id := fmt.Sprintf("d%d", w.rnd.IntN(people*2))
	for i := range 1 + w.rnd.IntN(4) {
		var others []event.Node
		if i == 0 || w.rnd.IntN(3) == 0 {
			others = append(others, []event.Node{phone, browser}[w.rnd.IntN(2)])
		}
		d := &event.DealData{ID: id}
		maybe := func(odds int) bool { return w.rnd.IntN(odds) == 0 }
		if maybe(2) {
			d.Status = ptr([]string{"open", "won", "won", "won", "lost"}[w.rnd.IntN(5)])
		}
		if maybe(2) {
			d.Amount = ptr(event.Money(fmt.Sprintf("%d.%02d", w.rnd.IntN(2000), w.rnd.IntN(100))))
		}
		if maybe(3) {
			d.CostOfGoods = ptr(event.Money(fmt.Sprintf("%d.01", w.rnd.IntN(500))))
		}
		if maybe(6) {
			d.Currency = ptr([]string{"USD", "EUR"}[w.rnd.IntN(2)])
		}
		if maybe(3) {
			d.Stage, d.Pipeline = ptr([]string{"new", "contact", "invoice"}[w.rnd.IntN(3)]), ptr("sales")
		}
		if maybe(8) {
			d.Deleted = ptr(w.rnd.IntN(2) == 0)
		}
		if maybe(4) {
			d.CreatedAt = ptr(w.time())
		}
		w.add(event.Deal, "crm", node("deal", "crm/"+id), others...).Deal = d
	}
}

func ptr[T any](v T) *T { return &v }

// wonTotal adds up, by the simplest reading of the contract, the amounts and the number of deals that stand won.
func (w *world) wonTotal() (count, revenue, cogs int64) {
	deals := map[string][]*event.Event{}
	for _, e := range w.events {
		if e.Type == event.Deal {
			deals[e.Deal.ID] = append(deals[e.Deal.ID], e)
		}
	}
	for _, events := range deals {
		slices.SortFunc(events, func(a, b *event.Event) int { return cmp.Or(cmp.Compare(a.Time, b.Time), cmp.Compare(a.ID, b.ID)) })
		amount, cost, currency, status, deleted := event.Money("0"), event.Money("0"), "", "open", false
		for _, e := range events {
			d := e.Deal
			amount, cost, currency = or(d.Amount, amount), or(d.CostOfGoods, cost), or(d.Currency, currency)
			status, deleted = or(d.Status, status), or(d.Deleted, deleted)
		}
		if status == "won" && !deleted {
			a, _ := minor(amount, currency)
			c, _ := minor(cost, currency)
			count, revenue, cogs = count+1, revenue+a, cogs+c
		}
	}
	return count, revenue, cogs
}

func or[T any](p *T, v T) T {
	if p != nil {
		return *p
	}
	return v
}
