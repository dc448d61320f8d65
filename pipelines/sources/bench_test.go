package sources

import (
	"bytes"
	"syscall"
	"testing"

	"github.com/throughline-io/throughline/pipelines/sources/items"
)

// BenchmarkMap measures what a webhook costs before Kafka: check, read and map, by the largest sample of each source.
func BenchmarkMap(b *testing.B) {
	for _, s := range Shipped() {
		list, err := s.Samples()
		if err != nil {
			b.Fatal(err)
		}
		var largest *Sample
		for _, p := range list {
			_, e, err := p.Sent(s)
			if err != nil {
				b.Fatal(err)
			}
			if e.Kind == Webhook && e.Fetch == nil && p.Refused == "" && p.events != nil && (largest == nil || len(p.body) > len(largest.body)) {
				largest = p
			}
		}
		if largest == nil {
			continue
		}
		b.Run(s.Name, func(b *testing.B) {
			r, e, err := largest.Sent(s)
			if err != nil {
				b.Fatal(err)
			}
			i, err := largest.instance(s)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			before := cpu()
			defer func() { b.ReportMetric((cpu()-before)*1e6/float64(b.N), "cpu_us/op") }() // whatever else the machine does
			for b.Loop() {
				if reason := i.Guard(e).Verify(r); reason != "" {
					b.Fatal(reason)
				}
				v := i.Variables(e, r.Received)
				v.Request = i.Request(e, r)
				for item, err := range e.Read.Read(items.Input{Body: bytes.NewReader(r.Body), File: "body", Query: r.Query, Limits: items.Hook, ContentType: r.Header.Get("Content-Type")}) {
					if err != nil {
						b.Fatal(err)
					}
					if _, err := i.Map(b.Context(), e, item, v); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}

// cpu is the seconds of processor that this process has taken.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
