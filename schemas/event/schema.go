package event

import _ "embed" // the schema

// Schema is the JSON Schema (draft 2020-12) of an event as it is sent, for senders that check before they send. Parse does
// not use it; a test holds both to the same samples.
//
//go:embed event.schema.json
var Schema []byte
