package deadletter

import "testing"

func TestASealedItemOpensUnderItsPepperAlone(t *testing.T) {
	l := &Letter{Workspace: "w", Code: "bad_field"}
	if err := l.Seal([]byte("pepper"), []byte(`{"phone":"+48501000001"}`)); err != nil {
		t.Fatal(err)
	}
	b, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if item, err := got.Open([]byte("pepper")); err != nil || string(item) != `{"phone":"+48501000001"}` {
		t.Errorf("opened %q, %v", item, err)
	}
	if _, err := got.Open([]byte("other")); err == nil {
		t.Error("another pepper opened it")
	}
	got.Workspace = "x"
	if _, err := got.Open([]byte("pepper")); err == nil {
		t.Error("it opened in another workspace")
	}
}
