package event

import (
	"errors"
	"fmt"
)

// ErrIncomplete marks a decoded event that breaks an invariant of Event.
var ErrIncomplete = errors.New("incomplete")

func incomplete(what string) error { return fmt.Errorf("%w: %s", ErrIncomplete, what) }

// check holds a decoded event to the invariants: a record that somebody else wrote must not break those who trust the
// type.
func (e *Event) check() error {
	switch {
	case e.Workspace == "" || e.Source == "" || e.ID == "":
		return incomplete("workspace, source and id are required")
	case len(e.Nodes) == 0 && e.Type != Spend:
		return incomplete("an event needs an identity")
	}
	for _, n := range e.Nodes {
		if n.Kind == "" || n.ID == (NodeID{}) {
			return incomplete("a node needs a kind and an id")
		}
	}
	if err := e.checkObjects(); err != nil {
		return err
	}
	switch {
	case e.Call != nil:
		return e.Call.Direction.check()
	case e.Message != nil:
		return e.Message.Direction.check()
	case e.Deal != nil:
		return e.Deal.check()
	case e.Spend != nil:
		return e.Spend.Amount.check()
	case e.Lease != nil && e.Lease.Visitor == (NodeID{}):
		return incomplete("a lease needs its visitor")
	}
	return nil
}

// checkObjects wants the object named as the type, and no other.
func (e *Event) checkObjects() error {
	n := 0
	for _, set := range [...]bool{
		e.Visit != nil, e.Call != nil, e.Message != nil, e.Form != nil, e.Deal != nil, e.Spend != nil, e.Lease != nil,
	} {
		if set {
			n++
		}
	}
	var own bool
	want := 1
	switch e.Type {
	case Visit:
		own = e.Visit != nil
	case Call:
		own = e.Call != nil
	case Message:
		own = e.Message != nil
	case Form:
		own = e.Form != nil
	case Deal:
		own = e.Deal != nil
	case Spend:
		own = e.Spend != nil
	case NumberLease:
		own = e.Lease != nil
	case Identify:
		own, want = true, 0
	}
	if !own || n != want {
		return incomplete("just the object named as the type is wanted")
	}
	return nil
}

func (d Direction) check() error {
	if d != In && d != Out {
		return incomplete("a direction is in or out")
	}
	return nil
}

func (d *DealData) check() error {
	if d.ID == "" {
		return incomplete("a deal needs its id")
	}
	for _, m := range [...]*Money{d.Amount, d.CostOfGoods} {
		if m != nil {
			if err := m.check(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m Money) check() error {
	if _, ok := ParseMoney(string(m)); !ok {
		return incomplete("an amount is a decimal")
	}
	return nil
}
