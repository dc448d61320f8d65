package puller

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/throughline-io/throughline/pipelines/sources"
)

func TestNextTime(t *testing.T) {
	began := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)
	const every = 6 * time.Hour
	for _, row := range []struct {
		name string
		pull Pull
		want time.Time
	}{
		{"never run", Pull{}, time.Time{}},
		{"done", Pull{Began: began, Ended: began.Add(time.Hour)}, began.Add(every)},
		{"interrupted", Pull{Began: began, Run: &Run{Began: began.Add(every)}}, time.Time{}},
		{"failed once", Pull{Began: began, Failures: 1, Tried: began, Run: &Run{}}, began.Add(time.Minute)},
		{"failed three times", Pull{Failures: 3, Tried: began}, began.Add(4 * time.Minute)},
		{"failed often", Pull{Failures: 1000, Tried: began}, began.Add(time.Hour)},
		{"failed, and the vendor wants to be left alone", Pull{Failures: 1, Tried: began, NotBefore: began.Add(3 * time.Hour)}, began.Add(3 * time.Hour)},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := nextTime(&row.pull, every); !got.Equal(row.want) {
				t.Errorf("%s, want %s", got, row.want)
			}
		})
	}
	if got := nextTime(&Pull{Failures: 9, Tried: began}, 5*time.Minute); !got.Equal(began.Add(5 * time.Minute)) {
		t.Errorf("a pull that is due more often than the longest pause: %s", got)
	}
}

func TestWindow(t *testing.T) {
	warsaw, err := time.LoadLocation("Europe/Warsaw")
	if err != nil {
		t.Fatal(err)
	}
	late := time.Date(2026, 11, 24, 23, 30, 0, 0, time.UTC) // the 25th in Warsaw
	for _, row := range []struct {
		name           string
		window         sources.Window
		through, since string
		want           string
	}{
		{"seven days without today", sources.Window{Days: 7, Chunk: 7}, "", "", "2026-11-19..2026-11-24"},
		{"seven days with today", sources.Window{Days: 7, Chunk: 7, Today: true}, "", "", "2026-11-19..2026-11-25"},
		{"yesterday at least", sources.Window{Days: 1, Chunk: 1}, "", "", "2026-11-24..2026-11-24"},
		{"in parts", sources.Window{Days: 7, Chunk: 3}, "", "", "2026-11-19..2026-11-21 2026-11-22..2026-11-24"},
		{"pulled yesterday", sources.Window{Days: 3, Chunk: 9}, "2026-11-23", "", "2026-11-23..2026-11-24"},
		{"not pulled for long", sources.Window{Days: 3, Chunk: 9}, "2026-11-15", "", "2026-11-16..2026-11-24"},
		{"not pulled for years", sources.Window{Days: 3, Chunk: 1000}, "2020-01-01", "", "2025-10-20..2026-11-24"},
		{"asked for by hand", sources.Window{Days: 3, Chunk: 1000}, "2026-11-24", "2026-10-01", "2026-10-01..2026-11-24"},
		{"asked for less than is due", sources.Window{Days: 3, Chunk: 1000}, "2026-11-15", "2026-11-24", "2026-11-16..2026-11-24"},
	} {
		t.Run(row.name, func(t *testing.T) {
			last := lastDay(&row.window, late, warsaw)
			var got []string
			for _, c := range chunks(firstDay(&row.window, last, row.through, row.since), last, row.window.Chunk) {
				got = append(got, fmt.Sprintf("%s..%s", c.value()["from"], c.value()["to"]))
			}
			if strings.Join(got, " ") != row.want {
				t.Errorf("%v, want %s", got, row.want)
			}
		})
	}
}
