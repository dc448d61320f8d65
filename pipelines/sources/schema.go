package sources

import _ "embed"

//go:embed source.schema.json
var schemaJSON []byte

// Schema is the JSON Schema of source.yaml, for editors.
func Schema() []byte { return schemaJSON }
