package event

import (
	"fmt"
	"reflect"
	"testing"
)

// A Decoder reads all that Decode reads but what it says that it passes over, whatever it read before.
func TestDecoderReadsWhatFactsNeed(t *testing.T) {
	var d Decoder
	all := full()
	for range 2 {
		for _, e := range all {
			want, err := Decode(e.Append(nil))
			if err != nil {
				t.Fatal(err)
			}
			want.Raw, want.Received = nil, 0
			if want.Visit != nil {
				want.Visit = &VisitData{Origin: want.Visit.Origin, Bot: want.Visit.Bot}
			}
			got, err := d.Decode(e.Append(nil))
			if err != nil || !reflect.DeepEqual(*got, want) {
				t.Fatalf("%v: got  %+v %v\nwant %+v", e.Type, got, err, want)
			}
		}
	}
	if _, err := d.Decode([]byte("no event")); err == nil {
		t.Fatal("what is no event is read")
	}
	e := all[0]
	e.Nodes = e.Nodes[:1]
	if got, err := d.Decode(e.Append(nil)); err != nil || len(got.Nodes) != 1 {
		t.Fatalf("after a fault: %+v %v", got, err)
	}
}

func TestWordsAreBounded(t *testing.T) {
	var w Words
	for i := range 3 * mostWords {
		word := fmt.Sprint("campaign ", i)
		for range 2 { // new, and known
			if got := w.of([]byte(word)); got != word {
				t.Fatal(got)
			}
		}
		if len(w.known) > mostWords {
			t.Fatalf("%d words are kept", len(w.known))
		}
	}
	long := make([]byte, longestWord+1)
	if w.of(long) != string(long) || w.known[string(long)] != "" {
		t.Fatal("a long word is kept")
	}
}

// One string serves for the key and the id, and it is the same key whichever way it came.
func TestKeepKey(t *testing.T) {
	for _, given := range []string{"", "crm/7", "crm/8", "other/7", "crm", "crm/"} {
		e := &Event{Source: "crm", ID: "7"}
		if e.KeepKey(given); e.Key() != "crm/7" || e.ID != "7" {
			t.Fatalf("given %q: %q, %q", given, e.Key(), e.ID)
		}
	}
}
