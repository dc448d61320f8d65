package sources

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/throughline-io/throughline/pipelines/sources/mapping"
)

func plainOf(v any) (any, error) {
	if m, ok := v.(map[string]any); ok && m == nil {
		return nil, nil
	}
	return mapping.Plain(v)
}

func plainJSON(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more follows the value")
	}
	return v, nil
}

// differs says where an event is another than the one that is wanted: the first field, by its path. A field that is null and one that
// is left out are the same, as they are to whoever reads an event.
func differs(want any, got []byte) error {
	v, err := plainJSON(got)
	if err != nil {
		return err
	}
	return differ("", want, v)
}

func differ(path string, want, got any) error {
	if w, ok := want.(map[string]any); ok {
		if g, ok := got.(map[string]any); ok {
			names := map[string]bool{}
			for n := range w {
				names[n] = true
			}
			for n := range g {
				names[n] = true
			}
			for _, n := range slices.Sorted(maps.Keys(names)) {
				if err := differ(path+"."+n, w[n], g[n]); err != nil {
					return err
				}
			}
			return nil
		}
	}
	if w, ok := want.([]any); ok {
		if g, ok := got.([]any); ok && len(g) == len(w) {
			for i := range w {
				if err := differ(fmt.Sprintf("%s[%d]", path, i), w[i], g[i]); err != nil {
					return err
				}
			}
			return nil
		}
	}
	if w, g := written(want), written(got); w != g {
		return fmt.Errorf("%s: want %s, got %s", path, w, g)
	}
	return nil
}

func written(v any) string {
	if v == nil {
		return "nothing"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
