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
			want.key = want.Key()
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
			if got := w.Of([]byte(word)); got != word {
				t.Fatal(got)
			}
		}
		if len(w.known) > mostWords {
			t.Fatalf("%d words are kept", len(w.known))
		}
	}
	long := make([]byte, longestWord+1)
	if w.Of(long) != string(long) || w.known[string(long)] != "" {
		t.Fatal("a long word is kept")
	}
}

// What is kept is what the Decoder reads, and stays as it is when the next is read; key and id are one string.
func TestKeepStays(t *testing.T) {
	var d Decoder
	kept, all := []*Event{}, full()
	for i := range all {
		e, err := d.Keep(all[i].Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, e)
	}
	for i, e := range kept {
		want, err := d.Decode(all[i].Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if want.Call != nil {
			want.Call.Recording = ""
		}
		if want.Form != nil {
			want.Form = &FormData{}
		}
		if !reflect.DeepEqual(e, want) || !reflect.DeepEqual(e, all[i].Keep()) {
			t.Fatalf("%v: kept %+v\nwant %+v\nof the event itself %+v", e.Type, e, want, all[i].Keep())
		}
		if e.Key() != e.Source+"/"+e.ID {
			t.Fatalf("key %q of %q and %q", e.Key(), e.Source, e.ID)
		}
	}
}
