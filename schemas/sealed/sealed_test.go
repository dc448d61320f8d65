package sealed

import (
	"bytes"
	"testing"
)

func TestOpensForItsOwnAlone(t *testing.T) {
	item := []byte(`{"phone":"+48501222333"}`)
	b, err := Seal(DeadLetters, "shop", []byte("pepper"), item)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("48501222333")) {
		t.Error("it can be read as it is")
	}
	for _, row := range []struct {
		name, purpose, workspace, pepper string
		b                                []byte
		opens                            bool
	}{
		{"its own", DeadLetters, "shop", "pepper", b, true},
		{"another purpose", Fetches, "shop", "pepper", b, false},
		{"another workspace", DeadLetters, "other", "pepper", b, false},
		{"another pepper", DeadLetters, "shop", "salt", b, false},
		{"cut short", DeadLetters, "shop", "pepper", b[:len(b)-1], false},
		{"cut to nothing", DeadLetters, "shop", "pepper", b[:3], false},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := Open(row.purpose, row.workspace, []byte(row.pepper), row.b)
			if (err == nil) != row.opens || row.opens && !bytes.Equal(got, item) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}
