package event

import (
	"strings"
	"time"
	"unicode/utf8"
)

// body reads the object named as the type.
func (p *parser) body() *Error {
	if p.e.Type == Identify {
		return nil
	}
	name := p.e.Type.String()
	in := p.object.object(name)
	if p.err != nil {
		return p.err
	}
	if in == nil {
		return bad(name, "is required for this type")
	}
	switch p.e.Type {
	case Visit:
		p.visit(in)
	case Call:
		p.call(in)
	case Message:
		p.message(in)
	case Form:
		p.e.Form = &FormData{FormID: in.str("form_id"), URL: in.str("url")}
	case Deal:
		return p.dealBody(in)
	case Spend:
		return p.spend(in)
	case NumberLease:
		return p.lease(in)
	case Identify:
	}
	return in.err
}

func (o *object) direction() Direction {
	switch s := o.oneOf("direction", true, "in", "out"); {
	case s == nil:
		return 0
	case *s == "in":
		return In
	default:
		return Out
	}
}

func (p *parser) call(in *object) {
	c := &CallData{Direction: in.direction()}
	from, to := in.str("from"), in.required("to") // a caller may hide the number, and then many exchanges leave the field out
	if s := in.oneOf("status", true, "answered", "missed", "busy", "failed", "voicemail"); s != nil {
		c.Status = *s
	}
	c.Wait, c.Talk = in.count("wait_seconds"), in.count("talk_seconds")
	c.Manager, c.Recording, c.UTM = in.str("manager"), in.str("recording_url"), in.utm()
	if in.err != nil {
		return
	}
	client, company := from, to
	if c.Direction == Out {
		client, company = to, from
	}
	c.Company = strings.TrimSpace(company)
	if e164, ok := Phone(c.Company, p.rules.Country); ok {
		c.Company = e164
	}
	if n, ok := p.identity("phone", client); ok {
		p.phone, c.Client = n, n.ID
	}
	p.e.Call = c
}

func (p *parser) message(in *object) {
	m := &MessageData{Platform: strings.ToLower(strings.TrimSpace(in.required("platform"))), Direction: in.direction()}
	m.Manager, m.Ref, m.UTM = in.str("manager"), in.str("ref"), in.utm()
	if in.err == nil && m.Platform == "" {
		in.fail(bad("message.platform", "must not be empty"))
	}
	if id, ok := strings.CutPrefix(m.Ref, "a_"); ok && in.err == nil {
		p.identity("anonymous_id", id)
	}
	p.e.Message = m
}

func (p *parser) dealBody(in *object) *Error {
	d := &DealData{
		ID: strings.TrimSpace(in.required("id")), Pipeline: in.text("pipeline"), Stage: in.text("stage"),
		Status: in.oneOf("status", false, "open", "won", "lost"),
		Amount: in.money("amount"), CostOfGoods: in.money("cost_of_goods"), Manager: in.text("manager"), Reason: in.text("reason"),
		Title: in.text("title"), CreatedAt: in.moment("created_at"), Deleted: in.flag("deleted"), Currency: in.text("currency"),
	}
	switch {
	case in.err != nil:
		return in.err
	case d.ID == "":
		return bad("deal.id", "must not be empty")
	case utf8.RuneCountInString(d.ID) > MaxIDLength:
		return bad("deal.id", "is longer than %d characters", MaxIDLength)
	}
	if d.Currency != nil {
		c, err := p.currency("deal.currency", *d.Currency)
		if err != nil {
			return err
		}
		d.Currency = &c
		if err := p.holds("deal.amount", d.Amount, c); err != nil {
			return err
		}
		if err := p.holds("deal.cost_of_goods", d.CostOfGoods, c); err != nil {
			return err
		}
	}
	p.e.Deal = d
	p.deal = p.rules.Node("deal", p.e.Source+"/"+d.ID)
	p.e.Nodes = append(p.e.Nodes, p.deal)
	return nil
}

func (p *parser) currency(field, s string) (string, *Error) {
	c := strings.ToUpper(strings.TrimSpace(s))
	if !p.rules.Currencies[c] {
		return "", &Error{UnknownCurrency, field, "the workspace has no rate for " + quote(s) + ": add it to fx"}
	}
	return c, nil
}

// holds refuses an amount that the ledger has no room for once it is converted: a rate above 1,000 and an amount of 13 digits. An amount
// whose currency another event of the deal tells is not known to be one.
func (p *parser) holds(field string, amount *Money, currency string) *Error {
	if amount == nil || p.rules.Holds == nil || p.rules.Holds(*amount, currency) {
		return nil
	}
	return bad(field, "%s %s is more than the ledger can hold in the workspace's currency", *amount, currency)
}

func (p *parser) spend(in *object) *Error {
	s := &SpendData{
		Date: in.required("date"), Account: strings.TrimSpace(in.str("account")), UTM: in.utm(),
		Impressions: in.count("impressions"), Clicks: in.count("clicks"), Currency: in.str("currency"),
	}
	amount := in.money("amount")
	if in.err != nil {
		return in.err
	}
	if amount == nil {
		return bad("spend.amount", "is required")
	}
	s.Amount = *amount
	day, err := time.Parse(time.DateOnly, s.Date)
	if err != nil || day.Before(earliestMoment) || !day.Before(latestMoment) {
		return bad("spend.date", "%s is not a date of the form YYYY-MM-DD", quote(s.Date))
	}
	if _, given := in.get("currency"); given {
		c, err := p.currency("spend.currency", s.Currency)
		if err != nil {
			return err
		}
		s.Currency = c
		if err := p.holds("spend.amount", amount, c); err != nil {
			return err
		}
	}
	p.e.Spend = s
	return nil
}

func (p *parser) lease(in *object) *Error {
	number, until := in.required("number"), in.moment("until")
	if in.err != nil {
		return in.err
	}
	if until == nil {
		return bad("number_lease.until", "is required")
	}
	e164, ok := Phone(number, p.rules.Country)
	if !ok {
		return bad("number_lease.number", "%s is no phone number", quote(number))
	}
	if p.visitor.Kind == "" {
		return &Error{NoIdentity, "identities.anonymous_id", "a lease needs the visitor that was shown the number"}
	}
	p.e.Lease = &LeaseData{Number: e164, Until: *until, Visitor: p.visitor.ID, Several: p.several}
	return nil
}
