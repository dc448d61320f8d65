package items

import (
	"fmt"
	"io"
	"slices"

	"github.com/xuri/excelize/v2"
)

// maxSheetInMemory is the largest part of a workbook that is unpacked in memory; a larger one is unpacked into a temporary file.
const maxSheetInMemory = 16 << 20

// xlsx reads the rows of one sheet. Cells are taken as they are kept, not as they are shown: a number has a point and no thousands
// in every language, a date is the number of days that jq's excel_date reads.
func (s *stream) xlsx(in io.Reader, size int64) {
	if size > MaxPackedBytes {
		s.fail(beyond("bytes in a workbook", MaxPackedBytes))
		return
	}
	most := min(s.in.Limits.Bytes, MaxWorkbookBytes)
	book, err := excelize.OpenReader(in, excelize.Options{RawCellValue: true, UnzipSizeLimit: most, UnzipXMLSizeLimit: min(most, maxSheetInMemory)})
	if err != nil {
		s.fail(fmt.Errorf("workbook: %w", err))
		return
	}
	defer book.Close()
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		s.fail(noSheet(s.format.Table.Sheet, sheets))
		return
	}
	name := sheets[0]
	if wanted := s.format.Table.Sheet; wanted != "" {
		if !slices.Contains(sheets, wanted) {
			s.fail(noSheet(wanted, sheets))
			return
		}
		name = wanted
	}
	s.place.Sheet = name
	rows, err := book.Rows(name)
	if err != nil {
		s.fail(fmt.Errorf("workbook: %w", err))
		return
	}
	defer rows.Close()
	s.rows(rows)
	s.place.Sheet = ""
}

func (s *stream) rows(rows *excelize.Rows) {
	t := s.table()
	t.kept = true
	for s.place.Line = 1; rows.Next(); s.place.Line++ {
		cells, err := rows.Columns()
		if err != nil {
			s.fail(fmt.Errorf("workbook: %w", err))
			return
		}
		if size(cells) > s.in.Limits.ItemBytes {
			s.fail(beyond("bytes in one item", int64(s.in.Limits.ItemBytes)))
			return
		}
		if !t.row(cells) {
			return
		}
	}
	if err := rows.Error(); err != nil {
		s.fail(fmt.Errorf("workbook: %w", err))
		return
	}
	t.end()
}
