package items

import (
	"fmt"
	"slices"
	"strings"
)

// Format is how a source's bytes are read (`read` in source.yaml).
type Format struct {
	// Format is one of Formats.
	Format string `yaml:"format"`
	// Items is the way to the items in JSON or XML, as jq would write it: .results[] or .[] or .data.rows[]. The whole value is one
	// item if it is left out. What stands beside the way is $envelope.
	Items string `yaml:"items"`
	// Lists are elements of XML that are lists even where there is one.
	Lists []string `yaml:"lists"`
	// Encoding is the text's, as the web names it (windows-1251, utf-16le); utf-8 if left out. A byte order mark wins.
	Encoding string `yaml:"encoding"`
	// Files chooses among the files of a zip by a pattern such as *.csv; all, if left out.
	Files string `yaml:"files"`
	// Table is for csv, tsv and xlsx.
	Table Table `yaml:"table"`

	way []step
}

// Formats are what can be read. Gzip and zip around any of them are opened without being named.
var Formats = []string{"json", "ndjson", "form", "query", "multipart", "xml", "csv", "tsv", "xlsx", "text"}

// Table is how rows become items: an object with a column's name → its cell, a string or null.
type Table struct {
	// Delimiter of csv: a comma if left out; auto chooses among comma, semicolon and tab by the header.
	Delimiter string `yaml:"delimiter"`
	// Sheet of a workbook; the first if left out.
	Sheet string `yaml:"sheet"`
	// Positions names the columns of a table without a header.
	Positions []string `yaml:"positions"`
	// Headers are the headers that the table may have, one for each language. The first row that has every column of one (but the
	// optional ones) is the header; what stands above is a title, and $envelope.titles has them. Columns that are not named keep the
	// name that they have.
	Headers []Header `yaml:"headers"`
	// Numbers are columns that hold numbers: they become plain decimals, such as 1234.56, as text.
	Numbers []string `yaml:"numbers"`
	// Blank are cells that say nothing and become null, beside empty ones: "--".
	Blank []string `yaml:"blank"`
	// Decimal is the decimal sign where Headers do not say: "." if left out.
	Decimal string `yaml:"decimal"`
	// Totals are the beginnings of rows that sum up others: such a row, by its first cell that is not empty, is left out.
	Totals []string `yaml:"totals"`
}

// Header is a table's header in one language.
type Header struct {
	Language string `yaml:"language"`
	// Columns are our name → the names that the column may have.
	Columns map[string]Names `yaml:"columns"`
	// Optional columns may be missing.
	Optional []string `yaml:"optional"`
	// Decimal and Totals are those of this language.
	Decimal string   `yaml:"decimal"`
	Totals  []string `yaml:"totals"`
}

// Names is one name or a list of them.
type Names []string

// Validate reports every fault with the path of its field.
func (f *Format) Validate(fault func(path, format string, args ...any)) {
	if !slices.Contains(Formats, f.Format) {
		fault("format", "%q is none of %s", f.Format, strings.Join(Formats, ", "))
	}
	way, err := parseWay(f.Items)
	if err != nil {
		fault("items", "%v", err)
	}
	f.way = way
	only := func(path string, set bool, formats ...string) {
		if set && !slices.Contains(formats, f.Format) {
			fault(path, "is for %s alone", strings.Join(formats, ", "))
		}
	}
	only("items", f.Items != "", "json", "xml")
	only("lists", len(f.Lists) > 0, "xml")
	only("table.delimiter", f.Table.Delimiter != "", "csv")
	only("table.sheet", f.Table.Sheet != "", "xlsx")
	if f.Encoding != "" {
		if _, err := encodingNamed(f.Encoding); err != nil {
			fault("encoding", "%q is no encoding that the web knows, such as windows-1251 or utf-16le", f.Encoding)
		}
	}
	if f.Files != "" {
		if _, err := matches(f.Files, "x"); err != nil {
			fault("files", "%q is no pattern such as *.csv", f.Files)
		}
	}
	if tabular := slices.Contains([]string{"csv", "tsv", "xlsx"}, f.Format); tabular {
		f.Table.validate(fault)
	} else if t := f.Table; len(t.Headers)+len(t.Positions)+len(t.Numbers)+len(t.Blank)+len(t.Totals) > 0 || t.Decimal != "" {
		fault("table", "is for csv, tsv and xlsx alone")
	}
}

func (t *Table) validate(fault func(path, format string, args ...any)) {
	if !slices.Contains([]string{"", ",", ";", "\t", "|", "auto"}, t.Delimiter) {
		fault("table.delimiter", "%q is none of a comma, a semicolon, a bar, a tab and auto", t.Delimiter)
	}
	if (len(t.Headers) == 0) == (len(t.Positions) == 0) {
		fault("table", "needs either headers, or positions where the table has none")
	}
	decimal := func(path, s string) {
		if s != "" && s != "." && s != "," {
			fault(path, `%q is neither "." nor ","`, s)
		}
	}
	decimal("table.decimal", t.Decimal)
	known := map[string]bool{}
	for _, p := range t.Positions {
		known[p] = true
	}
	for i, h := range t.Headers {
		path := fmt.Sprintf("table.headers[%d]", i)
		decimal(path+".decimal", h.Decimal)
		if len(h.Columns) == 0 {
			fault(path+".columns", "names no column")
		}
		for name, names := range h.Columns {
			known[name] = true
			if len(names) == 0 || slices.Contains(names, "") {
				fault(path+".columns."+name, "has an empty name")
			}
		}
		for j, o := range h.Optional {
			if _, ok := h.Columns[o]; !ok {
				fault(fmt.Sprintf("%s.optional[%d]", path, j), "%q is none of its columns", o)
			}
		}
		if len(h.Optional) == len(h.Columns) && len(h.Columns) > 0 {
			fault(path+".optional", "leaves no column to know the header by")
		}
	}
	for i, n := range t.Numbers {
		if !known[n] {
			fault(fmt.Sprintf("table.numbers[%d]", i), "%q is none of the columns", n)
		}
	}
}
