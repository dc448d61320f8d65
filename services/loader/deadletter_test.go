package loader

import (
	"testing"

	"github.com/throughline-io/throughline/pipelines"
	"github.com/throughline-io/throughline/schemas/deadletter"
)

// What cannot be read holds nothing up and is not lost: it goes through the dead letters into their table.
func TestWhatCannotBeReadBecomesADeadLetter(t *testing.T) {
	w := newWorld(t, "dead-letters")
	refused := deadletter.Letter{
		Workspace: w.name, Key: "site", Code: "bad_url", Field: "visit.url", Message: "is no URL", ReceivedAt: "2026-11-01T12:00:00.123Z", Index: 3, Body: `{"id":"x"}`,
	}
	value, err := refused.Encode()
	if err != nil {
		t.Fatal(err)
	}
	w.produce(t, 20)
	w.write(t, pipelines.TopicEvents, []byte{0xff, 0xff, 0xff})
	w.write(t, pipelines.TopicFacts, []byte{0xff, 0xff, 0xff})
	w.write(t, pipelines.TopicDead, value)
	w.write(t, pipelines.TopicDead, []byte("not even a letter"))
	w.produce(t, 20)
	w.drain(t)
	w.check(t)
	for _, tc := range []struct{ name, query, want string }{
		{"of a sender", "SELECT received_at, key, code, field, message, item, body FROM throughline.dead_letters WHERE workspace = 'dead-letters'",
			"2026-11-01 12:00:00.123	site	bad_url	visit.url	is no URL	3	{\"id\":\"x\"}"},
		{"of the loader", "SELECT code, record_topic, hex(record) FROM throughline.dead_letters WHERE record_topic LIKE 'dead-letters.%' ORDER BY record_topic",
			"undecodable	dead-letters.throughline.events.v1	FFFFFF\nundecodable	dead-letters.throughline.facts.v1	FFFFFF"},
		{"of nobody", "SELECT code, record FROM throughline.dead_letters WHERE code = 'unreadable'", "unreadable	not even a letter"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := ask(t, tc.query); got != tc.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, tc.want)
			}
		})
	}
}
