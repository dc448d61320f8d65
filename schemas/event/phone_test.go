package event

import (
	"fmt"
	"testing"
)

func TestReadNumberRemembersTheRegion(t *testing.T) {
	for range 2 { // asked, then remembered
		for _, row := range []struct{ text, region, want string }{
			{"501 000 001", "PL", "+48501000001"}, {"501 000 001", "DE", "+49501000001"}, {"12", "PL", ""}, {"call me", "PL", ""},
		} {
			if got, ok := Phone(row.text, row.region); got != row.want || ok != (row.want != "") {
				t.Errorf("%q in %s: got %q, want %q", row.text, row.region, got, row.want)
			}
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := memory[string, int]{size: 100}
	for i := range 1000 {
		m.put(fmt.Sprint(i), i)
		if v, ok := m.get("0"); !ok || v != 0 {
			t.Fatalf("what is asked for all the time was forgotten at %d", i)
		}
		if n := len(m.young) + len(m.old); n > 2*m.size {
			t.Fatalf("%d are remembered", n)
		}
	}
	for i := 950; i < 1000; i++ {
		if v, ok := m.get(fmt.Sprint(i)); !ok || v != i {
			t.Fatalf("%d was forgotten", i)
		}
	}
	if _, ok := m.get("500"); ok {
		t.Fatal("500 should be forgotten")
	}
}
