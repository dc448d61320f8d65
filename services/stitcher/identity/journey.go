package identity

import (
	"cmp"
	"slices"
)

// journey is the entries of a person by key. Most have a few, which need no map.
type journey struct {
	few  []*Entry
	many map[string]*Entry
}

const (
	// fewEntries is how many a journey looks through.
	fewEntries = 8
	// usualEntries is how many most people have at most.
	usualEntries = 4
)

func (j *journey) get(key string) *Entry {
	if j.many != nil {
		return j.many[key]
	}
	for _, e := range j.few {
		if e.Key == key {
			return e
		}
	}
	return nil
}

// set puts an entry in the place of the one with its key.
func (j *journey) set(e *Entry) {
	if j.many != nil {
		j.many[e.Key] = e
		return
	}
	for i, old := range j.few {
		if old.Key == e.Key {
			j.few[i] = e
			return
		}
	}
	if len(j.few) < fewEntries {
		if j.few == nil {
			j.few = make([]*Entry, 0, usualEntries)
		}
		j.few = append(j.few, e)
		return
	}
	j.many = make(map[string]*Entry, 2*fewEntries)
	for _, old := range j.few {
		j.many[old.Key] = old
	}
	j.many[e.Key] = e
	j.few = nil
}

func (j *journey) remove(key string) {
	delete(j.many, key)
	j.few = slices.DeleteFunc(j.few, func(e *Entry) bool { return e.Key == key })
}

func (j *journey) len() int { return len(j.few) + len(j.many) }

// each calls do for every entry, in no order.
func (j *journey) each(do func(*Entry)) {
	for _, e := range j.few {
		do(e)
	}
	for _, e := range j.many {
		do(e)
	}
}

// list is all entries in the order of their keys.
func (j *journey) list() []*Entry {
	out := make([]*Entry, 0, j.len())
	j.each(func(e *Entry) { out = append(out, e) })
	slices.SortFunc(out, func(a, b *Entry) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

func journeyOf(entries []*Entry) journey {
	var j journey
	if len(entries) > fewEntries {
		j.many = make(map[string]*Entry, len(entries))
	}
	for _, e := range entries {
		j.set(e)
	}
	return j
}
