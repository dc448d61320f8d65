package event

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
	"github.com/google/uuid"
)

// Limits of SPEC §2.
const (
	// MaxEventBytes is the largest event, as JSON.
	MaxEventBytes = 1 << 20
	// MaxIDLength is the longest id, in characters.
	MaxIDLength = 128
	// MaxIdentities bounds the identifiers of one event, as MaxItems does the events of a request: each is a message of its own. The
	// contract knows no such limit, so it is far beyond what a merge of records in a CRM lists.
	MaxIdentities = 10_000
	// MaxAhead is how far ahead of the server's clock a time may be, unless Options say otherwise.
	MaxAhead = 24 * time.Hour
)

// oldest is the earliest time of an event.
var oldest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// maxName is the longest source and the longest kind.
const maxName = 32

// isSource reports the form [a-z0-9_-]{1,32}.
func isSource(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) && s[i] != '-' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= maxName
}

// isKind reports the form [a-z][a-z0-9_]{0,31}.
func isKind(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= maxName && s[0] >= 'a' && s[0] <= 'z'
}

func isNameByte(c byte) bool { return c >= 'a' && c <= 'z' || isDigit(c) || c == '_' }

// typeNames are the types as senders write them; the object of an event has the same name.
var typeNames = map[string]Type{
	"visit": Visit, "call": Call, "message": Message, "form": Form, "deal": Deal, "spend": Spend, "identify": Identify, "number_lease": NumberLease,
}

// String is the type as senders write it.
func (t Type) String() string {
	for name, v := range typeNames {
		if v == t {
			return name
		}
	}
	return fmt.Sprintf("type(%d)", uint8(t))
}

// Options change how Parse reads.
type Options struct {
	// AssignID gives an event without an id a UUIDv7: for browsers.
	AssignID bool
	// MaxAhead is how far ahead of the server's clock a time may be; 0 means the contract's 24 hours. More is for
	// playing recorded stories whose end has not come yet.
	MaxAhead time.Duration
	// Bot marks visits as a crawler's or a script's.
	Bot bool
}

// Parse reads one event from JSON as a sender gives it. What it returns is normalised and holds no contact in readable
// form, unless the workspace stores them. Dropped says which identifiers were left out; it is nil if none was. The error is
// nil or says what the sender should change; it quotes no contact either. Raw may alias raw.
func Parse(raw []byte, r *Rules, now time.Time, o Options) (Event, Dropped, *Error) {
	p := parser{rules: r, e: Event{Workspace: r.Workspace, Received: now.UnixMilli()}}
	if err := p.read(raw, now, o); err != nil {
		p.scrubError(err)
		return Event{}, p.dropped, err
	}
	p.scrub(raw)
	p.e.Content = xxhash.Sum64(p.e.appendMeaning(make([]byte, 0, usualMeaning)))
	return p.e, p.dropped, nil
}

// usualMeaning is room for what most events mean.
const usualMeaning = 512

func (p *parser) read(raw []byte, now time.Time, o Options) *Error {
	if len(raw) > MaxEventBytes {
		return &Error{TooLarge, "", fmt.Sprintf("%d bytes; an event has at most %d", len(raw), MaxEventBytes)}
	}
	if !json.Valid(raw) || !utf8.Valid(raw) {
		return &Error{BadJSON, "", "not valid JSON in UTF-8"}
	}
	var ok bool
	if p.object, ok = newObject("", trimJSON(raw)); !ok {
		return &Error{BadJSON, "", "an event is a JSON object"}
	}
	for _, step := range []func() *Error{
		func() *Error { return p.envelope(now, o) }, p.identities, p.body, p.settle,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if p.e.Visit != nil {
		p.e.Visit.Bot = o.Bot
	}
	return nil
}

// parser is one event being read.
type parser struct {
	*object
	rules    *Rules
	e        Event
	dropped  Dropped
	contacts []contact
	phone    Node // the client's, of a call
	visitor  Node // of a lease
	several  bool // visitors
	deal     Node
}

// envelope reads what every event has.
func (p *parser) envelope(now time.Time, o Options) *Error {
	name, err := p.plain("type", BadType, "is required")
	if err != nil {
		return err
	}
	t, ok := typeNames[name]
	if !ok {
		return &Error{BadType, "type", fmt.Sprintf("%.40q is not one of visit, call, message, form, deal, spend, identify, number_lease", name)}
	}
	p.e.Type = t
	if p.e.Source, err = p.plain("source", BadSource, "is required"); err != nil {
		return err
	}
	if !isSource(p.e.Source) {
		return &Error{BadSource, "source", fmt.Sprintf("%.40q is not of the form [a-z0-9_-]{1,32}", p.e.Source)}
	}
	if _, given := p.get("id"); !given && o.AssignID {
		id, err := uuid.NewV7()
		if err != nil {
			return &Error{BadID, "id", "none was given and none could be assigned: " + err.Error()}
		}
		p.e.ID = id.String()
	} else if p.e.ID, err = p.plain("id", BadID, "is required: it makes repeating a request harmless"); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(p.e.ID); n < 1 || n > MaxIDLength {
		return &Error{BadID, "id", fmt.Sprintf("has %d characters; 1 to %d are allowed", n, MaxIDLength)}
	}
	return p.time(now, cmp.Or(o.MaxAhead, MaxAhead))
}

func (p *parser) time(now time.Time, ahead time.Duration) *Error {
	s, err := p.plain("time", BadTime, "is required")
	if err != nil {
		return err
	}
	t, ok := parseMoment(s)
	switch {
	case !ok:
		return &Error{BadTime, "time", fmt.Sprintf("%.40q is not %s", s, momentForm)}
	case t.Before(oldest):
		return &Error{TimeTooOld, "time", fmt.Sprintf("%s is before 2000-01-01", s)}
	case t.After(now.Add(ahead)):
		return &Error{TimeInFuture, "time", fmt.Sprintf("%s is more than %s ahead of the server's clock", s, ahead)}
	}
	p.e.Time = t.UnixMilli()
	return nil
}

// plain is a required string whose every fault has one code.
func (p *parser) plain(name string, code Code, missing string) (string, *Error) {
	raw, ok := p.get(name)
	if !ok {
		return "", &Error{code, name, missing}
	}
	if raw[0] == '"' {
		if s, ok := plainText(raw); ok {
			return s, nil
		}
	}
	return "", &Error{code, name, "must be a string"}
}

func trimJSON(raw []byte) []byte {
	for len(raw) > 0 && (raw[0] == ' ' || raw[0] == '\n' || raw[0] == '\r' || raw[0] == '\t') {
		raw = raw[1:]
	}
	return raw
}
