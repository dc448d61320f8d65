package event

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// DropReason says why an identifier joins nobody.
type DropReason string

// Reasons for dropping an identifier.
const (
	DropEmpty      DropReason = "empty"
	DropJunk       DropReason = "junk"
	DropUnparsable DropReason = "unparsable"
	DropExcluded   DropReason = "excluded"
)

// Dropped counts the identifiers of one event that were left out.
type Dropped map[DropReason]int

// nobody are values that systems write where they know nobody.
var nobody = map[string]bool{
	"-1": true, "null": true, "nil": true, "none": true, "undefined": true, "unknown": true, "anonymous": true,
	"guest": true, "test": true, "n/a": true,
}

// nobodys reports that a trimmed value stands for nobody.
func nobodys(value string) bool {
	return strings.Trim(value, "0-") == "" || nobody[strings.ToLower(value)]
}

// international is a number of a messenger, which leaves the plus out.
func international(value string) string {
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, "+") {
		return value
	}
	return "+" + value
}

// Identity is the normal form of an identifier (SPEC §3) and the kind that it counts as; a reason if it stands for
// nobody.
func (r *Rules) Identity(kind, value string) (string, string, DropReason) {
	value = strings.TrimSpace(value)
	switch {
	case value == "":
		return "", "", DropEmpty
	case nobodys(value):
		return "", "", DropJunk
	}
	ok := true
	switch kind {
	case "whatsapp":
		kind = "phone"
		value, ok = Phone(international(value), r.Country)
	case "phone":
		value, ok = Phone(value, r.Country)
	case "email":
		value = strings.ToLower(value)
	}
	switch {
	case !ok:
		return "", "", DropUnparsable
	case r.Exclude[kind+":"+value]:
		return "", "", DropExcluded
	}
	return kind, value, ""
}

// identities reads the identities object. Kinds and values are taken in a fixed order, so that the event is a function of its
// content.
func (p *parser) identities() *Error {
	in := p.object.object("identities")
	if p.err != nil {
		return p.err
	}
	if in == nil {
		return nil
	}
	n := 0
	for _, m := range in.fields.sorted() {
		kind := m.name
		if string(m.value) == "null" {
			continue
		}
		if !isKind(kind) {
			return bad("identities", "kind %.40q is not of the form [a-z][a-z0-9_]{0,31}", kind)
		}
		values, ok := stringOrList(m.value)
		if !ok {
			return bad("identities."+kind, "must be a string or a list of strings")
		}
		if n += len(values); n > MaxIdentities {
			return bad("identities", "more than %d values", MaxIdentities)
		}
		for _, v := range values {
			node, ok := p.identity(kind, v)
			switch {
			case !ok || kind != "anonymous_id":
			case p.visitor.Kind == "":
				p.visitor = node
			case p.visitor != node:
				p.several = true
			}
		}
	}
	return nil
}

func stringOrList(raw json.RawMessage) ([]string, bool) {
	if raw[0] == '"' {
		one, ok := plainText(raw)
		return []string{one}, ok
	}
	var list []*string
	if json.Unmarshal(raw, &list) != nil {
		return nil, false
	}
	var out []string
	for _, s := range list {
		if s != nil {
			out = append(out, *s)
		}
	}
	return out, true
}

// identity adds an identifier to the event, or counts why not.
func (p *parser) identity(kind, value string) (Node, bool) {
	switch {
	case nobodys(strings.TrimSpace(value)):
	case kind == "phone" || kind == "email":
		p.contacts = append(p.contacts, contact{kind == "email", value})
	case kind == "whatsapp":
		p.contacts = append(p.contacts, contact{false, international(value)})
	}
	kind, value, reason := p.rules.Identity(kind, value)
	if reason != "" {
		if p.dropped == nil {
			p.dropped = Dropped{}
		}
		p.dropped[reason]++
		return Node{}, false
	}
	n := p.rules.Node(kind, value)
	p.e.Nodes = append(p.e.Nodes, n)
	return n, true
}

// homeKinds are the kinds that make the best home, best first: those that most events of one person share.
var homeKinds = []string{"anonymous_id", "user_id", "crm_contact", "phone", "email"}

// settle puts the nodes in their order, the home first.
func (p *parser) settle() *Error {
	e := &p.e
	if e.Type == Spend {
		e.Nodes = nil
		return nil
	}
	slices.SortFunc(e.Nodes, func(a, b Node) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	e.Nodes = slices.Compact(e.Nodes)
	if len(e.Nodes) == 0 {
		return &Error{NoIdentity, "identities", "no usable identity is left"}
	}
	home := p.home()
	i := slices.Index(e.Nodes, home)
	copy(e.Nodes[1:i+1], e.Nodes[:i])
	e.Nodes[0] = home
	return nil
}

func (p *parser) home() Node {
	for _, n := range []Node{p.deal, p.phone} {
		if n.Kind != "" {
			return n
		}
	}
	if p.e.Type == NumberLease {
		return p.visitor
	}
	for _, kind := range homeKinds {
		if i := slices.IndexFunc(p.e.Nodes, func(n Node) bool { return n.Kind == kind }); i >= 0 {
			return p.e.Nodes[i]
		}
	}
	return slices.MinFunc(p.e.Nodes, func(a, b Node) int { return strings.Compare(a.Kind, b.Kind) })
}
