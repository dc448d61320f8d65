package event

import "fmt"

// Code says what is wrong with an event. The list is closed.
type Code string

// The codes of SPEC §2.
const (
	BadJSON         Code = "bad_json"
	BadType         Code = "bad_type"
	BadSource       Code = "bad_source"
	BadID           Code = "bad_id"
	BadTime         Code = "bad_time"
	TimeInFuture    Code = "time_in_future"
	TimeTooOld      Code = "time_too_old"
	BadField        Code = "bad_field"
	NoIdentity      Code = "no_identity"
	UnknownCurrency Code = "unknown_currency"
	TooLarge        Code = "too_large"
)

// Codes says of every code what it means, for documentation and dashboards.
var Codes = map[Code]string{
	BadJSON:         "The item is not one JSON object.",
	BadType:         "The type is missing, unknown, or not allowed with this key.",
	BadSource:       "The source is missing or not of the form [a-z0-9_-]{1,32}.",
	BadID:           "The id is missing, empty, longer than 128 characters, or not a string.",
	BadTime:         "The time is missing or not RFC 3339 with an offset.",
	TimeInFuture:    "The time is more than 24 hours ahead of the server's clock.",
	TimeTooOld:      "The time is before 2000-01-01.",
	BadField:        "A field is missing, of the wrong type, or outside its allowed values.",
	NoIdentity:      "No usable identity is left, so nobody could be credited.",
	UnknownCurrency: "The workspace has no rate for this currency.",
	TooLarge:        "The event or the request exceeds its size limit.",
}

// Error says why an event is not accepted: the code for programs, the field and the message for people.
type Error struct {
	Code    Code
	Field   string
	Message string
}

func (e *Error) Error() string {
	if e.Field == "" {
		return string(e.Code) + ": " + e.Message
	}
	return string(e.Code) + ": " + e.Field + ": " + e.Message
}

func bad(field, format string, args ...any) *Error {
	return &Error{BadField, field, fmt.Sprintf(format, args...)}
}
