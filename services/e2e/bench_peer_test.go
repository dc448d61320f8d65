package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/services/internal/kafka"
)

// The loader's peers read from the same broker into the same ClickHouse, in the same run:
//
//   - what a program of the fewest lines does: rows as JSON, from a topic straight into INSERT … FORMAT JSONEachRow;
//   - ClickHouse's own Kafka engine, with one consumer and with two: the same rows from the same topic into a table like the ledger's, read by
//     the engine (JSONEachRow) and by its view (RawBLOB). RawBLOB_unread takes each record as it is into one column: nothing is read of it, and
//     no report could be made from it. It is the ceiling of what the engine carries.
//
// None of them has views behind its table, and none is exactly once: each of them doubles rows after a crash.

// peerRows is how many of the ledger's rows the JSON topic holds.
const peerRows = 800_000

// rowsAsJSON writes rows of the ledger to a topic, one a record, and returns how many.
func (x *bench) rowsAsJSON(b *testing.B, db clickhouse.Conn, topic string) (n uint64) {
	ctx := context.Background()
	client, err := kgo.NewClient(append(x.engines.Connect(), kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))...)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	if err := kafka.EnsureTopics(ctx, client, []kafka.TopicSpec{{Name: topic, Partitions: benchPartitions, Replication: -1}}); err != nil {
		b.Fatal(err)
	}
	rows, err := db.Query(ctx, fmt.Sprintf("SELECT formatRow('JSONEachRow', *) FROM throughline.credits LIMIT %d", peerRows))
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		var row string
		if err := rows.Scan(&row); err != nil {
			b.Fatal(err)
		}
		client.Produce(ctx, &kgo.Record{Value: []byte(strings.TrimSpace(row))}, func(_ *kgo.Record, err error) {
			if err != nil {
				b.Error(err)
			}
		})
	}
	if err := client.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	return n
}

// bareJSON is the program of the fewest lines: it returns rows a second.
func (x *bench) bareJSON(b *testing.B, db clickhouse.Conn, topic string, n uint64) float64 {
	ctx := context.Background()
	x.copyOfCredits(b, db, "peer_bare")
	client, err := kgo.NewClient(append(x.engines.Connect(), kgo.ConsumerGroup(topic+".bare"), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())...)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	at := "http://" + x.engines.ClickHouseHTTP + "/?" + url.Values{
		"user": {x.engines.Admin}, "password": {x.engines.AdminPassword}, "query": {"INSERT INTO throughline.peer_bare FORMAT JSONEachRow"},
	}.Encode()
	began := time.Now()
	for done := uint64(0); done < n; {
		var body strings.Builder
		client.PollRecords(ctx, 50_000).EachRecord(func(r *kgo.Record) {
			body.Write(r.Value)
			body.WriteByte('\n')
			done++
		})
		res, err := http.Post(at, "application/x-ndjson", strings.NewReader(body.String()))
		if err != nil {
			b.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			b.Fatalf("HTTP %d: %s", res.StatusCode, text)
		}
		if err := client.CommitUncommittedOffsets(ctx); err != nil {
			b.Fatal(err)
		}
	}
	return float64(n) / time.Since(began).Seconds()
}

// copyOfCredits makes a table like the ledger's, without views behind it.
func (x *bench) copyOfCredits(b *testing.B, db clickhouse.Conn, name string) {
	if err := db.Exec(context.Background(), "CREATE TABLE throughline."+name+" AS throughline.credits"); err != nil {
		b.Fatal(err)
	}
}

// engine lets ClickHouse read a topic itself and returns rows a second, from the moment when its consumers have partitions until nine tenths
// of n rows are there: the last block, which is not full, waits for a time-out.
func (x *bench) engine(b *testing.B, db clickhouse.Conn, format string, consumers int, n uint64, topic string) float64 {
	ctx := context.Background()
	exec := func(q string) {
		if err := db.Exec(ctx, q); err != nil {
			b.Fatalf("%s: %v", q, err)
		}
	}
	name := fmt.Sprintf("peer_%s_%d", format, consumers)
	format, unread := strings.CutSuffix(format, "_unread")
	columns, with, values := "record String", "", "*"
	if unread {
		exec("CREATE TABLE throughline." + name + " (record String) ENGINE = MergeTree ORDER BY tuple()")
	} else {
		x.copyOfCredits(b, db, name)
		var typed, picked string
		if err := db.QueryRow(ctx, `SELECT arrayStringConcat(groupArray(name || ' ' || type), ', '), arrayStringConcat(groupArray('read.' || name || ' AS ' || name), ', ')
			FROM (SELECT name, type FROM system.columns
			WHERE database = 'throughline' AND table = 'credits' AND default_kind NOT IN ('MATERIALIZED', 'ALIAS') ORDER BY position)`).Scan(&typed, &picked); err != nil {
			b.Fatal(err)
		}
		if format == "RawBLOB" {
			with, values = "WITH JSONExtract(record, 'Tuple("+strings.ReplaceAll(typed, "'", "\\'")+")') AS read ", picked
		} else {
			columns = typed
		}
	}
	exec(fmt.Sprintf(`CREATE TABLE throughline.%s_queue (%s) ENGINE = Kafka SETTINGS kafka_broker_list = '%s', kafka_topic_list = '%s',
		kafka_group_name = '%s', kafka_format = '%s', kafka_num_consumers = %d, kafka_thread_per_consumer = %d, kafka_max_block_size = 65536`,
		name, columns, strings.Join(x.engines.Brokers, ","), topic, name, format, consumers, consumers-1))
	exec(fmt.Sprintf("CREATE MATERIALIZED VIEW throughline.%s_view TO throughline.%s AS %sSELECT %s FROM throughline.%s_queue", name, name, with, values, name))
	defer exec("DROP TABLE throughline." + name + "_view")
	defer exec("DROP TABLE throughline." + name + "_queue")
	end := time.Now().Add(2 * time.Minute)
	until := func(what, query string, least uint64) (got uint64, at time.Time) {
		for ; got < least; <-time.After(10 * time.Millisecond) {
			if err := db.QueryRow(ctx, query).Scan(&got); err != nil {
				b.Fatal(err)
			}
			if at = time.Now(); at.After(end) {
				b.Fatalf("%s: %d %s of %d", name, got, what, least)
			}
		}
		return got, at
	}
	_, began := until("partitions", "SELECT sum(length(assignments.topic)) FROM system.kafka_consumers WHERE table = '"+name+"_queue'", benchPartitions)
	count, done := until("rows", "SELECT count() FROM throughline."+name, n*9/10)
	return float64(count) / done.Sub(began).Seconds()
}

// peers measures the loader's peers; rate is the loader's rows a second.
func (x *bench) peers(b *testing.B, db clickhouse.Conn, rate float64) {
	const topic = "s.credits.json"
	n := x.rowsAsJSON(b, db, topic)
	bare := x.bareJSON(b, db, topic, n)
	b.ReportMetric(bare, "bare_rows/s")
	b.ReportMetric(rate/bare, "of_bare")
	for _, consumers := range []int{1, 2} {
		for _, format := range []string{"RawBLOB_unread", "RawBLOB", "JSONEachRow"} {
			peer := x.engine(b, db, format, consumers, n, topic)
			b.ReportMetric(peer, fmt.Sprintf("engine_%s_%d_rows/s", format, consumers))
			b.ReportMetric(rate/peer, fmt.Sprintf("of_engine_%s_%d", format, consumers))
		}
	}
}
