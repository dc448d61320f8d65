package deadletter

import (
	"strings"
	"testing"
)

func TestASealedItemOpensUnderItsPepperAlone(t *testing.T) {
	const item = `{"phone":"+48501000001"}`
	l := &Letter{Workspace: "w", Code: "bad_field"}
	if err := l.Seal([]byte("pepper"), []byte(item)); err != nil {
		t.Fatal(err)
	}
	b, err := l.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "501000001") {
		t.Errorf("the phone can be read in %s", b)
	}
	got, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := got.Open([]byte("pepper")); err != nil || string(kept) != item {
		t.Errorf("opened %q, %v", kept, err)
	}
	if _, err := got.Open([]byte("other")); err == nil {
		t.Error("another pepper opened it")
	}
	got.Workspace = "x"
	if _, err := got.Open([]byte("pepper")); err == nil {
		t.Error("it opened in another workspace")
	}
	got.Workspace, got.Sealed[len(got.Sealed)-1] = "w", got.Sealed[len(got.Sealed)-1]^1
	if _, err := got.Open([]byte("pepper")); err == nil {
		t.Error("it opened after a change")
	}
	got.Sealed = got.Sealed[:5]
	if _, err := got.Open([]byte("pepper")); err == nil {
		t.Error("it opened though cut short")
	}
}

// TestKeep checks that an item comes back byte for byte, whichever way it is kept.
func TestKeep(t *testing.T) {
	for _, row := range []struct {
		name, item        string
		allowed, readable bool
	}{
		{"allowed", `{"a":"<b>"}`, true, true},
		{"not allowed", `{"a":"<b>"}`, false, false},
		{"control characters", "\x00\x01\n", true, true},
		{"not UTF-8", "\xff", true, false},
		{"the largest that is kept readable", strings.Repeat("x", MaxReadable), true, true},
		{"larger", strings.Repeat("x", MaxReadable+1), true, false},
		{"nothing", "", false, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			l := &Letter{Workspace: "w", Code: "bad_json"}
			if err := l.Keep([]byte("pepper"), []byte(row.item), row.allowed); err != nil {
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
			if item, err := got.Open([]byte("pepper")); err != nil || string(item) != row.item {
				t.Errorf("it came back as %d bytes of %d, %v", len(item), len(row.item), err)
			}
			if (got.Sealed == nil) != row.readable || (got.Body != "") != row.readable {
				t.Errorf("readable: %t", got.Body != "")
			}
		})
	}
}

func TestDecodeRefusesWhatIsNoLetter(t *testing.T) {
	for _, s := range []string{"", "[]", `{"index":"1"}`, "{"} {
		if l, err := Decode([]byte(s)); err == nil {
			t.Errorf("%q is read as %+v", s, l)
		}
	}
}
