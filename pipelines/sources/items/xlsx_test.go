package items

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// workbook makes one of rows.
func workbook(t testing.TB, sheet string, rows ...[]any) []byte {
	t.Helper()
	book := excelize.NewFile()
	defer book.Close()
	if sheet != "Sheet1" {
		if _, err := book.NewSheet(sheet); err != nil {
			t.Fatal(err)
		}
	}
	for i, row := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if err := book.SetSheetRow(sheet, cell, &row); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	if err := book.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

const costs = `{format: xlsx, table: {sheet: %s, numbers: [cost], headers: [{decimal: ",", totals: [Итого], columns: {day: [Day, Дата], cost: [Cost, Расход]}}]}}`

func TestWorkbook(t *testing.T) {
	book := workbook(t, "Costs", []any{"Отчёт за неделю"}, []any{"Дата", "Расход"}, []any{46266, 1234.56}, []any{46267, 0.1 + 0.2}, []any{"2026-09-03", "1 200,50"},
		[]any{}, []any{"2026-09-04", 1e-7}, []any{"Итого", 99})
	f := format(t, strings.Replace(costs, "%s", "Costs", 1))
	want := `0 {"cost":"1234.56","day":"46266"} in {"titles":["Отчёт за неделю"]}
1 {"cost":"0.3","day":"46267"} in {"titles":["Отчёт за неделю"]}
2 {"cost":"1200.50","day":"2026-09-03"} in {"titles":["Отчёт за неделю"]}
3 {"cost":"0.0000001","day":"2026-09-04"} in {"titles":["Отчёт за неделю"]}`
	if got := said(f, Input{Body: bytes.NewReader(book), Limits: File}); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := said(f, Input{Body: bytes.NewReader(zipped(t, "in/costs.xlsx", string(book))), Limits: File}); got != want {
		t.Errorf("in a zip, got\n%s", got)
	}
	f = format(t, strings.Replace(costs, "%s", "Other", 1))
	if got := said(f, Input{Body: bytes.NewReader(book), Limits: File}); !strings.Contains(got, `no such sheet: "Other"; it has Sheet1, Costs`) {
		t.Error(got)
	}
	for name, body := range map[string][]byte{"text": []byte("a,b"), "a zip": zipped(t, "a.csv", "a"), "half": book[:len(book)/2], "nothing": nil} {
		if got := said(f, Input{Body: bytes.NewReader(body), Limits: File}); !strings.HasPrefix(got, "! ") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestWorkbookBomb is one that unpacks to far more than it has.
func TestWorkbookBomb(t *testing.T) {
	files := []string{}
	book := workbook(t, "Sheet1", []any{"Day", "Cost"}, []any{"d", 1})
	for name, text := range unzipped(t, book) {
		if name == "xl/worksheets/sheet1.xml" {
			text = strings.Replace(text, "</sheetData>", strings.Repeat("<row><c><v>1</v></c></row>", 1<<20)+"</sheetData>", 1)
		}
		files = append(files, name, text)
	}
	var last error
	f := format(t, strings.Replace(costs, "%s", "Sheet1", 1))
	for _, err := range f.Read(Input{Body: bytes.NewReader(zipped(t, files...)), Limits: Hook}) {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "unzip size exceeds") && !errors.Is(last, ErrTooLarge) {
		t.Errorf("%v", last)
	}
}

func TestDecimal(t *testing.T) {
	for _, row := range []struct {
		text    string
		decimal byte
		want    string // empty: it is refused
	}{
		{"1316.14", '.', "1316.14"},
		{"1,316.14", '.', "1316.14"},
		{"1.316,14", ',', "1316.14"},
		{"1 316,14", ',', "1316.14"},
		{"1\u202f316,14 €", ',', "1316.14"},
		{"12'345.50", '.', "12345.50"},
		{"12,34,567.00", '.', "1234567.00"},
		{"5,354", '.', "5354"},
		{"5,354", ',', "5.354"},
		{"-12.50", '.', "-12.50"},
		{"−12.50", '.', "-12.50"},
		{"(12.50)", '.', "-12.50"},
		{"$1,000", '.', "1000"},
		{"12%", '.', "12"},
		{"007", '.', "7"},
		{".5", '.', "0.5"},
		{"-0.00", '.', "0.00"},
		{"+3", '.', "3"},
		{"12,5", '.', ""},
		{"1.5.5", '.', ""},
		{"1,2,3", '.', ""},
		{"", '.', ""},
		{"--", '.', ""},
		{"1e5", '.', ""},
		{"12-", '.', ""},
		{"n/a", '.', ""},
		{",", '.', ""},
		{".", '.', ""},
	} {
		got, err := Decimal(row.text, row.decimal)
		if got != row.want || (err == nil) != (row.want != "") {
			t.Errorf("%q by %q: %q, %v; want %q", row.text, row.decimal, got, err, row.want)
		}
	}
}
