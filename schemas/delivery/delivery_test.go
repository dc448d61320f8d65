package delivery

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestFetch(t *testing.T) {
	item := json.RawMessage(`{"id":9007199254740993,"phone":"+48501222333","note":"a < b & c"}`)
	for _, readable := range []bool{false, true} {
		f := &Fetch{Workspace: "shop", Source: Source{Source: "bitrix24", Instance: "crm", Entry: "deals", Version: "abc"}, ReceivedAt: "2026-11-01T10:00:00Z"}
		if err := f.Keep([]byte("pepper"), &Parcel{Item: item}, readable); err != nil {
			t.Fatal(err)
		}
		b, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("48501222333")) != readable {
			t.Errorf("readable %t: %s", readable, b)
		}
		got, err := DecodeFetch(b)
		if err != nil {
			t.Fatal(err)
		}
		if got.Key() != "shop/crm" || got.Source.Source != "bitrix24" || got.Version != "abc" {
			t.Errorf("%+v", got)
		}
		p, err := got.Open([]byte("pepper"))
		if err != nil {
			t.Fatal(err)
		}
		v, err := Value(p.Item)
		if err != nil {
			t.Fatal(err)
		}
		if o, ok := v.(map[string]any); !ok || o["id"] != json.Number("9007199254740993") {
			t.Errorf("%v", v)
		}
		if _, err := got.Open([]byte("salt")); (err == nil) != readable {
			t.Errorf("another pepper: %v", err)
		}
	}
}

func TestNothingInside(t *testing.T) {
	if _, err := (&Fetch{}).Open(nil); err == nil {
		t.Error("a fetch without a parcel was opened")
	}
	if _, err := DecodeFetch([]byte("{")); err == nil {
		t.Error("half a record was read")
	}
	if v, err := Value(nil); v != nil || err != nil {
		t.Errorf("%v, %v", v, err)
	}
}
