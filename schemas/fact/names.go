package fact

var (
	causeNames      = [...]string{"", "new", "late", "merge", "split", "edit", "reversal", "rebuild"}
	conversionNames = [...]string{"", "inquiry", "deal", "sale"}
	modelNames      = [...]string{"", "first_touch", "last_touch", "last_non_direct", "linear", "time_decay", "position_based", "w_shaped"}
)

// String is the name in the ledger's cause_type column.
func (c CauseType) String() string { return name(causeNames[:], int(c)) }

// String is the name in the ledger's conversion column.
func (c Conversion) String() string { return name(conversionNames[:], int(c)) }

// String is the name in the ledger's model column.
func (m Model) String() string { return name(modelNames[:], int(m)) }

func name(names []string, i int) string {
	if i <= 0 || i >= len(names) {
		return "unknown"
	}
	return names[i]
}

// Unattributed is the channel of what no touch explains; None is an absent dimension.
const (
	Unattributed = "(unattributed)"
	None         = "(none)"
	Direct       = "(direct)"
)
