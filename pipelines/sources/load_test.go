package sources

import (
	"strings"
	"testing"
	"testing/fstest"
)

// loadText loads a definition with the program of a new source.
func loadText(t *testing.T, text string) (*Source, error) {
	t.Helper()
	list, err := Load(fstest.MapFS{"acme/source.yaml": {Data: []byte(text)}, "acme/hook.jq": {Data: []byte(newFiles["hook.jq"])}}, "dir")
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// TestFaultsOfADefinition: all of them at once, each with its line.
func TestFaultsOfADefinition(t *testing.T) {
	const text = `
name: other
title: ""
definitions: none.jq
settings:
  Key: {about: a}
  token: {}
  must: {about: a, required: true, default: x}
tables:
  t: {required: true, default: {a: 1}}
entries:
  - name: a
    kind: webhook
    makes: []
    read: {format: csv}
    map: |
      .a
      | nothing_like_it
    answer:
      ok: {status: 500}
      forged: 200
      within: 1ms
      handshakes: [{match: {}, echo: "body", sign: {algorithm: crc, key: none}}]
    fetch: {hosts: [], requests: []}
  - name: a
    kind: pull
    makes: [spend]
    read: {format: form}
    map: "{"
    checks: [{path: true}]
  - name: b
    kind: pull
    makes: [spend]
    read: {format: json}
    map: empty
    pull:
      every: 1s
      hosts: ["api.vendor.example/x", "setting:none"]
      timeout: 1h
      rate: {requests: 0, per: 1s}
      retries: {attempts: 0, first: 1s, longest: 1s}
      auth: {kind: bearer, token: none}
      window: {days: 0, zone: Mars}
      cursor: {first: "1"}
      requests:
        - {name: A, request: "", pages: {kind: cursor}, again: {after: 1s}}
        - {name: q, request: "now", pages: {kind: page, next: "1"}, read: {format: json}}
`
	_, err := loadText(t, text)
	if err == nil {
		t.Fatal("it was loaded")
	}
	for _, want := range []string{
		`dir/acme/source.yaml:2: name: "other" must be the folder's name, "acme"`,
		`:3: title: is empty`,
		`:4: definitions: open none.jq`,
		`:6: settings.Key: "Key" does not match`,
		`:7: settings.token.about: is empty`,
		`:8: settings.must.required: has a default`,
		`:10: tables.t.about: is empty`,
		`:10: tables.t.required: has a default`,
		`:14: entries[0].makes: is empty`,
		`:15: entries[0].read.table: needs either headers`,
		`:18: function not defined: nothing_like_it/0, in `,
		`:20: entries[0].answer.ok.status: 500 is no 2xx`,
		`:21: entries[0].answer.forged: 200 is none of`,
		`:22: entries[0].answer.within: "1ms" is not between`,
		`entries[0].answer.handshakes[0].match: matches every request`,
		`entries[0].answer.handshakes[0].echo: "body" is none of`,
		`entries[0].answer.handshakes[0].sign.algorithm: "crc"`,
		`entries[0].answer.handshakes[0].sign.key: "none" is none of the settings`,
		`entries[0].checks: are none: say why`,
		`entries[0].fetch.hosts: are none`,
		`entries[0].fetch.requests: are 0`,
		`:25: entries[1].name: "a" does not match`,
		`entries[1]: match, checks, unchecked and fetch are for webhooks`,
		`entries[1].read.format: "form" is for webhooks`,
		`entries[1].pull: is needed`,
		`:29: unexpected EOF`,
		`entries[2].pull.every: "1s" is not between`,
		`entries[2].pull.hosts[0]: "api.vendor.example/x" is no host`,
		`entries[2].pull.hosts[1]: "none" is none of the settings`,
		`entries[2].pull.timeout: "1h0m0s"`,
		`entries[2].pull.rate: needs requests and per`,
		`entries[2].pull.retries: needs 1 to 100`,
		`entries[2].pull.auth.token: "none" is none of the settings`,
		`entries[2].pull.window.days: 0 is not`,
		`entries[2].pull.window.zone: "Mars" is no zone`,
		`entries[2].pull.cursor.next: is empty`,
		`entries[2].pull.requests[0].name: "A" is no name`,
		`entries[2].pull.requests[0].request: is empty`,
		`entries[2].pull.requests[0].pages.next: is empty`,
		`entries[2].pull.requests[0].again: needs status or when`,
		`entries[2].pull.requests[1].pages.next: is for the kinds cursor and link`,
		`entries[2].pull.requests[1].read: is the entry's own`,
		`now may not be used: a replay would give another answer`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in it", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestVersion(t *testing.T) {
	good := strings.ReplaceAll(newFiles[DefinitionFile], "[[.]]", "acme")
	load := func(text, program, sample string) string {
		list, err := Load(fstest.MapFS{"acme/source.yaml": {Data: []byte(text)}, "acme/hook.jq": {Data: []byte(program)}, "acme/samples/a.json": {Data: []byte(sample)}}, "dir")
		if err != nil {
			t.Fatal(err)
		}
		return list[0].Version
	}
	first := load(good, newFiles["hook.jq"], "1")
	if again := load(good, newFiles["hook.jq"], "2"); again != first {
		t.Error("a sample makes another version")
	}
	if other := load(good, newFiles["hook.jq"]+"\n", "1"); other == first {
		t.Error("another program is the same version")
	}
	if other := load(good+"\n", newFiles["hook.jq"], "1"); other == first {
		t.Error("another definition is the same version")
	}
}

func TestNothingToLoad(t *testing.T) {
	list, err := Load(fstest.MapFS{"acme/readme.md": {}}, "dir")
	if len(list) != 0 || err != nil {
		t.Errorf("%v, %v", list, err)
	}
	if _, err := Load(fstest.MapFS{"acme/source.yaml": {}}, "dir"); err == nil || !strings.Contains(err.Error(), "dir/acme/source.yaml: the file is empty") {
		t.Errorf("%v", err)
	}
	if _, err := Open("no/such/folder"); err == nil {
		t.Error("a folder that is not there was opened")
	}
}
