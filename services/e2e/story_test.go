package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"time"
)

// story is a random story as a sender would tell it, in JSON: a few people with shared identifiers, merges late in the
// story, deals in partial snapshots that come in any order, restated spend, calls and leases, and every tenth event twice.
type story struct {
	rnd   *rand.Rand
	lines []string
	deals map[string][]snapshot
	n     int
}

type snapshot struct {
	time           time.Time
	id             string
	status, amount *string
	currency       *string
	deleted        *bool
}

func newStory(seed uint64, events int) *story {
	s := &story{rnd: rand.New(rand.NewPCG(seed, 0x73746f7279)), deals: map[string][]snapshot{}}
	people := 2 + s.rnd.IntN(5)
	for len(s.lines) < events {
		s.next(people)
	}
	for _, line := range slices.Clone(s.lines) {
		if s.rnd.IntN(10) == 0 {
			s.lines = append(s.lines, line)
		}
	}
	s.rnd.Shuffle(len(s.lines), func(i, j int) { s.lines[i], s.lines[j] = s.lines[j], s.lines[i] })
	return s
}

func (s *story) add(kind, source string, at time.Time, identities map[string]any, body map[string]any) string {
	s.n++
	id := fmt.Sprintf("e%04d", s.n)
	e := map[string]any{"id": id, "type": kind, "source": source, "time": at.Format(time.RFC3339Nano), "identities": identities}
	if body != nil {
		e[kind] = body
	}
	b, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	s.lines = append(s.lines, string(b))
	return id
}

var start = time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)

func (s *story) time() time.Time {
	if s.rnd.IntN(6) == 0 {
		return start.AddDate(0, 0, s.rnd.IntN(10)) // ties to the millisecond
	}
	return start.Add(time.Duration(s.rnd.Int64N(int64(100 * 24 * time.Hour)))).Truncate(time.Millisecond)
}

func (s *story) maybe(odds int) bool { return s.rnd.IntN(odds) == 0 }

func (s *story) next(people int) {
	who := s.rnd.IntN(people)
	browser := fmt.Sprintf("browser-%d-%d", who, s.rnd.IntN(3))
	phone := fmt.Sprintf("+4850100%04d", who*10+s.rnd.IntN(2))
	email := fmt.Sprintf("p%d@example.com", who)
	if s.maybe(25) {
		phone = "+48501009999" // a phone that several people use
	}
	at := s.time()
	ids := map[string]any{"anonymous_id": browser}
	if s.maybe(8) {
		ids["email"] = email
	}
	switch k := s.rnd.IntN(20); {
	case k < 8:
		url := []string{"https://shop.example/", "https://shop.example/?utm_source=google&utm_medium=cpc&utm_campaign=brand", "https://shop.example/?yclid=1"}[s.rnd.IntN(3)]
		s.add("visit", "site", at, ids, map[string]any{"url": url, "referrer": []string{"", "https://www.bing.com/", "https://blog.example.org/x"}[s.rnd.IntN(3)]})
	case k < 9:
		s.add("form", "site", at, ids, map[string]any{"form_id": "callback"})
	case k < 11:
		s.add("identify", "crm", at, map[string]any{"anonymous_id": browser, "phone": phone}, nil)
	case k < 12:
		s.add("spend", "ads", at, nil, map[string]any{
			"date": at.Format(time.DateOnly)[:8] + "01", "account": "1", "utm": map[string]any{"source": "google", "medium": "cpc", "campaign": "brand"},
			"amount": fmt.Sprintf("%d.%02d", s.rnd.IntN(500), s.rnd.IntN(100)), "clicks": s.rnd.IntN(100),
		})
	case k < 13:
		s.add("call", "pbx", at, nil, map[string]any{
			"direction": "in", "from": phone, "status": "answered", "to": []string{"+48221110001", "+48221112233", "+48229990000"}[s.rnd.IntN(3)],
		})
	case k < 14:
		s.add("message", "chat", at, map[string]any{"phone": phone}, map[string]any{"platform": "telegram", "direction": []string{"in", "in", "out"}[s.rnd.IntN(3)], "manager": []string{"", "Ann"}[s.rnd.IntN(2)], "ref": []string{"", "a_" + browser}[s.rnd.IntN(2)]})
	case k < 15:
		s.add("number_lease", "site", at, map[string]any{"anonymous_id": browser}, map[string]any{
			"number": "+48221110001", "until": at.Add(time.Duration(s.rnd.Int64N(int64(200 * time.Hour)))).Format(time.RFC3339Nano),
		})
	default:
		s.deal(who, at, phone, browser)
	}
}

func (s *story) deal(who int, at time.Time, phone, browser string) {
	id := fmt.Sprintf("d%d-%d", who, s.rnd.IntN(2))
	ids, body, snap := map[string]any{}, map[string]any{"id": id}, snapshot{time: at}
	if s.maybe(2) {
		ids["phone"] = phone
	} else if s.maybe(3) {
		ids["anonymous_id"] = browser
	}
	if s.maybe(2) {
		snap.status = ptr([]string{"open", "won", "won", "lost"}[s.rnd.IntN(4)])
		body["status"] = *snap.status
	}
	if s.maybe(2) {
		snap.amount = ptr(fmt.Sprintf("%d.%02d", s.rnd.IntN(3000), s.rnd.IntN(100)))
		body["amount"] = *snap.amount
	}
	if s.maybe(6) {
		snap.currency = ptr([]string{"USD", "EUR"}[s.rnd.IntN(2)])
		body["currency"] = *snap.currency
	}
	if s.maybe(10) {
		snap.deleted = ptr(s.maybe(2))
		body["deleted"] = *snap.deleted
	}
	if s.maybe(3) {
		body["pipeline"], body["stage"] = "sales", []string{"new", "contact", "invoice"}[s.rnd.IntN(3)]
	}
	snap.id = s.add("deal", "crm", at, ids, body)
	s.deals[id] = append(s.deals[id], snap)
}

func ptr[T any](v T) *T { return &v }

// won is how many deals stand won and their amount in cents of EUR, by the simplest reading of the contract.
func (s *story) won() (deals, cents int64) {
	for _, snaps := range s.deals {
		slices.SortFunc(snaps, func(a, b snapshot) int { return cmp.Or(a.time.Compare(b.time), cmp.Compare(a.id, b.id)) })
		status, amount, currency, deleted := "open", "0", "EUR", false
		for _, p := range snaps {
			status, amount, currency, deleted = or(p.status, status), or(p.amount, amount), or(p.currency, currency), or(p.deleted, deleted)
		}
		if status == "won" && !deleted {
			deals++
			cents += inCents(amount, currency)
		}
	}
	return deals, cents
}

func or[T any](p *T, v T) T {
	if p != nil {
		return *p
	}
	return v
}

func inCents(amount, currency string) int64 {
	v, ok := new(big.Rat).SetString(amount)
	if !ok {
		panic(amount)
	}
	v.Mul(v, big.NewRat(100, 1))
	if currency == "USD" {
		v.Mul(v, big.NewRat(92, 100))
	}
	v.Add(v, big.NewRat(1, 2)) // amounts are not negative here
	return new(big.Int).Quo(v.Num(), v.Denom()).Int64()
}
