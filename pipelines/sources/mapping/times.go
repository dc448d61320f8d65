package mapping

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a mapping must not depend on what zones a machine happens to have
)

// moment is a time as events have it: in UTC, to the millisecond.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// unix is a time since 1970; a unit has so many microseconds. Blank is null.
func unix(in any, unit int64) (any, error) {
	s, err := str(in)
	if err != nil || s == "" {
		return nil, err
	}
	n, ok := new(big.Rat).SetString(s)
	if !ok || len(s) > 40 || strings.ContainsAny(s, "/eE") {
		return nil, fmt.Errorf("%.40q is no number", s)
	}
	n.Mul(n, new(big.Rat).SetInt64(unit))
	micros := new(big.Int).Quo(n.Num(), n.Denom())
	if !micros.IsInt64() || micros.Int64() < 0 || micros.Int64() > latest {
		return nil, fmt.Errorf("%.40q is no time between 1970 and 2100", s)
	}
	return moment(time.UnixMicro(micros.Int64())), nil
}

// timeMS is a time with an offset as milliseconds since 1970: what unix_ms reads, so that times can be moved and compared. Blank is null.
func timeMS(in any) (any, error) {
	s, err := str(in)
	if err != nil || s == "" {
		return nil, err
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return nil, fmt.Errorf("%.40q is no time with an offset, such as 2026-11-01T10:00:00Z", s)
	}
	return int(t.UnixMilli()), nil
}

// latest is the year 2100, in microseconds.
const latest = 4_102_444_800_000_000

// Layouts that local_time knows without being told.
var layouts = []string{
	"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04", "02.01.2006 15:04:05", "02.01.2006 15:04", "2006-01-02", "02.01.2006",
}

// localTime reads a time without a zone: local_time(zone), local_time(zone; layout). A time that has an offset keeps it. Blank is null.
// Of an hour that comes twice it is the first, of one that is left out the same moment by the clock before.
func localTime(in any, args []any) (any, error) {
	s, err := str(in)
	if err != nil || s == "" {
		return nil, err
	}
	zone, err := zoneOf(args[0])
	if err != nil {
		return nil, err
	}
	if len(args) == 2 {
		layout, err := layoutOf(args[1])
		if err != nil {
			return nil, err
		}
		t, err := time.ParseInLocation(layout, s, zone)
		if err != nil {
			return nil, fmt.Errorf("%.40q is no time of the form %v", s, args[1])
		}
		return moment(t), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return moment(t), nil
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return moment(t), nil
		}
	}
	return nil, fmt.Errorf("%.40q is no time such as 2026-11-01 10:00:00", s)
}

var zones sync.Map

func zoneOf(v any) (*time.Location, error) {
	name, err := str(v)
	if err != nil {
		return nil, err
	}
	if known, ok := zones.Load(name); ok {
		if l, ok := known.(*time.Location); ok {
			return l, nil
		}
	}
	if name == "" || name == "Local" {
		return nil, errors.New("no zone was given")
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("the zone %.60q is unknown", name)
	}
	zones.Store(name, l) // there are six hundred
	return l, nil
}

// layoutTokens are the parts of a layout, as everybody but Go writes them.
var layoutTokens = strings.NewReplacer(
	"YYYY", "2006", "MMM", "Jan", "MM", "01", "M", "1", "DD", "02", "D", "2", "HH", "15", "hh", "03", "mm", "04", "ss", "05", "SSS", "000", "YY", "06", "A", "PM", "Z", "-0700",
)

func layoutOf(v any) (string, error) {
	s, ok := v.(string)
	if !ok || s == "" {
		return "", errors.New("a layout such as DD.MM.YYYY HH:mm is needed")
	}
	return layoutTokens.Replace(s), nil
}

// date reads a day by a layout: date("DD.MM.YYYY") of 01.09.2026 is 2026-09-01.
func date(in any, args []any) (any, error) {
	s, err := str(in)
	if err != nil || s == "" {
		return nil, err
	}
	layout, err := layoutOf(args[0])
	if err != nil {
		return nil, err
	}
	t, err := time.Parse(layout, s)
	if err != nil {
		return nil, fmt.Errorf("%.40q is no day of the form %v", s, args[0])
	}
	return t.Format(time.DateOnly), nil
}

// serial is a workbook's date: days since the end of 1899, its leap day of 1900 included.
func serial(in any) (time.Time, bool, error) {
	s, err := str(in)
	if err != nil || s == "" {
		return time.Time{}, false, err
	}
	days, err := strconv.ParseFloat(s, 64)
	if err != nil || days < 1 || days > 73_051 { // 2100
		return time.Time{}, false, fmt.Errorf("%.40q is no date of a workbook", s)
	}
	ms := int64(math.Round(days * 86_400_000))
	return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).Add(time.Duration(ms) * time.Millisecond), true, nil
}

func excelDate(in any, _ []any) (any, error) {
	if s, ok := in.(string); ok {
		if _, err := time.Parse(time.DateOnly, strings.TrimSpace(s)); err == nil {
			return strings.TrimSpace(s), nil
		}
	}
	t, ok, err := serial(in)
	if !ok {
		return nil, err
	}
	return t.Format(time.DateOnly), nil
}

func excelTime(in any, args []any) (any, error) {
	zone, err := zoneOf(args[0])
	if err != nil {
		return nil, err
	}
	t, ok, err := serial(in)
	if !ok {
		return nil, err
	}
	return moment(time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)), nil
}
