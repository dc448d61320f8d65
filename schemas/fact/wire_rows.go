package fact

import (
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/wire"
)

func (r *InquiryRow) append(w []byte) []byte {
	w = wire.Int(w, 1, int64(r.Sign))
	w = wire.ID(w, 2, r.Person)
	w = wire.Bytes(w, 3, r.ID)
	w = wire.Uint(w, 4, uint64(r.Type))
	w = wire.Int(w, 5, r.Time)
	return wire.Int(w, 6, int64(r.Date))
}

func (r *InquiryRow) field(_ *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		return wire.ToInt32(&r.Sign, v)
	case 2:
		return wire.ToID(&r.Person, data)
	case 3:
		r.ID = string(data)
	case 4:
		return wire.ToEnum(&r.Type, v)
	case 5:
		r.Time = wire.ToInt(v)
	case 6:
		return wire.ToInt32(&r.Date, v)
	}
	return nil
}

func (r *DealRow) append(w []byte) []byte {
	w = wire.Int(w, 1, int64(r.Sign))
	w = wire.ID(w, 2, r.Person)
	w = wire.Bytes(w, 3, r.ID)
	w = wire.Bytes(w, 4, r.Pipeline)
	w = wire.Bytes(w, 5, r.Stage)
	w = wire.Bytes(w, 6, r.Status)
	w = wire.Bool(w, 7, r.Deleted)
	w = wire.Int(w, 8, r.Amount)
	w = wire.Int(w, 9, r.CostOfGoods)
	w = wire.Int(w, 10, r.CreatedAt)
	w = wire.Int(w, 11, r.WonAt)
	w = wire.Int(w, 12, r.ClosedAt)
	w = wire.Bytes(w, 13, r.Manager)
	w = wire.Bytes(w, 14, r.Reason)
	w = wire.Bytes(w, 15, r.Title)
	w = wire.Bytes(w, 16, r.FirstChannel)
	w = wire.Bytes(w, 17, r.LastChannel)
	w = wire.Int(w, 18, int64(r.CreatedDate))
	w = wire.Int(w, 19, int64(r.WonDate))
	return wire.Int(w, 20, int64(r.ClosedDate))
}

func (r *DealRow) field(words *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		return wire.ToInt32(&r.Sign, v)
	case 2:
		return wire.ToID(&r.Person, data)
	case 3:
		r.ID = string(data)
	case 7:
		r.Deleted = v != 0
	case 8:
		r.Amount = wire.ToInt(v)
	case 9:
		r.CostOfGoods = wire.ToInt(v)
	case 10:
		r.CreatedAt = wire.ToInt(v)
	case 11:
		r.WonAt = wire.ToInt(v)
	case 12:
		r.ClosedAt = wire.ToInt(v)
	case 15:
		r.Title = string(data)
	case 18:
		return wire.ToInt32(&r.CreatedDate, v)
	case 19:
		return wire.ToInt32(&r.WonDate, v)
	case 20:
		return wire.ToInt32(&r.ClosedDate, v)
	default:
		if to := r.text(num); to != nil {
			*to = words.Of(data)
		}
	}
	return nil
}

// text is where a word stands that other deals have as well.
func (r *DealRow) text(num wire.Num) *string {
	switch num {
	case 4:
		return &r.Pipeline
	case 5:
		return &r.Stage
	case 6:
		return &r.Status
	case 13:
		return &r.Manager
	case 14:
		return &r.Reason
	case 16:
		return &r.FirstChannel
	case 17:
		return &r.LastChannel
	}
	return nil
}

func (r *StageRow) append(w []byte) []byte {
	w = wire.Int(w, 1, int64(r.Sign))
	w = wire.ID(w, 2, r.Person)
	w = wire.Bytes(w, 3, r.DealID)
	w = wire.Bytes(w, 4, r.Pipeline)
	w = wire.Bytes(w, 5, r.Stage)
	w = wire.Int(w, 6, r.EnteredAt)
	w = wire.Int(w, 7, r.LeftAt)
	w = wire.Bytes(w, 8, r.Manager)
	return wire.Int(w, 9, int64(r.EnteredDate))
}

func (r *StageRow) field(words *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		return wire.ToInt32(&r.Sign, v)
	case 2:
		return wire.ToID(&r.Person, data)
	case 3:
		r.DealID = string(data)
	case 4:
		r.Pipeline = words.Of(data)
	case 5:
		r.Stage = words.Of(data)
	case 6:
		r.EnteredAt = wire.ToInt(v)
	case 7:
		r.LeftAt = wire.ToInt(v)
	case 8:
		r.Manager = words.Of(data)
	case 9:
		return wire.ToInt32(&r.EnteredDate, v)
	}
	return nil
}

func (r *IdentityRow) append(w []byte) []byte {
	w = wire.Int(w, 1, int64(r.Sign))
	w = wire.Bytes(w, 2, r.Kind)
	w = wire.ID(w, 3, r.Node)
	return wire.ID(w, 4, r.Person)
}

func (r *IdentityRow) field(words *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		return wire.ToInt32(&r.Sign, v)
	case 2:
		r.Kind = words.Of(data)
	case 3:
		return wire.ToID(&r.Node, data)
	case 4:
		return wire.ToID(&r.Person, data)
	}
	return nil
}

func (r *CallRow) append(w []byte) []byte {
	w = wire.Int(w, 1, int64(r.Sign))
	w = wire.ID(w, 2, r.Person)
	w = wire.Bytes(w, 3, r.ID)
	w = wire.Int(w, 4, r.Time)
	w = wire.Int(w, 5, int64(r.Date))
	w = wire.Uint(w, 6, uint64(r.Direction))
	w = wire.Bytes(w, 7, r.Status)
	w = wire.Bytes(w, 8, r.Company)
	w = wire.Int(w, 9, r.Wait)
	w = wire.Int(w, 10, r.Talk)
	w = wire.Bytes(w, 11, r.Manager)
	w = wire.Bytes(w, 12, r.Match)
	return wire.ID(w, 13, r.Visitor)
}

func (r *CallRow) field(words *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		return wire.ToInt32(&r.Sign, v)
	case 2:
		return wire.ToID(&r.Person, data)
	case 3:
		r.ID = string(data)
	case 4:
		r.Time = wire.ToInt(v)
	case 5:
		return wire.ToInt32(&r.Date, v)
	case 6:
		return wire.ToEnum(&r.Direction, v)
	case 7:
		r.Status = words.Of(data)
	case 8:
		r.Company = words.Of(data)
	case 9:
		r.Wait = wire.ToInt(v)
	case 10:
		r.Talk = wire.ToInt(v)
	case 11:
		r.Manager = words.Of(data)
	case 12:
		r.Match = words.Of(data)
	case 13:
		return wire.ToID(&r.Visitor, data)
	}
	return nil
}

func (r *SpendRow) append(w []byte) []byte {
	w = wire.Int(w, 1, int64(r.Sign))
	w = wire.Bytes(w, 2, r.EventID)
	w = wire.Bytes(w, 3, r.Account)
	w = wire.Int(w, 4, int64(r.Date))
	w = wire.Int(w, 5, r.Impressions)
	w = wire.Int(w, 6, r.Clicks)
	w = wire.Int(w, 7, r.Amount)
	return r.Tuple.append(w)
}

func (r *SpendRow) field(words *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		return wire.ToInt32(&r.Sign, v)
	case 2:
		r.EventID = string(data)
	case 3:
		r.Account = words.Of(data)
	case 4:
		return wire.ToInt32(&r.Date, v)
	case 5:
		r.Impressions = wire.ToInt(v)
	case 6:
		r.Clicks = wire.ToInt(v)
	case 7:
		r.Amount = wire.ToInt(v)
	default:
		r.Tuple.field(words, num, data)
	}
	return nil
}

func (c *Conflict) append(w []byte) []byte {
	return wire.Fixed(wire.Bytes(wire.Bytes(w, 1, c.Source), 2, c.EventID), 3, c.Content)
}

func (c *Conflict) field(words *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		c.Source = words.Of(data)
	case 2:
		c.EventID = string(data)
	case 3:
		c.Content = v
	}
	return nil
}
