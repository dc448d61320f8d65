// Package delivery is what is kept of a vendor's request until it is known what it means: the item with all that a mapping is told of
// it, so that the same mapping gives the same events whenever it is run, and a mended one can be run again.
//
// A client's phone or e-mail is not written down in readable form unless the workspace stores contacts.
package delivery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/throughline-io/throughline/schemas/sealed"
)

// Source says by what an item was read.
type Source struct {
	// Source is the kind, Instance the workspace's name for it, Entry the way in.
	Source   string `json:"source"`
	Instance string `json:"instance"`
	Entry    string `json:"entry,omitempty"`
	// Version is a hash of the definition that was in force.
	Version string `json:"version,omitempty"`
}

// Parcel is what was sent. Either Item is set, or Body where the request could not be cut into items.
type Parcel struct {
	// Item is the item's value, Envelope what stands around it, Place where in the request it stands.
	Item     json.RawMessage `json:"item,omitempty"`
	Envelope json.RawMessage `json:"envelope,omitempty"`
	Place    json.RawMessage `json:"place,omitempty"`
	// Told is what a pull's mapping was told beside: account, window, cursor, page and, unless they are large, responses.
	Told json.RawMessage `json:"told,omitempty"`
	// Request is $request: method, path, query and headers without credentials.
	Request json.RawMessage `json:"request,omitempty"`
	// Body is the request's as it came (base64 in JSON), with what is needed to read it.
	Body        []byte `json:"body,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	Query       string `json:"query,omitempty"`
	// Of a pull's item: $window, $account, $cursor, $page and $responses of its mapping. Answers that are too large are left out.
	Window    json.RawMessage `json:"window,omitempty"`
	Account   json.RawMessage `json:"account,omitempty"`
	Cursor    json.RawMessage `json:"cursor,omitempty"`
	Page      json.RawMessage `json:"page,omitempty"`
	Responses json.RawMessage `json:"responses,omitempty"`
}

// Fetch is the value of a record of pipelines.TopicFetches: an item for which the vendor must be asked before it means anything. The
// record's key is Workspace/Instance, so that one reader has all of an instance and can hold its rate.
type Fetch struct {
	Workspace string `json:"workspace"`
	Source
	// ReceivedAt is when it came (RFC 3339): $received of the mapping.
	ReceivedAt string `json:"received_at"`
	// Parcel in readable form, where the workspace stores contacts; else Sealed.
	Parcel *Parcel `json:"parcel,omitempty"`
	Sealed []byte  `json:"sealed,omitempty"`
}

// Key is the record's.
func (f *Fetch) Key() string { return f.Workspace + "/" + f.Instance }

// Keep puts the parcel in.
func (f *Fetch) Keep(pepper []byte, p *Parcel, readable bool) error {
	if readable {
		f.Parcel = p
		return nil
	}
	b, err := p.Encode()
	if err != nil {
		return err
	}
	f.Sealed, err = sealed.Seal(sealed.Fetches, f.Workspace, pepper, b)
	return err
}

// Open is the parcel, whichever way it is kept.
func (f *Fetch) Open(pepper []byte) (*Parcel, error) {
	if f.Sealed == nil {
		if f.Parcel == nil {
			return nil, fmt.Errorf("delivery: a fetch without a parcel")
		}
		return f.Parcel, nil
	}
	b, err := sealed.Open(sealed.Fetches, f.Workspace, pepper, f.Sealed)
	if err != nil {
		return nil, err
	}
	return DecodeParcel(b)
}

// Encode is the record's value.
func (f *Fetch) Encode() ([]byte, error) { return encode(f) }

// DecodeFetch reads a record's value.
func DecodeFetch(b []byte) (*Fetch, error) {
	f := &Fetch{}
	if err := json.Unmarshal(b, f); err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	return f, nil
}

// Encode is the parcel as it is kept in a dead letter.
func (p *Parcel) Encode() ([]byte, error) { return encode(p) }

// DecodeParcel reads it.
func DecodeParcel(b []byte) (*Parcel, error) {
	p := &Parcel{}
	if err := json.Unmarshal(b, p); err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	return p, nil
}

// Value is a member of a parcel as jq takes it, numbers as they were written; nil where it is not there.
func Value(raw json.RawMessage) (any, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	return v, nil
}

func encode(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	b := bytes.TrimRight(out.Bytes(), "\n")
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("delivery: not UTF-8")
	}
	return b, nil
}
