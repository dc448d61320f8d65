package items

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// UnmarshalYAML takes one name or a list of them.
func (n *Names) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		*n = Names{node.Value}
		return nil
	}
	return node.Decode((*[]string)(n))
}

// table makes items of rows.
type table struct {
	s *stream
	// columns are the names of the cells; nil until the header was found.
	columns []string
	numbers []bool
	decimal byte
	totals  []string
	header  []string // as it stands
	// titles are the rows above the header, their cells joined as they were: they may say which days a report is about.
	titles   []any
	envelope map[string]any
	// kept: numbers are as a workbook keeps them; a text that looks like one is read by the decimal sign.
	kept bool
}

func (s *stream) table() *table {
	t := &table{s: s, totals: s.format.Table.Totals, decimal: sign(s.format.Table.Decimal)}
	if len(s.format.Table.Positions) > 0 {
		t.begin(s.format.Table.Positions)
	}
	return t
}

func sign(decimal string) byte {
	if decimal == "," {
		return ','
	}
	return '.'
}

func (t *table) begin(columns []string) {
	t.columns = columns
	t.numbers = make([]bool, len(columns))
	for i, c := range columns {
		t.numbers[i] = slices.Contains(t.s.format.Table.Numbers, c)
	}
}

// row takes the next row; false ends the reading.
func (t *table) row(cells []string) bool {
	if len(cells) > MaxFields {
		return t.s.fail(beyond("columns", MaxFields))
	}
	first := ""
	for _, c := range cells {
		if first = tidy(c); first != "" {
			break
		}
	}
	switch {
	case first == "":
		return true
	case t.columns == nil:
		return t.title(cells)
	case slices.ContainsFunc(t.totals, func(p string) bool { return strings.HasPrefix(first, p) }):
		return true
	case len(t.header) > 0 && slices.Equal(cells, t.header): // files that were put behind one another
		return true
	}
	item := make(map[string]any, len(t.columns))
	for i, name := range t.columns {
		item[name] = nil
		if i >= len(cells) {
			continue
		}
		v, err := t.cell(i, cells[i])
		if err != nil {
			return t.s.bad(fmt.Errorf("column %s: %w", name, err))
		}
		item[name] = v
	}
	for i := len(t.columns); i < len(cells); i++ {
		if tidy(cells[i]) != "" {
			return t.s.bad(fmt.Errorf("the row has %d cells and the header %d", len(cells), len(t.columns)))
		}
	}
	return t.s.item(item, t.envelope)
}

func (t *table) cell(i int, text string) (any, error) {
	text = tidy(text)
	if text == "" || slices.Contains(t.s.format.Table.Blank, text) {
		return nil, nil
	}
	text = strings.ToValidUTF8(text, "\ufffd")
	if !t.numbers[i] {
		return text, nil
	}
	if f, err := strconv.ParseFloat(text, 64); t.kept && err == nil && math.Abs(f) < maxKept {
		return strconv.FormatFloat(f, 'f', fraction(f), 64), nil
	}
	return Decimal(text, t.decimal)
}

// title looks whether a row is the header.
func (t *table) title(cells []string) bool {
	for i := range t.s.format.Table.Headers {
		h := &t.s.format.Table.Headers[i]
		if columns, ok := h.match(cells); ok {
			t.begin(columns)
			t.header = slices.Clone(cells)
			if len(t.titles) > 0 {
				t.envelope = map[string]any{"titles": t.titles}
			}
			t.totals = append(slices.Clone(t.totals), h.Totals...)
			if h.Decimal != "" {
				t.decimal = sign(h.Decimal)
			}
			return true
		}
	}
	if t.titles = append(t.titles, t.text(cells)); len(t.titles) >= MaxTitleLines {
		return t.s.fail(t.noHeader())
	}
	return true
}

// text is a title: a comma in it that nobody quoted has cut it into cells.
func (t *table) text(cells []string) string {
	between := ", "
	if t.s.format.Format == "tsv" {
		between = "\t"
	}
	tidied := make([]string, 0, len(cells))
	for _, c := range cells {
		if c = tidy(c); c != "" {
			tidied = append(tidied, strings.ToValidUTF8(c, "\ufffd"))
		}
	}
	return strings.Join(tidied, between)
}

// end is after the last row.
func (t *table) end() {
	if t.columns == nil && !t.s.stopped {
		t.s.fail(t.noHeader())
	}
}

func (t *table) noHeader() error {
	var wanted []string
	for _, h := range t.s.format.Table.Headers {
		var names []string
		for name, alternatives := range h.Columns {
			if !slices.Contains(h.Optional, name) {
				names = append(names, alternatives[0])
			}
		}
		slices.Sort(names)
		wanted = append(wanted, strings.TrimSpace(h.Language+" "+strings.Join(names, ", ")))
	}
	return fmt.Errorf("none of the first rows is a header: looked for the columns %s", strings.Join(wanted, " | "))
}

// match names the columns of a row if it is this header.
func (h *Header) match(cells []string) ([]string, bool) {
	columns := make([]string, len(cells))
	found := 0
	for name, alternatives := range h.Columns {
		i := slices.IndexFunc(cells, func(c string) bool {
			return slices.ContainsFunc(alternatives, func(a string) bool { return strings.EqualFold(tidy(c), a) })
		})
		switch {
		case i >= 0 && columns[i] == "":
			columns[i] = name
			found++
		case !slices.Contains(h.Optional, name):
			return nil, false
		}
	}
	for i, c := range cells {
		if columns[i] == "" {
			columns[i] = tidy(c)
		}
		if columns[i] == "" || slices.Contains(columns[:i], columns[i]) {
			columns[i] = fmt.Sprintf("column_%d", i+1)
		}
	}
	return columns, found > 0
}

// tidy is a cell without the blanks around it, those that do not break and marks of a byte order among them.
func tidy(cell string) string { return strings.Trim(cell, " \t\r\n\u00a0\u202f\ufeff") }

// A workbook keeps numbers as binary fractions: 0.1 as 0.10000000000000001. They have fifteen digits that mean something.
const (
	keptDigits = 15
	maxKept    = 1e15
)

// fraction is how many digits behind the point a kept number has.
func fraction(f float64) int {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(f, 'g', keptDigits, 64), 64)
	if err != nil {
		return 0
	}
	_, behind, _ := strings.Cut(strconv.FormatFloat(rounded, 'f', -1, 64), ".")
	return len(behind)
}
