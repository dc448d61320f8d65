package importer

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Report tells people what became of the files, and whether all of it is good.
func Report(w io.Writer, files []File, dry bool) (good bool) {
	good = true
	all := newTally()
	for i := range files {
		f := &files[i]
		f.print(w)
		good = good && f.Rejected == 0 && f.Err == nil
		if f.Events != nil {
			all.Add(f.Tally)
		}
	}
	if len(files) > 1 {
		fmt.Fprintf(w, "all %d files: %s\n", len(files), all.text())
	}
	switch {
	case dry:
		fmt.Fprintln(w, "dry run: nothing was sent")
	case all.Rejected > 0:
		fmt.Fprintln(w, "what was rejected lies in the dead letters, with its reason")
	}
	return good
}

func (f *File) print(w io.Writer) {
	switch {
	case f.Before:
		fmt.Fprintf(w, "%s: imported before, on %s: nothing to do (--again does it again)\n", f.Name, f.At.Format(time.DateTime+" MST"))
	case f.From > 0:
		fmt.Fprintf(w, "%s: went on behind item %d of an earlier run\n", f.Name, f.From)
	}
	if f.Events != nil {
		fmt.Fprintf(w, "%s: %s\n", f.Name, f.text())
	}
	for _, code := range slices.Sorted(maps.Keys(f.Faults)) {
		fmt.Fprintf(w, "  %s: %s\n", code, number(f.Faults[code]))
		for _, s := range f.Samples {
			if s.Code == code {
				fmt.Fprintf(w, "    %s: %s\n", s.Place, s.Message)
			}
		}
	}
	if f.Err != nil {
		fmt.Fprintf(w, "%s: not read to its end: %v\n", f.Name, f.Err)
	}
}

// text is the counts in one line.
func (t *Tally) text() string {
	s := fmt.Sprintf("%s items, %s good, %s rejected", number(t.Items), number(t.Items-t.Rejected), number(t.Rejected))
	if t.Nothing > 0 {
		s += fmt.Sprintf(", %s mean nothing", number(t.Nothing))
	}
	var events []string
	for _, kind := range slices.Sorted(maps.Keys(t.Events)) {
		events = append(events, kind+" "+number(t.Events[kind]))
	}
	if len(events) > 0 {
		s += "; events: " + strings.Join(events, ", ")
	}
	return s
}

// number has its thousands apart.
func number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
