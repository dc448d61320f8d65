package event

import (
	"maps"
	"slices"

	"github.com/throughline-io/throughline/schemas/wire"
)

func (u UTM) append(b []byte) []byte {
	b = wire.Bytes(b, 1, u.Source)
	b = wire.Bytes(b, 2, u.Medium)
	b = wire.Bytes(b, 3, u.Campaign)
	b = wire.Bytes(b, 4, u.Content)
	return wire.Bytes(b, 5, u.Term)
}

// appendUTM leaves an empty tuple out.
func appendUTM(b []byte, num wire.Num, u UTM) []byte {
	if u == (UTM{}) {
		return b
	}
	return wire.Message(b, num, u.append)
}

func (u *UTM) field(num wire.Num, _ uint64, data []byte) error {
	if to := u.place(num); to != nil {
		*to = string(data)
	}
	return nil
}

// place is where a field of the wire's stands; nil if it is not known.
func (u *UTM) place(num wire.Num) *string {
	switch num {
	case 1:
		return &u.Source
	case 2:
		return &u.Medium
	case 3:
		return &u.Campaign
	case 4:
		return &u.Content
	case 5:
		return &u.Term
	}
	return nil
}

func (v *VisitData) append(b []byte) []byte {
	b = wire.Bytes(b, 1, v.URL)
	b = wire.Bytes(b, 2, v.Referrer)
	b = wire.Bytes(b, 3, v.Title)
	b = appendUTM(b, 4, v.Origin.UTM)
	b = wire.Bytes(b, 5, v.Origin.Click)
	b = wire.Bytes(b, 6, v.Origin.Referrer)
	if len(v.ClickIDs) > 0 { // few have any
		for _, k := range slices.Sorted(maps.Keys(v.ClickIDs)) {
			b = wire.Message(b, 7, func(b []byte) []byte { return wire.Bytes(wire.Bytes(b, 1, k), 2, v.ClickIDs[k]) })
		}
	}
	return wire.Bool(b, 8, v.Bot)
}

// visited reads a visit's field.
func (r *reader) visited(num wire.Num, n uint64, data []byte) error {
	v := r.Event.Visit
	if r.visit != nil && num != 4 && num != 5 && num != 6 && num != 8 { // see Decoder
		return nil
	}
	switch num {
	case 1:
		v.URL = string(data)
	case 2:
		v.Referrer = string(data)
	case 3:
		v.Title = string(data)
	case 4:
		return wire.Fields(data, func(num wire.Num, _ uint64, data []byte) error {
			if to := v.Origin.UTM.place(num); to != nil {
				*to = r.words.Of(data)
			}
			return nil
		})
	case 5:
		v.Origin.Click = r.words.Of(data)
	case 6:
		v.Origin.Referrer = r.words.Of(data)
	case 7:
		var pair [2]string
		if err := wire.Fields(data, func(num wire.Num, _ uint64, data []byte) error {
			if num == 1 || num == 2 {
				pair[num-1] = string(data)
			}
			return nil
		}); err != nil {
			return err
		}
		if v.ClickIDs == nil {
			v.ClickIDs = map[string]string{}
		}
		v.ClickIDs[pair[0]] = pair[1]
	case 8:
		v.Bot = n != 0
	}
	return nil
}

func (c *CallData) append(b []byte) []byte {
	b = wire.Uint(b, 1, uint64(c.Direction))
	b = wire.Bytes(b, 2, c.Company)
	b = wire.ID(b, 3, c.Client)
	b = wire.Bytes(b, 4, c.Status)
	b = wire.Int(b, 5, c.Wait)
	b = wire.Int(b, 6, c.Talk)
	b = wire.Bytes(b, 7, c.Manager)
	b = wire.Bytes(b, 8, c.Recording)
	return appendUTM(b, 9, c.UTM)
}

func (c *CallData) field(num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		return wire.ToEnum(&c.Direction, v)
	case 2:
		c.Company = string(data)
	case 3:
		return wire.ToID(&c.Client, data)
	case 4:
		c.Status = string(data)
	case 5:
		c.Wait = wire.ToInt(v)
	case 6:
		c.Talk = wire.ToInt(v)
	case 7:
		c.Manager = string(data)
	case 8:
		c.Recording = string(data)
	case 9:
		return wire.Fields(data, c.UTM.field)
	}
	return nil
}

func (m *MessageData) append(b []byte) []byte {
	b = wire.Bytes(b, 1, m.Platform)
	b = wire.Uint(b, 2, uint64(m.Direction))
	b = wire.Bytes(b, 3, m.Manager)
	b = appendUTM(b, 4, m.UTM)
	return wire.Bytes(b, 5, m.Ref)
}

func (m *MessageData) field(num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		m.Platform = string(data)
	case 2:
		return wire.ToEnum(&m.Direction, v)
	case 3:
		m.Manager = string(data)
	case 4:
		return wire.Fields(data, m.UTM.field)
	case 5:
		m.Ref = string(data)
	}
	return nil
}

func (f *FormData) append(b []byte) []byte { return wire.Bytes(wire.Bytes(b, 1, f.FormID), 2, f.URL) }

func (f *FormData) field(num wire.Num, _ uint64, data []byte) error {
	switch num {
	case 1:
		f.FormID = string(data)
	case 2:
		f.URL = string(data)
	}
	return nil
}

func (s *SpendData) append(b []byte) []byte {
	b = wire.Bytes(b, 1, s.Date)
	b = wire.Bytes(b, 2, s.Account)
	b = appendUTM(b, 3, s.UTM)
	b = wire.Int(b, 4, s.Impressions)
	b = wire.Int(b, 5, s.Clicks)
	b = wire.Bytes(b, 6, s.Amount)
	return wire.Bytes(b, 7, s.Currency)
}

func (s *SpendData) field(num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		s.Date = string(data)
	case 2:
		s.Account = string(data)
	case 3:
		return wire.Fields(data, s.UTM.field)
	case 4:
		s.Impressions = wire.ToInt(v)
	case 5:
		s.Clicks = wire.ToInt(v)
	case 6:
		s.Amount = Money(data)
	case 7:
		s.Currency = string(data)
	}
	return nil
}

func (l *LeaseData) append(b []byte) []byte {
	return wire.Bool(wire.ID(wire.Int(wire.Bytes(b, 1, l.Number), 2, l.Until), 3, l.Visitor), 4, l.Several)
}

func (l *LeaseData) field(num wire.Num, v uint64, data []byte) error {
	switch num {
	case 1:
		l.Number = string(data)
	case 2:
		l.Until = wire.ToInt(v)
	case 3:
		return wire.ToID(&l.Visitor, data)
	case 4:
		l.Several = v != 0
	}
	return nil
}
