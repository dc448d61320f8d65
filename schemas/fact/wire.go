package fact

import (
	"errors"
	"fmt"

	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/wire"
)

// Append writes the posting in the wire format that fact.proto documents.
func (p *Posting) Append(b []byte) []byte {
	b = wire.Bytes(b, 1, p.Workspace)
	b = wire.Int(b, 2, p.RecordedAt)
	b = wire.Bytes(b, 3, p.Cause)
	b = list(b, 4, p.Bookings, (*Booking).append)
	b = list(b, 5, p.Touchpoints, (*Touchpoint).append)
	b = list(b, 6, p.Credits, (*Credit).append)
	b = list(b, 7, p.Touches, (*Touch).append)
	b = list(b, 8, p.Inquiries, (*InquiryRow).append)
	b = list(b, 9, p.Deals, (*DealRow).append)
	b = list(b, 10, p.Stages, (*StageRow).append)
	b = list(b, 11, p.Identities, (*IdentityRow).append)
	b = list(b, 12, p.Calls, (*CallRow).append)
	b = list(b, 13, p.Spends, (*SpendRow).append)
	b = list(b, 14, p.Conflicts, (*Conflict).append)
	b = list(b, 15, p.Conversations, (*ConversationRow).append)
	return list(b, 16, p.Steps, (*StepRow).append)
}

func list[T any](b []byte, num wire.Num, rows []T, body func(*T, []byte) []byte) []byte {
	for i := range rows {
		b = wire.Message(b, num, func(b []byte) []byte { return body(&rows[i], b) })
	}
	return b
}

// Decode reads a posting. It never panics; every index in what it returns is in range.
func Decode(b []byte) (Posting, error) {
	p, err := DecodeWith(b, nil)
	if err != nil {
		return Posting{}, err
	}
	return *p, nil
}

// DecodeWith reads a posting as Decode does, and takes words that are known for those that it finds.
func DecodeWith(b []byte, words *event.Words) (*Posting, error) {
	p := &Posting{}
	if err := wire.Fields(b, func(num wire.Num, v uint64, data []byte) error { return p.field(words, num, v, data) }); err != nil {
		return nil, fmt.Errorf("posting: %w", err)
	}
	for i := range p.Credits {
		c := &p.Credits[i]
		if c.Booking < 0 || c.Booking >= len(p.Bookings) || c.Touch < 0 || c.Touch >= len(p.Touchpoints) {
			return nil, errors.New("posting: a credit refers to what is not there")
		}
	}
	return p, nil
}

func (p *Posting) field(words *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		p.Workspace = words.Of(data)
	case 2:
		p.RecordedAt = wire.ToInt(v)
	case 3:
		p.Cause = string(data)
	case 4:
		return item(words, &p.Bookings, data, (*Booking).field)
	case 5:
		return item(words, &p.Touchpoints, data, (*Touchpoint).field)
	case 6:
		return item(words, &p.Credits, data, (*Credit).field)
	case 7:
		return item(words, &p.Touches, data, (*Touch).field)
	case 8:
		return item(words, &p.Inquiries, data, (*InquiryRow).field)
	case 9:
		return item(words, &p.Deals, data, (*DealRow).field)
	case 10:
		return item(words, &p.Stages, data, (*StageRow).field)
	case 11:
		return item(words, &p.Identities, data, (*IdentityRow).field)
	case 12:
		return item(words, &p.Calls, data, (*CallRow).field)
	case 13:
		return item(words, &p.Spends, data, (*SpendRow).field)
	case 14:
		return item(words, &p.Conflicts, data, (*Conflict).field)
	case 15:
		return item(words, &p.Conversations, data, (*ConversationRow).field)
	case 16:
		return item(words, &p.Steps, data, (*StepRow).field)
	}
	return nil
}

func item[T any](words *event.Words, to *[]T, data []byte, field func(*T, *event.Words, wire.Num, uint64, []byte) error) error {
	var none T
	*to = append(*to, none)
	last := &(*to)[len(*to)-1]
	return wire.Fields(data, func(num wire.Num, v uint64, data []byte) error { return field(last, words, num, v, data) })
}

func (b *Booking) append(w []byte) []byte {
	w = wire.Uint(w, 1, uint64(b.CauseType))
	w = wire.ID(w, 2, b.Person)
	w = wire.Uint(w, 3, uint64(b.Conversion))
	w = wire.Bytes(w, 4, b.ID)
	w = wire.Int(w, 5, b.LeadTime)
	w = wire.Int(w, 6, b.SaleTime)
	w = wire.Int(w, 7, b.BookedTime)
	w = wire.Int(w, 8, int64(b.LeadDate))
	w = wire.Int(w, 9, int64(b.SaleDate))
	return wire.Int(w, 10, int64(b.BookedDate))
}

func (b *Booking) field(_ *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		return wire.ToEnum(&b.CauseType, v)
	case 2:
		return wire.ToID(&b.Person, data)
	case 3:
		return wire.ToEnum(&b.Conversion, v)
	case 4:
		b.ID = string(data)
	case 5:
		b.LeadTime = wire.ToInt(v)
	case 6:
		b.SaleTime = wire.ToInt(v)
	case 7:
		b.BookedTime = wire.ToInt(v)
	case 8:
		return wire.ToInt32(&b.LeadDate, v)
	case 9:
		return wire.ToInt32(&b.SaleDate, v)
	case 10:
		return wire.ToInt32(&b.BookedDate, v)
	}
	return nil
}

func (t *Tuple) append(w []byte) []byte {
	w = wire.Bytes(w, 11, t.Channel)
	w = wire.Bytes(w, 12, t.Source)
	w = wire.Bytes(w, 13, t.Medium)
	w = wire.Bytes(w, 14, t.Campaign)
	w = wire.Bytes(w, 15, t.Content)
	return wire.Bytes(w, 16, t.Term)
}

func (t *Tuple) field(words *event.Words, num wire.Num, data []byte) {
	switch num {
	case 11:
		t.Channel = words.Of(data)
	case 12:
		t.Source = words.Of(data)
	case 13:
		t.Medium = words.Of(data)
	case 14:
		t.Campaign = words.Of(data)
	case 15:
		t.Content = words.Of(data)
	case 16:
		t.Term = words.Of(data)
	}
}

func (t *Touchpoint) append(w []byte) []byte {
	w = wire.Bytes(w, 1, t.ID)
	w = wire.Int(w, 2, t.Time)
	w = wire.Int(w, 3, int64(t.Date))
	return t.Tuple.append(w)
}

func (t *Touchpoint) field(words *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		t.ID = string(data)
	case 2:
		t.Time = wire.ToInt(v)
	case 3:
		return wire.ToInt32(&t.Date, v)
	default:
		t.Tuple.field(words, num, data)
	}
	return nil
}

func (c *Credit) append(w []byte) []byte {
	w = wire.Uint(w, 1, uint64(c.Booking))
	w = wire.Uint(w, 2, uint64(c.Touch))
	w = wire.Uint(w, 3, uint64(c.Model))
	w = wire.Int(w, 4, c.Conversions)
	w = wire.Int(w, 5, c.Revenue)
	return wire.Int(w, 6, c.CostOfGoods)
}

func (c *Credit) field(_ *event.Words, num wire.Num, v uint64, _ []byte) error {
	switch num {
	case 1:
		c.Booking = int(v)
	case 2:
		c.Touch = int(v)
	case 3:
		return wire.ToEnum(&c.Model, v)
	case 4:
		c.Conversions = wire.ToInt(v)
	case 5:
		c.Revenue = wire.ToInt(v)
	case 6:
		c.CostOfGoods = wire.ToInt(v)
	}
	return nil
}

func (t *Touch) append(w []byte) []byte {
	w = t.Touchpoint.append(w)
	w = wire.Int(w, 20, int64(t.Sign))
	w = wire.ID(w, 21, t.Person)
	return wire.Uint(w, 22, uint64(t.Type))
}

func (t *Touch) field(words *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 20:
		return wire.ToInt32(&t.Sign, v)
	case 21:
		return wire.ToID(&t.Person, data)
	case 22:
		return wire.ToEnum(&t.Type, v)
	}
	return t.Touchpoint.field(words, num, v, data)
}
