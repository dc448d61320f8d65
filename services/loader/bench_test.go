package loader

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/throughline-io/throughline/schemas/fact"
)

// One batch of postings, from their bytes to the tables and aggregates of a real ClickHouse.
func BenchmarkBatch(b *testing.B) {
	const postings = 8000
	values := make([][]byte, postings)
	for i := range values {
		values[i] = posting("bench", i).Append(nil)
	}
	l := New(DefaultConfig(), writer(b), prometheus.NewRegistry(), zap.NewNop())
	rows, run := 0, 0
	for b.Loop() {
		batch := newBatch()
		for _, v := range values {
			p, err := fact.Decode(v)
			if err != nil {
				b.Fatal(err)
			}
			batch.addPosting(&p)
		}
		run++
		tables := batch.tables()
		for _, t := range tables {
			rows += t.rows()
		}
		if err := l.insertAll(b.Context(), fmt.Sprintf("bench %d", run), tables); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
}
