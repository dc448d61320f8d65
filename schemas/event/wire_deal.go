package event

import "github.com/throughline-io/throughline/schemas/wire"

// A deal's fields are optional in the wire format as well: a field that is absent is unchanged, one that is there
// with its zero value is set to it.

func (d *DealData) append(b []byte) []byte {
	b = wire.Bytes(b, 1, d.ID)
	b = optional(b, 2, d.Pipeline)
	b = optional(b, 3, d.Stage)
	b = optional(b, 4, d.Status)
	b = optional(b, 5, d.Amount)
	b = optional(b, 6, d.CostOfGoods)
	b = optional(b, 7, d.Currency)
	b = optional(b, 8, d.Manager)
	b = optional(b, 9, d.Reason)
	b = optional(b, 10, d.Title)
	if d.CreatedAt != nil {
		b = wire.Varint(b, 11, wire.ZigZag(*d.CreatedAt))
	}
	if d.Deleted != nil {
		v := uint64(0)
		if *d.Deleted {
			v = 1
		}
		b = wire.Varint(b, 12, v)
	}
	return b
}

func optional[T ~string](b []byte, num wire.Num, v *T) []byte {
	if v == nil {
		return b
	}
	return wire.Set(b, num, *v)
}

func (d *DealData) field(num wire.Num, v uint64, data []byte) error {
	text := func() *string { s := string(data); return &s }
	amount := func() *Money { m := Money(data); return &m }
	switch num {
	case 1:
		d.ID = string(data)
	case 2:
		d.Pipeline = text()
	case 3:
		d.Stage = text()
	case 4:
		d.Status = text()
	case 5:
		d.Amount = amount()
	case 6:
		d.CostOfGoods = amount()
	case 7:
		d.Currency = text()
	case 8:
		d.Manager = text()
	case 9:
		d.Reason = text()
	case 10:
		d.Title = text()
	case 11:
		at := wire.ToInt(v)
		d.CreatedAt = &at
	case 12:
		deleted := v != 0
		d.Deleted = &deleted
	}
	return nil
}
