package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// New makes the folder of a new source that passes its own test, to be changed bit by bit. A folder that is there already stays as it
// is.
func New(folder, name string) (string, error) {
	if !nameForm.MatchString(name) {
		return "", fmt.Errorf("%q does not match %s", name, nameForm)
	}
	at := filepath.Join(folder, name)
	if _, err := os.Stat(at); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%s is there already", at)
	}
	if err := os.MkdirAll(filepath.Join(at, SamplesFolder), 0o755); err != nil {
		return "", err
	}
	for file, text := range newFiles {
		t, err := template.New(file).Delims("[[", "]]").Parse(text)
		if err != nil {
			return "", err
		}
		var out strings.Builder
		if err := t.Execute(&out, name); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(at, file), []byte(out.String()), 0o644); err != nil {
			return "", err
		}
	}
	return at, nil
}

// newFiles are a source that takes a form's hook: small, and with one of everything.
var newFiles = map[string]string{
	DefinitionFile: `# yaml-language-server: $schema=http://127.0.0.1:8080/v1/source.schema.json
# ` + "`throughline sources test [[.]]`" + ` sends samples/ to this definition and compares what comes out.
name: [[.]]
title: [[.]]
about: |
  What comes from it, and what a person is joined by.

settings:
  secret:
    about: where in the vendor's screens it is found
    required: true
    secret: true
    example: a-secret-for-samples

entries:
  - name: hook
    kind: webhook
    makes: [form]
    checks:
      - hmac: {algorithm: sha256, encoding: hex, key: secret, of: [body], in: "header:X-Signature", prefix: "sha256="}
    read: {format: json, items: ".leads[]"}
    map: hook.jq
`,
	"hook.jq": `# One item in, any number of events out. $settings, $tables, $request, $envelope, $received and $workspace are there.
{
  id: (.id | text),
  type: "form",
  time: (.created | local_time),
  identities: {phone: .phone, email: .email},
  form: {form_id: (.form // "site"), url: (.page | absolute_url)}
}
`,
	SamplesFolder + "/lead.json": `{"leads":[{"id":9007199254740993,"created":"2026-11-01 11:00:00","phone":"+48 501 222 333","email":"","form":"callback","page":"shop.example/new"}]}`,
	SamplesFolder + "/lead.yaml": `about: a lead as the vendor sends it
headers: {X-Signature: "sha256=[[/* of the bytes of lead.json, with the example of the setting */]]` + newSignature + `"}
`,
	SamplesFolder + "/lead.events.json": `[
  {"id": "9007199254740993", "type": "form", "source": "[[.]]", "time": "2026-11-01T10:00:00.000Z",
   "identities": {"phone": "+48 501 222 333", "email": ""},
   "form": {"form_id": "callback", "url": "https://shop.example/new"}}
]
`,
	SamplesFolder + "/forged.yaml": `about: somebody without the key
body: lead.json
headers: {X-Signature: "sha256=00"}
refused: wrong_signature
`,
}

// newSignature is that of the sample.
const newSignature = "b4a0f6724ea731b47ebada5c56124aa88d3a63f18590cc7259e1c6be4aad2503"
