package event

import (
	"encoding/hex"
	"testing"
)

// A value that is said to be none is none: both are printed "(none)", and a restatement may come in either form.
func TestSpendKeyOfNone(t *testing.T) {
	key := func(u UTM) NodeID {
		return SpendKey(&Event{Workspace: "w", Source: "ads", Type: Spend, Spend: &SpendData{Date: "2026-11-01", UTM: u.Normal()}})
	}
	if key(UTM{Medium: " (NONE)"}) != key(UTM{}) || key(UTM{Source: "s", Term: "(none)"}) != key(UTM{Source: "s"}) {
		t.Error("a value given as (none) makes another key than one left out")
	}
	if key(UTM{Medium: "none"}) == key(UTM{}) {
		t.Error("a medium named none is taken for one left out")
	}
}

// TestSpendKey checks that each part of the key counts, alone and in its place, and nothing else.
func TestSpendKey(t *testing.T) {
	spend := func(change func(*Event)) *Event {
		e := &Event{
			Workspace: "w", Source: "ads", ID: "1", Type: Spend,
			Spend: &SpendData{Date: "2026-11-01", Account: "a", UTM: UTM{"s", "m", "c", "o", "t"}, Amount: "1"},
		}
		change(e)
		return e
	}
	same := func(*Event) {}
	id := SpendKey(spend(same))
	// It travels as a record's key and decides its partition: another value would make every report of the past a stranger.
	if got := hex.EncodeToString(id[:]); got != "0f37180b03d9267ea6a9267fb321785e" {
		t.Errorf("the key is %s", got)
	}
	seen := map[NodeID]string{}
	for _, row := range []struct {
		name   string
		change func(*Event)
		other  bool
	}{
		{"as it is", same, false},
		{"id, amount and clicks", func(e *Event) { e.ID, e.Spend.Amount, e.Spend.Clicks = "2", "2", 2 }, false},
		{"workspace", func(e *Event) { e.Workspace = "x" }, true},
		{"source", func(e *Event) { e.Source = "x" }, true},
		{"account", func(e *Event) { e.Spend.Account = "x" }, true},
		{"date", func(e *Event) { e.Spend.Date = "2026-11-02" }, true},
		{"utm source", func(e *Event) { e.Spend.UTM.Source = "x" }, true},
		{"utm medium", func(e *Event) { e.Spend.UTM.Medium = "x" }, true},
		{"utm campaign", func(e *Event) { e.Spend.UTM.Campaign = "x" }, true},
		{"utm content", func(e *Event) { e.Spend.UTM.Content = "x" }, true},
		{"utm term", func(e *Event) { e.Spend.UTM.Term = "x" }, true},
		{"two that change places", func(e *Event) { e.Spend.UTM.Source, e.Spend.UTM.Medium = "m", "s" }, true},
		{"a zero byte at the end of one", func(e *Event) { e.Spend.UTM.Source = "s\x00" }, true},
		{"a zero byte at the start of the next", func(e *Event) { e.Spend.UTM.Medium = "\x00m" }, true},
		{"a letter that moves to the next", func(e *Event) { e.Spend.UTM.Source, e.Spend.UTM.Medium = "", "sm" }, true},
	} {
		got := SpendKey(spend(row.change))
		if (got != id) != row.other {
			t.Errorf("%s: another key: %t", row.name, got != id)
		}
		if before, ok := seen[got]; ok && row.other {
			t.Errorf("%s has the key of %s", row.name, before)
		}
		seen[got] = row.name
	}
}
