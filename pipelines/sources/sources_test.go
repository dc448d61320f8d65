package sources

import "testing"

// TestShipped sends every shipped source its samples.
func TestShipped(t *testing.T) {
	list := Shipped()
	if len(list) < 2 {
		t.Fatalf("%d sources were found", len(list))
	}
	for _, s := range list {
		t.Run(s.Name, func(t *testing.T) {
			r := s.Test(t.Context())
			for _, f := range r.Failures {
				t.Error(f)
			}
			if r.Samples == 0 || r.Events == 0 {
				t.Errorf("%d samples became %d events", r.Samples, r.Events)
			}
		})
	}
}
