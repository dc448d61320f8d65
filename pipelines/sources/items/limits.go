package items

import "io"

// Limits bound what one input may hold.
type Limits struct {
	// Bytes is the most after decompression, of all files of an archive together.
	Bytes int64
	// ItemBytes is the most that one item takes: a line, an element, a row.
	ItemBytes int
	// Items is the most items.
	Items int
}

// Limits that hold for every input.
const (
	// MaxDepth is how deep values may be nested: the deepest known hook has nine levels.
	MaxDepth = 64
	// MaxValues bounds the values in one item: each takes ten times the bytes that it has as JSON.
	MaxValues = 200_000
	// MaxDigits bounds a number: what counts with long ones takes the square of their length.
	MaxDigits = 400
	// MaxFields bounds the fields of a form, the parts of a multipart and the columns of a table.
	MaxFields = 2_000
	// MaxNested is how many archives may be in one another: a .csv.gz in a .zip.
	MaxNested = 2
	// MaxArchiveFiles is how many files a zip may hold.
	MaxArchiveFiles = 1_000
	// MaxPackedBytes is the largest zip that is no file, and the largest workbook: either has its table of contents at its end, so
	// that it is kept in memory as a whole.
	MaxPackedBytes = 128 << 20
	// MaxWorkbookBytes is the most that a workbook may unpack to.
	MaxWorkbookBytes = 4 << 30
	// MaxTitleLines is how far down a table's header is looked for.
	MaxTitleLines = 50
)

// Hook are the limits of a request: its body, twice in base64 and sealed, must fit into one record of the dead letters.
var Hook = Limits{Bytes: 8 << 20, ItemBytes: 8 << 20, Items: 10_000}

// File are the limits of a file that somebody imports: as large as a disk, but no endless one.
var File = Limits{Bytes: 256 << 30, ItemBytes: 16 << 20, Items: 1 << 40}

// meter is a reader that stops at the stream's limit of bytes, and at an item's between two calls of next.
type meter struct {
	s    *stream
	in   io.Reader
	item int64 // bytes since next
	// free: whoever reads bounds the items itself.
	free bool
}

// readAhead is room for what decoders read before they know that an item has ended.
const readAhead = 1 << 20

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.in.Read(p)
	m.s.spent += int64(n)
	m.item += int64(n)
	switch limits := m.s.in.Limits; {
	case m.s.spent > limits.Bytes:
		return 0, beyond("bytes after decompression", limits.Bytes)
	case !m.free && m.item > int64(limits.ItemBytes)+readAhead:
		return 0, beyond("bytes in one item", int64(limits.ItemBytes))
	}
	return n, err
}

// next begins an item.
func (m *meter) next() { m.item = 0 }
