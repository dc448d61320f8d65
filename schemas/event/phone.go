package event

import (
	"strconv"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// number is what the telephone library makes of a text in a region.
type number struct {
	possible bool
	e164     string
	// full is all digits with the country's, national those without; empty where the text is no number at all.
	full, national string
}

// Phone brings a number to E.164, read in a default region. False means that it is no possible number.
func Phone(s, region string) (string, bool) {
	n := readNumber(s, region)
	return n.e164, n.possible
}

// readNumber asks the library, or remembers what it said: reading a number costs as much as all the rest of an event, and a
// client's number comes with every change of a deal.
func readNumber(s, region string) number {
	if len(s) > maxRemembered {
		return askNumber(s, region)
	}
	key := numberKey{s, region}
	if n, ok := numbers.get(key); ok {
		return n
	}
	n := askNumber(s, region)
	numbers.put(key, n)
	return n
}

func askNumber(s, region string) number {
	n, err := phonenumbers.Parse(s, region)
	if err != nil {
		return number{}
	}
	out := number{national: strconv.FormatUint(n.GetNationalNumber(), 10)}
	out.full = strconv.Itoa(int(n.GetCountryCode())) + out.national
	if phonenumbers.IsPossibleNumber(n) {
		out.possible, out.e164 = true, phonenumbers.Format(n, phonenumbers.E164)
	}
	return out
}

// The memory is bounded: twice as many numbers as a generation holds, none longer than maxRemembered bytes. Numbers stay in
// this process; nothing of it is written anywhere.
const (
	generationSize = 1 << 14
	maxRemembered  = 40
)

type numberKey struct{ text, region string }

var numbers = memory[numberKey, number]{size: generationSize}

// memory remembers at least the last size values that were put, at most twice as many. It may be shared.
type memory[K comparable, V any] struct {
	size       int
	mu         sync.RWMutex
	young, old map[K]V
}

func (m *memory[K, V]) get(k K) (V, bool) {
	m.mu.RLock()
	v, ok := m.young[k]
	aged := false
	if !ok {
		v, aged = m.old[k]
	}
	m.mu.RUnlock()
	if aged {
		m.put(k, v) // what is asked for stays
	}
	return v, ok || aged
}

func (m *memory[K, V]) put(k K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.young == nil || len(m.young) >= m.size {
		m.young, m.old = make(map[K]V), m.young
	}
	m.young[k] = v
}
