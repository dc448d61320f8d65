package embedded

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"

	"github.com/throughline-io/throughline/services/internal/kafka"
)

// A producer that lives on while the broker is killed just after a transaction ended: each transaction is there in whole or not at all,
// as its end was told, though the broker that comes back leaves out markers and calls the transaction complete.
func TestTransactionsEndBeforeTheNext(t *testing.T) {
	ctx := context.Background()
	log := zaptest.NewLogger(t)
	k, err := StartKafka(ctx, testConfig(t), log)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Stop()
	const (
		partitions = 96
		kills      = 4
		between    = 9 // transactions from kill to kill
	)
	p := newTransactions(t, log, k.Addr())
	client, endings := p.client, p.endings
	if _, err := kadm.NewClient(client).CreateTopic(ctx, partitions, 1, nil, "t"); err != nil {
		t.Fatal(err)
	}
	mended := 0
	for i := range kills * between {
		missing, err := endings.Await(ctx, client)
		if err != nil {
			t.Fatal(err)
		}
		if missing {
			mended++
		}
		var to []int32
		for p := range int32(partitions) {
			if i%between == 0 || (i+int(p))%3 > 0 { // what a transaction does not write to, its markers do not reach
				to = append(to, p)
			}
		}
		p.transaction(ctx, t, i, to, func() {})
		if i%between == between/2 {
			if err := syscall.Kill(k.PID(), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := endings.Await(ctx, client); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d kills left markers out", mended, kills)
	for p := range int32(partitions) {
		if err := checkTransactions(ctx, k.Addr(), p, kills*between, func(i int) bool { return i%2 == 0 && (i%between == 0 || (i+int(p))%3 > 0) }); err != nil {
			t.Errorf("partition %d: %v", p, err)
		}
	}
}

// transactions is a producer of numbered transactions.
type transactions struct {
	client  *kgo.Client
	endings *kafka.Endings
}

func newTransactions(t *testing.T, log *zap.Logger, addrs ...string) *transactions {
	t.Helper()
	endings := kafka.NewEndings("producer", []string{"t"}, time.Minute, log)
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.TransactionalID("producer"), kgo.TransactionTimeout(time.Minute), endings.Hook(),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &transactions{client, endings}
}

// transaction writes its number to partitions, and does something before it ends. Even ones are committed and odd ones aborted, so that the
// end of one is wrong for the next.
func (p *transactions) transaction(ctx context.Context, t *testing.T, i int, partitions []int32, during func()) {
	t.Helper()
	if err := p.client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	var records []*kgo.Record
	for _, partition := range partitions {
		records = append(records, &kgo.Record{Topic: "t", Partition: partition, Value: []byte(strconv.Itoa(i))})
	}
	if err := p.client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	p.endings.Ending()
	during()
	if err := p.client.EndTransaction(ctx, kgo.TransactionEndTry(i%2 == 0)); err != nil {
		t.Fatal(err)
	}
}

// checkTransactions reads a partition's committed records to its end and compares.
func checkTransactions(ctx context.Context, addr string, partition int32, n int, want func(int) bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	reader, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"t": {partition: kgo.NewOffset().AtStart()}}))
	if err != nil {
		return err
	}
	defer reader.Close()
	ends, err := kadm.NewClient(reader).ListEndOffsets(ctx, "t")
	if err != nil {
		return err
	}
	end, _ := ends.Lookup("t", partition)
	got := map[string]int{}
	for next := int64(0); next < end.Offset; {
		fetches := reader.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("at %d of %d: %w", next, end.Offset, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			if !r.Attrs.IsControl() {
				got[string(r.Value)]++
			}
		})
	}
	var all []error
	for i := range n {
		if times := got[strconv.Itoa(i)]; times != map[bool]int{true: 1}[want(i)] {
			all = append(all, fmt.Errorf("transaction %d is there %d times", i, times))
		}
	}
	return errors.Join(all...)
}
