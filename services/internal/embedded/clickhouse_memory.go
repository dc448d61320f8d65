package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// An insert with a deduplication token is remembered in a log of the table, and this version of the engine writes the
// record before it puts the rows in their place. Killed in between (a tenth of a millisecond, but of every insert), it
// would remember rows that it does not have, and take their repetition for a duplicate: they would be lost. So before the
// engine starts, each record whose rows are not there is taken back, in the form in which the engine itself takes one
// back when it drops a part.

// Operations of a log's records: operation, part and token, tab-separated, a line each.
const (
	recordAdd  = "1"
	recordDrop = "2"
)

// forgetLostInserts mends the logs of all tables under an engine's directory. The engine must not run.
func forgetLostInserts(dir string) error {
	logs, err := filepath.Glob(filepath.Join(dir, "store", "*", "*", "deduplication_logs"))
	if err != nil {
		return err
	}
	var all error
	for _, l := range logs {
		if err := mendLog(filepath.Dir(l), l); err != nil {
			all = errors.Join(all, fmt.Errorf("deduplication log in %s: %w", l, err))
		}
	}
	return all
}

func mendLog(table, dir string) error {
	files, err := logFiles(dir)
	if err != nil || len(files) == 0 {
		return err
	}
	remembered := map[string]string{} // token → part
	for _, path := range files {
		text, err := wholeLines(path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(text) {
			switch fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); {
			case len(fields) != 3:
				return fmt.Errorf("%s: a record that is not understood: %q", filepath.Base(path), line)
			case fields[0] == recordDrop:
				delete(remembered, fields[2])
			default:
				remembered[fields[2]] = fields[1]
			}
		}
	}
	parts, err := partsIn(table)
	if err != nil {
		return err
	}
	var drops bytes.Buffer
	for token, name := range remembered {
		p, ok := parsePart(name)
		if !ok {
			return fmt.Errorf("a part's name that is not understood: %q", name)
		}
		if !slices.ContainsFunc(parts, p.within) {
			fmt.Fprintf(&drops, "%s\t%s\t%s\n", recordDrop, name, token)
		}
	}
	return appendTo(files[len(files)-1], drops.Bytes())
}

// logFiles are a table's logs, the oldest first: deduplication_log_<n>.txt.
func logFiles(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "deduplication_log_*.txt"))
	number := func(path string) int {
		n, _ := strconv.Atoi(strings.TrimSuffix(path[strings.LastIndexByte(path, '_')+1:], ".txt")) // what is no number comes first
		return n
	}
	slices.SortFunc(files, func(a, b string) int { return number(a) - number(b) })
	return files, err
}

// wholeLines reads a log, and cuts off a last record that was not written to its end: the engine would read no further
// than to it, and add to it.
func wholeLines(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if end := bytes.LastIndexByte(b, '\n') + 1; end < len(b) {
		b = b[:end]
		if err := os.Truncate(path, int64(end)); err != nil {
			return "", err
		}
	}
	return string(b), nil
}

func appendTo(path string, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// part is what a directory's name says of the rows in it: inserts first to last of a partition, merged into one.
type part struct {
	partition   string
	first, last int64
}

// within reports that a part's rows are in another one.
func (p part) within(whole part) bool {
	return p.partition == whole.partition && whole.first <= p.first && p.last <= whole.last
}

func partsIn(table string) ([]part, error) {
	entries, err := os.ReadDir(table)
	if err != nil {
		return nil, err
	}
	var parts []part
	for _, e := range entries {
		if p, ok := parsePart(e.Name()); ok && e.IsDir() {
			parts = append(parts, p)
		}
	}
	return parts, nil
}

// parsePart reads <partition>_<first>_<last>_<level> with an optional _<mutation>. Parts that are being written have more
// words before.
func parsePart(name string) (part, bool) {
	words := strings.Split(name, "_")
	if len(words) != 4 && len(words) != 5 {
		return part{}, false
	}
	first, err1 := strconv.ParseInt(words[1], 10, 64)
	last, err2 := strconv.ParseInt(words[2], 10, 64)
	_, err3 := strconv.ParseInt(words[3], 10, 64)
	return part{words[0], first, last}, errors.Join(err1, err2, err3) == nil
}
