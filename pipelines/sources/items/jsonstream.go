package items

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
)

// descend goes the way to the items in a stream of JSON: no more than one item is in memory. Fields behind the items are passed
// over; those before them are the envelope.
func (s *stream) descend(d *json.Decoder, m *meter, way []step, envelope map[string]any) error {
	if len(way) == 0 {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		m.next()
		return s.found(raw, envelope)
	}
	token, err := d.Token()
	if err != nil {
		return err
	}
	return s.within(d, m, token, way, envelope)
}

// within goes on behind the token that opens a value.
func (s *stream) within(d *json.Decoder, m *meter, token json.Token, way []step, envelope map[string]any) error {
	each := way[0].field == ""
	switch {
	case token == json.Delim('[') && each:
		for d.More() && !s.stopped {
			if err := s.descend(d, m, way[1:], envelope); err != nil {
				return unexpected(err)
			}
		}
		if s.stopped {
			return nil
		}
		_, err := d.Token()
		return unexpected(err)
	case token == json.Delim('{') && each && len(way) == 1: // one where a list may stand
		object := map[string]json.RawMessage{}
		err := s.fields(d, func(name string) error {
			var raw json.RawMessage
			err := d.Decode(&raw)
			object[name] = raw
			return err
		})
		if err != nil {
			return err
		}
		raw, err := json.Marshal(object)
		if err != nil {
			return err
		}
		m.next()
		return s.found(raw, envelope)
	case token == nil:
		return nil
	case each && len(way) == 1: // a text or a number where a list may stand
		s.item(token, envelope)
		return nil
	case each:
		return s.within(d, m, token, way[1:], envelope)
	case token == json.Delim('{'):
		return s.into(d, m, way, envelope)
	}
	return fmt.Errorf("there is no object where .%s is looked for", way[0].field)
}

// into goes into one field of an object and collects those before it.
func (s *stream) into(d *json.Decoder, m *meter, way []step, envelope map[string]any) error {
	around, met := maps.Clone(envelope), false
	if around == nil {
		around = map[string]any{}
	}
	err := s.fields(d, func(name string) error {
		if name == way[0].field {
			met = true
			return s.descend(d, m, way[1:], maps.Clone(around))
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		m.next()
		v, err := value(raw, s.in.Limits.ItemBytes)
		if err != nil {
			return fmt.Errorf(".%s: %w", name, err)
		}
		if !met {
			around[name] = v
			if len(around) > MaxFields {
				return beyond("fields around the items", MaxFields)
			}
		}
		return nil
	})
	if err == nil && !met && !s.stopped {
		err = fmt.Errorf("there is no .%s", way[0].field)
	}
	return err
}

// fields visits the fields of an object whose bracket was read, and reads the closing one.
func (s *stream) fields(d *json.Decoder, visit func(name string) error) error {
	for d.More() && !s.stopped {
		token, err := d.Token()
		if err != nil {
			return unexpected(err)
		}
		name, ok := token.(string)
		if !ok {
			return fmt.Errorf("%v stands where a field's name must be", token)
		}
		if err := visit(name); err != nil {
			return unexpected(err)
		}
	}
	if s.stopped {
		return nil
	}
	_, err := d.Token()
	return unexpected(err)
}

func (s *stream) found(raw json.RawMessage, envelope map[string]any) error {
	v, err := value(raw, s.in.Limits.ItemBytes)
	if err != nil {
		s.bad(err)
		return nil
	}
	s.item(v, envelope)
	return nil
}

// unexpected makes an end inside a value a fault.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
