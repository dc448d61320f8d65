package journey

import (
	"slices"
	"sort"
)

// chunkSize bounds what an insertion moves.
const chunkSize = 512

// sorted is a list in order, in chunks, so that an insertion into a long one moves little.
type sorted[T any] struct {
	chunks [][]T
	n      int
}

// place is where an element stands or would stand.
type place struct{ chunk, at int }

// find is the first place whose element is not before what is looked for.
func (s *sorted[T]) find(before func(T) bool) place {
	c := sort.Search(len(s.chunks), func(i int) bool { chunk := s.chunks[i]; return !before(chunk[len(chunk)-1]) })
	if c == len(s.chunks) {
		return place{c, 0}
	}
	chunk := s.chunks[c]
	return place{c, sort.Search(len(chunk), func(i int) bool { return !before(chunk[i]) })}
}

// get is the element at a place; false at the end.
func (s *sorted[T]) get(p place) (v T, ok bool) {
	if p.chunk >= len(s.chunks) {
		return v, false
	}
	return s.chunks[p.chunk][p.at], true
}

func (s *sorted[T]) next(p place) place {
	if p.at++; p.at >= len(s.chunks[p.chunk]) {
		return place{p.chunk + 1, 0}
	}
	return p
}

// prev is the element before a place.
func (s *sorted[T]) prev(p place) (v T, ok bool) {
	switch {
	case p.at > 0:
		return s.chunks[p.chunk][p.at-1], true
	case p.chunk > 0:
		chunk := s.chunks[p.chunk-1]
		return chunk[len(chunk)-1], true
	}
	return v, false
}

// insert puts an element at the place that was found for it.
func (s *sorted[T]) insert(p place, v T) {
	s.n++
	if p.chunk == len(s.chunks) {
		if len(s.chunks) == 0 {
			s.chunks = append(s.chunks, []T{v})
			return
		}
		p = place{p.chunk - 1, len(s.chunks[p.chunk-1])}
	}
	chunk := slices.Insert(s.chunks[p.chunk], p.at, v)
	if len(chunk) <= chunkSize {
		s.chunks[p.chunk] = chunk
		return
	}
	// At the end, as most come, a full chunk stays full.
	cut := len(chunk) / 2
	if p.chunk == len(s.chunks)-1 && p.at == len(chunk)-1 {
		cut = len(chunk) - 1
	}
	tail := append(make([]T, 0, chunkSize/2), chunk[cut:]...)
	clear(chunk[cut:])
	s.chunks[p.chunk] = chunk[:cut:cut]
	s.chunks = slices.Insert(s.chunks, p.chunk+1, tail)
}

// remove takes the element at a place out.
func (s *sorted[T]) remove(p place) {
	s.n--
	chunk := slices.Delete(s.chunks[p.chunk], p.at, p.at+1)
	if len(chunk) == 0 {
		s.chunks = slices.Delete(s.chunks, p.chunk, p.chunk+1)
		return
	}
	s.chunks[p.chunk] = chunk
}

// count is how many elements stand from one place up to another.
func (s *sorted[T]) count(from, to place) int {
	if from.chunk == to.chunk {
		return to.at - from.at
	}
	n := len(s.chunks[from.chunk]) - from.at + to.at
	for c := from.chunk + 1; c < to.chunk; c++ {
		n += len(s.chunks[c])
	}
	return n
}

// back is the place n elements before p.
func (s *sorted[T]) back(p place, n int) place {
	for n > p.at {
		n -= p.at
		p = place{p.chunk - 1, len(s.chunks[p.chunk-1])}
	}
	return place{p.chunk, p.at - n}
}

// appendFrom appends the elements from one place up to another.
func (s *sorted[T]) appendFrom(out []T, from, to place) []T {
	for ; from.chunk < to.chunk; from = (place{from.chunk + 1, 0}) {
		out = append(out, s.chunks[from.chunk][from.at:]...)
	}
	if from.chunk < len(s.chunks) {
		out = append(out, s.chunks[from.chunk][from.at:to.at]...)
	}
	return out
}

// clone is a copy that changes of s do not reach.
func (s *sorted[T]) clone() sorted[T] {
	out := sorted[T]{n: s.n, chunks: make([][]T, len(s.chunks))}
	for i, c := range s.chunks {
		out.chunks[i] = slices.Clone(c)
	}
	return out
}
