package puller

import "hash/maphash"

// buried remembers which items of a pull went to the dead letters, so that one that comes again with every pull goes there once in a
// process's life. What is forgotten is buried again: more letters, nothing lost.
type buried struct {
	seed maphash.Seed
	seen map[uint64]bool
}

// maxBuried is how many are remembered.
const maxBuried = 50_000

func newBuried() buried { return buried{maphash.MakeSeed(), map[uint64]bool{}} }

// sum names an item.
func (b *buried) sum(account, item any, code string) uint64 {
	var h maphash.Hash
	h.SetSeed(b.seed)
	for _, part := range [][]byte{raw(account), raw(item), []byte(code)} {
		_, _ = h.Write(part) // never fails
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}

// add remembers items whose letters Kafka has.
func (b *buried) add(sums []uint64) {
	if len(b.seen)+len(sums) > maxBuried {
		clear(b.seen)
	}
	for _, s := range sums {
		b.seen[s] = true
	}
}
