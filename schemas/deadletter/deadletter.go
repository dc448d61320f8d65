// Package deadletter is what is kept of an item that was not accepted, or that could not be handled later: the reason
// and the item as it came, so that it can be sent again once the fault is mended.
//
// A client's phone or e-mail is not written down in readable form unless the workspace stores contacts: the item is then
// sealed under a key that derives from the workspace's pepper.
package deadletter

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/throughline-io/throughline/schemas/delivery"
	"github.com/throughline-io/throughline/schemas/sealed"
)

// Letter is the value of a record of the dead-letter topic, as JSON.
type Letter struct {
	Workspace  string `json:"workspace,omitempty"`
	Key        string `json:"key,omitempty"`   // name of the sender's key
	Named      string `json:"named,omitempty"` // source that the item names, where that can be read
	Code       string `json:"code"`
	Field      string `json:"field,omitempty"`
	Message    string `json:"message"`
	ReceivedAt string `json:"received_at,omitempty"` // RFC 3339
	Index      int    `json:"index"`                 // of the item in its request
	// Body is the item as it came; Sealed is the same, encrypted. One of them is set for what a sender sent: Keep decides.
	Body   string `json:"body,omitempty"`
	Sealed []byte `json:"sealed,omitempty"`
	// Source is set for what a vendor sent: the item is then a parcel (schemas/delivery), which says all that its mapping needs.
	Source *delivery.Source `json:"source,omitempty"`
	// Topic, Partition, Offset and Record are set for a record that could not be handled after it was accepted.
	Topic     string `json:"topic,omitempty"`
	Partition int32  `json:"partition,omitempty"`
	Offset    int64  `json:"offset,omitempty"`
	Record    []byte `json:"record,omitempty"`
}

// Codes of what a vendor sent, beside those of events: it could not be cut into items, or not be mapped to events.
const (
	Unreadable = "unreadable"
	Unmapped   = "unmapped"
)

// From is the source that the item is of: the workspace's name for the vendor, or what the item itself names; empty where that cannot
// be read.
func (l *Letter) From() string {
	if l.Source != nil {
		return l.Source.Instance
	}
	return l.Named
}

// Encode is the record's value.
func (l *Letter) Encode() ([]byte, error) {
	b, err := json.Marshal(l)
	if err != nil {
		return nil, fmt.Errorf("dead letter: %w", err)
	}
	return b, nil
}

// Decode reads a record's value.
func Decode(b []byte) (*Letter, error) {
	l := &Letter{}
	if err := json.Unmarshal(b, l); err != nil {
		return nil, fmt.Errorf("dead letter: %w", err)
	}
	return l, nil
}

// MaxReadable is the largest item that is kept in readable form: as JSON inside JSON it may grow sixfold.
const MaxReadable = 1 << 20

// Keep puts the item into the letter, byte for byte: readable where that is allowed and possible, sealed otherwise.
func (l *Letter) Keep(pepper, item []byte, readable bool) error {
	if readable && len(item) <= MaxReadable && utf8.Valid(item) {
		l.Body = string(item)
		return nil
	}
	return l.Seal(pepper, item)
}

// Seal puts the item into the letter, encrypted.
func (l *Letter) Seal(pepper, item []byte) error {
	b, err := sealed.Seal(sealed.DeadLetters, l.Workspace, pepper, item)
	if err != nil {
		return fmt.Errorf("dead letter: %w", err)
	}
	l.Sealed = b
	return nil
}

// Open is the item, whichever way it is kept.
func (l *Letter) Open(pepper []byte) ([]byte, error) {
	if l.Sealed == nil {
		return []byte(l.Body), nil
	}
	item, err := sealed.Open(sealed.DeadLetters, l.Workspace, pepper, l.Sealed)
	if err != nil {
		return nil, fmt.Errorf("dead letter: %w", err)
	}
	return item, nil
}
