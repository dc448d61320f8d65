package event

import "slices"

// Most events that are kept are of one node, and most of them visits: these stand in one piece of memory.
type (
	keptVisit struct {
		Event
		visit VisitData
		node  [1]Node
	}
	kept struct {
		Event
		node [1]Node
	}
)

// Keep is a copy of what facts are computed from, with its key made. It shares the strings, and the objects other than a visit, a call
// and a form.
func (e *Event) Keep() *Event {
	var k *Event
	if e.Visit != nil {
		whole := &keptVisit{Event: *e, visit: VisitData{Origin: e.Visit.Origin, Bot: e.Visit.Bot}}
		k = &whole.Event
		k.Visit, k.Nodes = &whole.visit, whole.node[:]
	} else {
		whole := &kept{Event: *e}
		k = &whole.Event
		k.Nodes = whole.node[:]
	}
	if copy(k.Nodes, e.Nodes) != len(e.Nodes) {
		k.Nodes = slices.Clone(e.Nodes)
	}
	k.Nodes = k.Nodes[:len(e.Nodes):len(e.Nodes)]
	k.Raw, k.Received = nil, 0
	if k.key == "" {
		k.key = e.Key()
		k.ID = k.key[len(k.Source)+1:] // one string for both
	}
	if e.Call != nil {
		c := *e.Call
		c.Recording = ""
		k.Call = &c
	}
	if e.Form != nil {
		k.Form = &FormData{}
	}
	return k
}
