package demo

import (
	"fmt"
	"time"
)

var (
	stages   = []string{"new", "contact", "test_drive", "invoice"}
	managers = []string{"anna", "boris", "celine"}
)

// deal is one as the CRM tells it. It keeps what stands, by the simplest means there are: each step sets it.
type deal struct {
	*teller
	id, phone    string
	at           time.Time // of the next step
	told         int
	status       string
	amount, cost int64
}

// deal walks the pipeline, and ends won, lost or nowhere; some that were won come back, and some that were lost.
func (t *teller) deal(person int, asked time.Time, phone string) {
	d := &deal{teller: t, id: fmt.Sprintf("D%d", person), phone: phone, at: asked}
	defer d.count()
	reached := 1 + t.rnd.IntN(len(stages))
	for i, stage := range stages[:reached] {
		body := fields{"pipeline": "sales", "stage": stage, "status": "open", "manager": managers[person%len(managers)]}
		if i == 0 {
			body["created_at"] = asked.UTC().Format(time.RFC3339)
			body["title"] = "car"
		}
		d.step("open", body)
		d.wait(6 + t.rnd.IntN(40))
	}
	price := int64(900_000+t.rnd.IntN(4_000_000)) + int64(t.rnd.IntN(100))
	cost := price * int64(70+t.rnd.IntN(20)) / 100
	if reached < len(stages) {
		if t.rnd.IntN(2) == 0 {
			d.lose("price")
		}
		if d.status != "lost" || t.rnd.IntN(8) > 0 {
			return
		}
		d.wait(30) // they think better of it
		d.step("open", fields{"status": "open", "stage": "invoice"})
		d.wait(5)
	}
	d.win(price, cost)
	d.wait(20)
	switch t.rnd.IntN(10) {
	case 0: // paid back
		d.lose("refund")
	case 1: // paid back, and bought again for less
		d.lose("refund")
		d.wait(50)
		d.win(price-50_000, cost)
	case 2: // an extra was added to the bill
		d.change(price+120_099, cost)
	case 3: // the factory's price was another
		d.change(price, cost+7_001)
	}
}

func (d *deal) wait(hours int) { d.at = d.at.Add(time.Duration(hours) * time.Hour) }

// step tells what happened; past the story's end nothing does.
func (d *deal) step(status string, body fields) bool {
	body["id"] = d.id
	if !d.tell(fmt.Sprintf("%s-%d", d.id, d.told), "deal", "crm", d.at, fields{"phone": d.phone}, body) {
		return false
	}
	d.told++
	d.status = status
	return true
}

func (d *deal) win(amount, cost int64) {
	if d.step("won", fields{"status": "won", "amount": money(amount), "cost_of_goods": money(cost)}) {
		d.amount, d.cost = amount, cost
	}
}

func (d *deal) lose(reason string) { d.step("lost", fields{"status": "lost", "reason": reason}) }

func (d *deal) change(amount, cost int64) {
	if d.step("won", fields{"amount": money(amount), "cost_of_goods": money(cost)}) {
		d.amount, d.cost = amount, cost
	}
}

func (d *deal) count() {
	if d.told > 0 {
		d.totals.Deals++
	}
	switch d.status {
	case "won":
		d.totals.Won++
		d.totals.Revenue += d.amount
		d.totals.Cost += d.cost
	case "lost":
		d.totals.Lost++
	}
}
