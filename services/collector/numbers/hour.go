package numbers

import (
	"maps"
	"math"
	"slices"
)

// Hour is what one pool was asked for in one hour.
type Hour struct {
	// Visitors came who held no number, Dry of them found none.
	Visitors int `json:"visitors"`
	Dry      int `json:"dry"`
	// Demand is for how many visitors so many numbers were needed at once when they came.
	Demand map[int]int `json:"demand"`
}

// Count adds a visitor.
func (h *Hour) Count(a Answer) {
	if a.Demand == 0 {
		return
	}
	h.Visitors++
	if a.Number == "" {
		h.Dry++
	}
	if h.Demand == nil {
		h.Demand = map[int]int{}
	}
	h.Demand[a.Demand]++
}

// Add adds another hour's visitors.
func (h *Hour) Add(other Hour) {
	h.Visitors += other.Visitors
	h.Dry += other.Dry
	if h.Demand == nil {
		h.Demand = map[int]int{}
	}
	for demand, n := range other.Demand {
		h.Demand[demand] += n
	}
}

// Enough is how many numbers would have sufficed for this part of the visitors.
func (h *Hour) Enough(part float64) int {
	// The small number keeps 0.99 * 100, which is a little more than 99, at 99.
	need := int(math.Ceil(part*float64(h.Visitors) - 1e-9))
	served := 0
	for _, demand := range slices.Sorted(maps.Keys(h.Demand)) {
		if served >= need {
			break
		}
		if served += h.Demand[demand]; served >= need {
			return demand
		}
	}
	return 0
}
