package identity

import (
	"bytes"
)

func compare(a, b ID) int { return bytes.Compare(a[:], b[:]) }

// part is one component: its sorted members, so that the first is its smallest, and the entries at home there.
type part struct {
	members []ID
	entries []*Entry
}

// components splits sorted members by the links of their entries.
func components(members []ID, entries []*Entry) []part {
	index := make(map[ID]int, len(members))
	up := make([]int, len(members))
	for i, id := range members {
		index[id], up[i] = i, i
	}
	find := func(i int) int {
		for up[i] != i {
			up[i] = up[up[i]]
			i = up[i]
		}
		return i
	}
	for _, e := range entries {
		home, here := index[e.Home]
		if !here {
			continue
		}
		for _, id := range e.Joins {
			if k, ok := index[id]; ok {
				a, b := find(home), find(k)
				up[max(a, b)] = min(a, b)
			}
		}
	}
	at := map[int]int{} // root → part
	var parts []part
	for i, id := range members { // members are sorted, so parts and their members are
		r := find(i)
		k, ok := at[r]
		if !ok {
			k = len(parts)
			at[r] = k
			parts = append(parts, part{})
		}
		parts[k].members = append(parts[k].members, id)
	}
	if len(parts) == 1 {
		parts[0].entries = entries
		return parts
	}
	for _, e := range entries {
		p := &parts[at[find(index[e.Home])]]
		p.entries = append(p.entries, e)
	}
	return parts
}
