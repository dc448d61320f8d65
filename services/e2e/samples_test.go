package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/throughline-io/throughline/schemas/deadletter"
	"github.com/throughline-io/throughline/schemas/event/samples"
	reader "github.com/throughline-io/throughline/services/internal/kafka"

	kafkago "github.com/segmentio/kafka-go"
)

// TestSamples posts every bad sample with a good one: the bad one gets its code and lies in the dead letters, with its
// reason and its body, and the good one is accepted.
func TestSamples(t *testing.T) {
	t.Parallel() // most of it is waiting
	s := newSystem(t, 3, "workspaces:\n"+workspaceConfig("shop", `    exclude_identities: ["phone:+48221110000"]
`))
	good, err := samples.Good()
	if err != nil {
		t.Fatal(err)
	}
	bad, err := samples.Bad()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{} // body → code
	for i, b := range bad {
		body, err := json.Marshal([]json.RawMessage{oneLine(t, good[i%len(good)].Body), b.Body})
		if !json.Valid(b.Body) { // such an item spoils an array, as it should: it goes by itself
			body, err = b.Body, nil
		}
		if err != nil {
			t.Fatal(err)
		}
		status, a := s.postJSON(t, "sk_shop", body)
		wantStatus, accepted := http.StatusAccepted, 1
		if !json.Valid(b.Body) {
			wantStatus, accepted = http.StatusBadRequest, 0
		}
		if status != wantStatus || a.Accepted+a.Duplicates != accepted || len(a.Rejected) != 1 || a.Rejected[0].Code != string(b.Code()) {
			t.Errorf("%s: HTTP %d, %+v", b.Name, status, a)
		}
		want[string(compact(b.Body))] = string(b.Code())
	}
	for body, code := range s.deadLetters(t, "not-a-secret") {
		if want[body] != code {
			t.Errorf("dead letter with %s: %.200s", code, body)
		}
		delete(want, body)
	}
	for body, code := range want {
		t.Errorf("no dead letter with %s: %.200s", code, body)
	}
}

func oneLine(t *testing.T, b []byte) json.RawMessage {
	if !json.Valid(b) {
		t.Fatalf("a good sample that is no JSON: %s", b)
	}
	return b
}

// compact is JSON without white space, or what is no JSON without that around it.
func compact(b []byte) []byte {
	b = bytes.TrimSpace(b)
	var v json.RawMessage
	if json.Unmarshal(b, &v) != nil {
		return b
	}
	out, err := json.Marshal(v)
	if err != nil {
		return b
	}
	return out
}

func (s *system) postJSON(t *testing.T, key string, body []byte) (int, answer) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+s.addr.HTTP+"/v1/events", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var a answer
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, a
}

// deadLetters reads all dead letters with kafka-go: body → code.
func (s *system) deadLetters(t *testing.T, pepper string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const topic = "throughline.dead.v1"
	out := map[string]string{}
	conn, err := kafkago.DialContext(ctx, "tcp", s.addr.Brokers[0])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	partitions, err := conn.ReadPartitions(topic)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range partitions {
		leader, err := kafkago.DialLeader(ctx, "tcp", s.addr.Brokers[0], topic, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		end, err := leader.ReadLastOffset()
		if err != nil {
			t.Fatal(err)
		}
		_ = leader.Close() // it was asked for its end alone
		if err := reader.ReadCommitted(ctx, s.addr.Brokers[0], topic, p.ID, 0, end, func(r reader.Record) error {
			l, err := deadletter.Decode(r.Value)
			if err != nil {
				return err
			}
			if l.Message == "" || l.Body != "" {
				t.Errorf("dead letter %+v: it needs a message, and its body sealed", l)
			}
			body, err := l.Open([]byte(pepper))
			out[string(compact(body))] = l.Code
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
