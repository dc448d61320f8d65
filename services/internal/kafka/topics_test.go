package kafka

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/services/internal/embedded"
)

func TestMain(m *testing.M) {
	embedded.Main()
	os.Exit(m.Run())
}

// TestKafka asks a real broker: topics are made once, a difference is named, and what was aborted is not read.
func TestKafka(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	broker, err := embedded.StartKafka(ctx, embedded.Config{Data: t.TempDir(), Engines: embedded.EnginesDir(), Kafka: "127.0.0.1:0"}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Stop()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()), kgo.TransactionalID("t"), kgo.DefaultProduceTopic("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	spec := TopicSpec{Name: "t", Partitions: 1, Replication: -1, Configs: map[string]string{CleanupPolicy: "delete", Retention: "3600000"}}
	for range 2 {
		if err := EnsureTopics(ctx, client, []TopicSpec{spec}); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("a difference is named", func(t *testing.T) {
		other := TopicSpec{Name: "t", Partitions: 2, Replication: -1, Configs: map[string]string{CleanupPolicy: "compact", Retention: "3600000"}}
		err := EnsureTopics(ctx, client, []TopicSpec{other})
		var difference *TopicError
		if !errors.As(err, &difference) {
			t.Fatalf("no difference: %v", err)
		}
		for _, part := range []string{"topic t", "partitions is 1 and must be 2", "cleanup.policy is delete and must be compact"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
	})

	t.Run("what was aborted is not read", func(t *testing.T) {
		for _, tx := range []struct {
			value string
			end   kgo.TransactionEndTry
		}{{"a", kgo.TryCommit}, {"b", kgo.TryAbort}, {"c", kgo.TryCommit}} {
			if err := client.BeginTransaction(); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if err := client.ProduceSync(ctx, kgo.StringRecord(tx.value)).FirstErr(); err != nil {
					t.Fatal(err)
				}
			}
			if err := client.EndTransaction(ctx, tx.end); err != nil {
				t.Fatal(err)
			}
		}
		var got string
		// Each transaction has three records and a marker.
		if err := ReadCommitted(ctx, broker.Addr(), "t", 0, 0, 12, func(r Record) error {
			got += string(r.Value)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if got != "aaaccc" {
			t.Errorf("read %q", got)
		}
		lag, err := Lag(ctx, client, "nobody", "t")
		for ctx.Err() == nil && errors.Is(err, kerr.CoordinatorNotAvailable) { // a new broker makes the topic of groups when first asked
			lag, err = Lag(ctx, client, "nobody", "t")
		}
		if err != nil || lag != 12 {
			t.Errorf("a group that took nothing lags by %d, %v", lag, err)
		}
	})
}
