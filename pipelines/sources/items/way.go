package items

import (
	"fmt"
	"regexp"
	"strings"
)

// step is one step of the way to the items: into a field, or into each element of a list.
type step struct{ field string } // "" is each

var stepForm = regexp.MustCompile(`^(\.[A-Za-z_@][A-Za-z0-9_:@-]*|\."[^"\\]+"|\.?\[\])`)

// parseWay reads .data.rows[] and the like.
func parseWay(s string) ([]step, error) {
	if s == "" || s == "." {
		return nil, nil
	}
	var way []step
	for rest := s; rest != ""; {
		m := stepForm.FindString(rest)
		if m == "" {
			return nil, fmt.Errorf("%q is no way such as .results[] or .[]", s)
		}
		rest = rest[len(m):]
		if field := strings.Trim(strings.TrimPrefix(m, "."), `"`); field != "[]" {
			way = append(way, step{field})
		} else {
			way = append(way, step{})
		}
	}
	return way, nil
}
