package event

// contact is a phone or an e-mail as it was sent: what scrubbing must find again.
type contact struct {
	email bool
	value string
}

// scrub takes contacts out of everything that is written down, unless the workspace stores them. What keys or names
// something stays as it is, for without it the event would be another one: ids, an advertising account, the utm of a
// spend report (it is the company's own, and two campaigns must not become one).
func (p *parser) scrub(raw []byte) {
	e := &p.e
	if p.rules.StoreContacts {
		e.Raw = raw
		return
	}
	s := p.scrubber()
	e.Raw = s.json(raw)
	s.event(e)
}

func (p *parser) scrubber() *scrubber {
	s := &scrubber{}
	if p.e.Call != nil {
		s.client = p.e.Call.Direction
	}
	for _, c := range p.contacts {
		if c.email {
			s.addEmail(c.value)
		} else {
			s.addPhone(c.value, p.rules.Country)
		}
	}
	return s
}

// scrubError takes contacts out of what is said about a rejected event: it is logged and kept with the dead letter.
func (p *parser) scrubError(e *Error) {
	if !p.rules.StoreContacts {
		s := p.scrubber()
		e.Field, e.Message = s.text(e.Field), s.text(e.Message)
	}
}

func (s *scrubber) event(e *Event) {
	clean := func(vs ...*string) {
		for _, v := range vs {
			if v != nil {
				*v = s.text(*v)
			}
		}
	}
	utm := func(u *UTM) { clean(&u.Source, &u.Medium, &u.Campaign, &u.Content, &u.Term) }
	switch e.Type {
	case Visit:
		clean(&e.Visit.URL, &e.Visit.Referrer, &e.Visit.Title)
		utm(&e.Visit.Origin.UTM)
		for name, id := range e.Visit.ClickIDs {
			e.Visit.ClickIDs[name] = s.text(id)
		}
	case Call:
		clean(&e.Call.Recording, &e.Call.Manager)
		utm(&e.Call.UTM)
	case Message:
		clean(&e.Message.Manager, &e.Message.Ref)
		utm(&e.Message.UTM)
	case Form:
		clean(&e.Form.URL, &e.Form.FormID)
	case Deal:
		clean(e.Deal.Title, e.Deal.Reason, e.Deal.Manager, e.Deal.Pipeline, e.Deal.Stage)
	case Spend, Identify, NumberLease:
	}
}
