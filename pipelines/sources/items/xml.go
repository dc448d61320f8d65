package items

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// xml reads a document. An element is an object: its attributes as @name, its text as #text, its children by their names, a list
// where there are several; one that holds text alone is the text. encoding/xml knows no entities but the five of XML, so none can
// grow. The way begins at the root: .orders.order[].
func (s *stream) xml(in io.Reader) {
	m := &meter{s: s, in: in}
	d := xml.NewDecoder(m)
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		e, err := encodingNamed(strings.ToLower(label))
		if err != nil {
			return nil, fmt.Errorf("encoding %.40q: %w", label, err)
		}
		return e.NewDecoder().Reader(in), nil
	}
	var way []string
	for _, step := range s.format.way {
		if step.field != "" {
			way = append(way, step.field)
		}
	}
	x := &xmlReader{s: s, d: d, m: m}
	met, err := x.descend(way)
	switch {
	case s.stopped:
	case errors.Is(err, io.EOF) && !x.any:
		s.fail(errEmpty)
	case err != nil && !errors.Is(err, io.EOF):
		line, _ := d.InputPos()
		s.fail(fmt.Errorf("line %d: %w", line, err))
	case !met:
		s.fail(fmt.Errorf("there is no .%s", strings.Join(way, ".")))
	}
}

type xmlReader struct {
	s      *stream
	d      *xml.Decoder
	m      *meter
	values int  // of the item
	any    bool // an element was met
}

// descend finds the elements at the end of the way and hands them over, up to the end of the element it is in.
func (x *xmlReader) descend(way []string) (met bool, err error) {
	for {
		token, err := x.d.Token()
		if err != nil {
			if errors.Is(err, io.EOF) && met {
				return true, nil
			}
			return met, err
		}
		switch t := token.(type) {
		case xml.EndElement:
			return met, nil
		case xml.StartElement:
			found := false
			x.any = true
			switch {
			case len(way) > 0 && t.Name.Local != way[0]:
				err = x.d.Skip()
			case len(way) > 1:
				found, err = x.descend(way[1:])
			default:
				found = true
				err = x.item(t, len(way) == 0)
			}
			met = met || found
			if err != nil || x.s.stopped {
				return met, err
			}
		}
	}
}

// item hands an element over; the root itself, where there is no way, as an object with its name.
func (x *xmlReader) item(start xml.StartElement, root bool) error {
	x.values = 0
	line, _ := x.d.InputPos()
	v, err := x.element(start, 1)
	if err != nil {
		return err
	}
	if root {
		v = map[string]any{start.Name.Local: v}
	}
	x.s.place.Line = line
	x.s.item(v, nil)
	x.m.next()
	return nil
}

func (x *xmlReader) element(start xml.StartElement, depth int) (any, error) {
	if depth > MaxDepth {
		return nil, beyond("levels of nesting", MaxDepth)
	}
	if x.values += 1 + len(start.Attr); x.values > MaxValues {
		return nil, beyond("values in one item", MaxValues)
	}
	object := map[string]any{}
	for _, a := range start.Attr {
		object["@"+a.Name.Local] = a.Value
	}
	var text strings.Builder
	for {
		token, err := x.d.Token()
		if err != nil {
			return nil, unexpected(err)
		}
		switch t := token.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			child, err := x.element(t, depth+1)
			if err != nil {
				return nil, err
			}
			x.add(object, t.Name.Local, child)
		case xml.EndElement:
			said := strings.TrimSpace(text.String())
			if len(object) == 0 {
				return said, nil
			}
			if said != "" {
				object["#text"] = said
			}
			return object, nil
		}
	}
}

func (x *xmlReader) add(object map[string]any, name string, child any) {
	before, ok := object[name]
	list, isList := before.([]any)
	switch {
	case isList: // an element is never a list itself
		object[name] = append(list, child)
	case ok:
		object[name] = []any{before, child}
	case slices.Contains(x.s.format.Lists, name):
		object[name] = []any{child}
	default:
		object[name] = child
	}
}
