package samples

import (
	"testing"

	"github.com/throughline-io/throughline/schemas/event"
)

func BenchmarkParse(b *testing.B) {
	all, err := Good()
	if err != nil {
		b.Fatal(err)
	}
	r := rules()
	for _, s := range all {
		b.Run(s.Name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(s.Body)))
			for b.Loop() {
				if _, _, bad := event.Parse(s.Body, r, now, event.Options{}); bad != nil {
					b.Fatal(bad)
				}
			}
		})
	}
}
