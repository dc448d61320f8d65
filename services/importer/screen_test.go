package importer

import (
	"testing"
	"time"
)

func TestLine(t *testing.T) {
	for _, row := range []struct {
		name  string
		state State
		rate  float64
		waits string
		want  string
	}{
		{"one file", State{File: "a.csv", Files: 1, Read: 50, Size: 200, Items: 1234567, Rejected: 12}, 20123.7, "", "a.csv: 25 % 1,234,567 items, 12 rejected, 20,123 a second"},
		{"several", State{File: "a.csv", Index: 1, Files: 3, Read: 300, Size: 200}, 0, "", "[2/3] a.csv: 100 % 0 items, 0 rejected, 0 a second"},
		{"a pipe that waits", State{File: "-", Files: 1}, 0, "the stitcher is 20001 records behind", "-: 0 items, 0 rejected, 0 a second; waiting: the stitcher is 20001 records behind"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := row.state.line(row.rate, row.waits); got != row.want {
				t.Errorf("%q, want %q", got, row.want)
			}
		})
	}
}

// TestRate is over the last seconds, and not over all of a long import.
func TestRate(t *testing.T) {
	m, at, n := &meter{}, time.Unix(0, 0), int64(0)
	var got float64
	for i := range 100 {
		if got = m.add(at, n); i == 50 && got != 1000 {
			t.Errorf("%v a second, want 1000", got)
		}
		at = at.Add(time.Second)
		if n += 1000; i >= 50 {
			n += 1000
		}
	}
	if got != 2000 || len(m.at) > 8 {
		t.Errorf("%v a second by %d marks, want 2000", got, len(m.at))
	}
}
