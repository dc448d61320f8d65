package fact

import (
	"github.com/throughline-io/throughline/schemas/event"
	"github.com/throughline-io/throughline/schemas/wire"
)

// firstShare is the field of the first model's share; the other models' follow in order.
const firstShare = 20

func (r *StepRow) append(w []byte) []byte {
	w = wire.Int(w, 1, int64(r.Sign))
	w = wire.Bytes(w, 2, r.DealID)
	w = wire.Int(w, 3, int64(r.LeadDate))
	w = wire.Bytes(w, 4, r.Channel)
	w = wire.Bytes(w, 5, r.Pipeline)
	w = wire.Bytes(w, 6, r.Stage)
	w = wire.Bool(w, 7, r.Ended)
	w = wire.Int(w, 8, r.Stayed)
	for m, share := range r.Shares {
		w = wire.Int(w, wire.Num(firstShare+m), share)
	}
	return w
}

func (r *StepRow) field(words *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		return wire.ToInt32(&r.Sign, v)
	case 2:
		r.DealID = string(data)
	case 3:
		return wire.ToInt32(&r.LeadDate, v)
	case 4:
		r.Channel = words.Of(data)
	case 5:
		r.Pipeline = words.Of(data)
	case 6:
		r.Stage = words.Of(data)
	case 7:
		r.Ended = v != 0
	case 8:
		r.Stayed = wire.ToInt(v)
	default:
		if m := int(num) - firstShare; m >= 0 && m < NumberOfModels {
			r.Shares[m] = wire.ToInt(v)
		}
	}
	return nil
}

func (r *ConversationRow) append(w []byte) []byte {
	w = wire.Int(w, 1, int64(r.Sign))
	w = wire.ID(w, 2, r.Person)
	w = wire.Bytes(w, 3, r.ID)
	w = wire.Bytes(w, 4, r.Platform)
	w = wire.Int(w, 5, r.Time)
	w = wire.Int(w, 6, int64(r.Date))
	w = wire.Int(w, 7, r.AnsweredAt)
	return wire.Bytes(w, 8, r.Manager)
}

func (r *ConversationRow) field(words *event.Words, num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		return wire.ToInt32(&r.Sign, v)
	case 2:
		return wire.ToID(&r.Person, data)
	case 3:
		r.ID = string(data)
	case 4:
		r.Platform = words.Of(data)
	case 5:
		r.Time = wire.ToInt(v)
	case 6:
		return wire.ToInt32(&r.Date, v)
	case 7:
		r.AnsweredAt = wire.ToInt(v)
	case 8:
		r.Manager = words.Of(data)
	}
	return nil
}
