package collector

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/event"
)

func gzipped(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, part := range parts {
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func zstded(t testing.TB, s string, o ...zstd.EOption) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, o...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const (
	jsonType = "application/json"
	ndjson   = "application/x-ndjson"
)

// TestForms is every form that a body may have. Of what is accepted Kafka has just as many events, of what is rejected just as
// many dead letters.
func TestForms(t *testing.T) {
	const ok, bad = http.StatusAccepted, http.StatusBadRequest
	one, two, three := visit("1"), visit("2"), visit("3")
	for _, row := range []struct {
		name, contentType, encoding string
		body                        []byte
		status, accepted            int
		rejected                    string
	}{
		{"an object", jsonType, "", []byte(one), ok, 1, ""},
		{"an object over lines, with a byte order mark", jsonType, "", []byte("\ufeff \r\n" + strings.ReplaceAll(one, ",", ",\n") + "\n"), ok, 1, ""},
		{"an object without a content type", "", "", []byte(one), ok, 1, ""},
		{"an array", jsonType, "", []byte("[" + one + " ,\n" + two + "]"), ok, 2, ""},
		{"an array with charset", "application/json; charset=utf-8", "", []byte("[" + one + "]"), ok, 1, ""},
		{"an array with a bad item", jsonType, "", []byte("[" + one + "," + wrong("2") + "," + three + "]"), ok, 2, "bad_time"},
		{"an array with what is no object", jsonType, "", []byte(`[1,"x",null,[],` + one + `]`), ok, 1, "bad_json bad_json bad_json bad_json"},
		{"an array of bad items", jsonType, "", []byte("[" + wrong("1") + ",{}]"), bad, 0, "bad_time bad_type"},
		{"an array cut short", jsonType, "", []byte("[" + one + "," + two), bad, 0, "bad_json"},
		{"an array with a comma too many", jsonType, "", []byte("[" + one + ",]"), bad, 0, "bad_json"},
		{"NDJSON", ndjson, "", []byte(one + "\n" + two + "\r\n\n" + three), ok, 3, ""},
		{"NDJSON with charset and capitals", "Application/X-NDJSON; charset=utf-8", "", []byte(one + "\n" + two + "\n"), ok, 2, ""},
		{"NDJSON with a broken line", ndjson, "", []byte(one + "\n{\"id\":\n" + three), ok, 2, "bad_json"},
		{"NDJSON with a line that is an array", ndjson, "", []byte("[" + one + "]\n" + two), ok, 1, "bad_json"},
		{"NDJSON that says it is JSON", jsonType, "", []byte(one + "\n" + two), ok, 2, ""},
		{"NDJSON that says it is JSON, with a broken line", jsonType, "", []byte(one + "\n{\"id\":\n" + three), ok, 2, "bad_json"},
		{"objects one after another", jsonType, "", []byte(one + two + " " + three), ok, 3, ""},
		{"an object that is no event", jsonType, "", []byte("{}"), bad, 0, "bad_type"},
		{"an object cut short", jsonType, "", []byte(one[:50]), bad, 0, "bad_json"},
		{"a form", "application/x-www-form-urlencoded", "", []byte("a=b"), bad, 0, "bad_json"},
		{"not UTF-8", jsonType, "", []byte("{\"id\":\"\xff\"}"), bad, 0, "bad_json"},
		{"gzip", jsonType, "gzip", gzipped(t, "["+one+","+two+"]"), ok, 2, ""},
		{"gzip in parts", ndjson, "x-gzip", gzipped(t, one+"\n", two+"\n"), ok, 2, ""},
		{"zstd", ndjson, "ZSTD", zstded(t, one+"\n"+two), ok, 2, ""},
		{"identity", ndjson, "identity", []byte(one), ok, 1, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := open(t)
			r := d.post(row.body, "Content-Type", row.contentType, "Content-Encoding", row.encoding)
			if r.status != row.status || r.Accepted != row.accepted || r.codes() != row.rejected || r.Duplicates != 0 {
				t.Errorf("%d, %s; want %d, %d accepted, rejected %q", r.status, r.text, row.status, row.accepted, row.rejected)
			}
			if events := d.records(pipelines.TopicEvents); len(events) != row.accepted {
				t.Errorf("Kafka has %d events of %d", len(events), row.accepted)
			}
			if dead := d.records(pipelines.TopicDead); len(dead) != len(r.Rejected) {
				t.Errorf("there are %d dead letters of %d rejected items", len(dead), len(r.Rejected))
			}
		})
	}
}

// TestRecords holds what is in Kafka to the contract: where an event lives, and that it is the event.
func TestRecords(t *testing.T) {
	d := open(t)
	spend := `{"id":"s-1","type":"spend","source":"ads","time":"2026-11-01T10:00:00Z","spend":{"date":"2026-10-31","amount":"10.50"}}`
	d.post([]byte("[" + visit("1") + "," + visit("2") + "," + spend + "]"))
	ids := map[string]bool{}
	for _, r := range d.records(pipelines.TopicEvents) {
		e, err := event.Decode(r.Value)
		if err != nil {
			t.Fatal(err)
		}
		ids[e.ID] = true
		home := event.NodeID(r.Key)
		var want event.NodeID
		if e.Type == event.Spend {
			want = event.SpendKey(&e)
		} else {
			want = e.Nodes[0].ID
		}
		if home != want {
			t.Errorf("%s has the key %x, want %x", e.ID, home, want)
		}
		if want := pipelines.Partition(home, eventPartitions); r.Partition != want {
			t.Errorf("%s is on partition %d, want %d", e.ID, r.Partition, want)
		}
		if e.Workspace != "shop" {
			t.Errorf("%s is of workspace %s", e.ID, e.Workspace)
		}
	}
	if len(ids) != 3 || !ids["1"] || !ids["2"] || !ids["s-1"] {
		t.Errorf("Kafka has %v", ids)
	}
}

// TestDeadLetters checks that what was rejected is kept byte for byte, and readable only where that is allowed.
func TestDeadLetters(t *testing.T) {
	broken := "{\"phone\":\"+48501000001\xff"
	for _, row := range []struct {
		name, key, pepper, item string
		readable                bool
	}{
		{"sealed", "sk_shop", "pepper", wrong("1"), false},
		{"readable with store_contacts", "sk_open", "other", wrong("1"), true},
		{"not UTF-8: sealed, or it would change", "sk_open", "other", broken, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			d := open(t)
			r := d.post([]byte(visit("0")+"\n"+row.item), "Content-Type", ndjson, "Authorization", "Bearer "+row.key)
			if r.status != http.StatusAccepted || len(r.Rejected) != 1 || r.Rejected[0].Index != 1 {
				t.Fatalf("%d, %s", r.status, r.text)
			}
			dead := d.records(pipelines.TopicDead)
			l, err := deadletter.Decode(dead[0].Value)
			if err != nil {
				t.Fatal(err)
			}
			if item, err := l.Open([]byte(row.pepper)); err != nil || string(item) != row.item {
				t.Errorf("kept %q, %v", item, err)
			}
			if readable := bytes.Contains(dead[0].Value, []byte("501000001")); readable != row.readable || (l.Body != "") != row.readable {
				t.Errorf("readable: %t, want %t: %s", readable, row.readable, dead[0].Value)
			}
			if want := map[string]string{wrong("1"): "site"}[row.item]; l.From() != want { // nobody can read it in what is broken
				t.Errorf("source %q, want %q", l.From(), want)
			}
			if l.Key != "crm" || l.Index != 1 || l.Code != string(r.Rejected[0].Code) || l.Message == "" || l.ReceivedAt == "" {
				t.Errorf("letter %+v", l)
			}
		})
	}
}
