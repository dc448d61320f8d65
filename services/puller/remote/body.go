package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
)

// Body is an answer: in memory, or in a file that is gone with it.
type Body struct {
	status int
	header http.Header
	memory []byte
	file   *os.File
	size   int64

	value  any
	parsed bool
}

var (
	errTooLarge = errors.New("the answer is too large")
	errSpool    = errors.New("the answer cannot be kept for reading")
)

// readBody reads an answer to its end, but no more than most bytes of it.
func readBody(r io.Reader, most int64) (*Body, error) {
	b := &Body{}
	in := io.LimitReader(r, most+1)
	head, err := io.ReadAll(io.LimitReader(in, memoryBytes))
	if err != nil {
		return nil, err
	}
	b.memory, b.size = head, int64(len(head))
	if b.size == memoryBytes {
		if err := b.spool(in); err != nil {
			b.Close()
			return nil, err
		}
	}
	if b.size > most {
		b.Close()
		return nil, errTooLarge
	}
	return b, nil
}

// spool puts what has been read and the rest into a file. It has no name any more: whatever becomes of us, nothing stays.
func (b *Body) spool(rest io.Reader) error {
	f, err := os.CreateTemp("", "throughline-answer-")
	if err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	b.file = f
	if err := os.Remove(f.Name()); err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	if _, err := f.Write(b.memory); err != nil {
		return fmt.Errorf("%w: %w", errSpool, err)
	}
	n, err := io.Copy(f, rest)
	b.memory, b.size = nil, b.size+n
	return err
}

// Reader reads it from its beginning.
func (b *Body) Reader() (io.Reader, error) {
	if b.file == nil {
		return bytes.NewReader(b.memory), nil
	}
	_, err := b.file.Seek(0, io.SeekStart)
	return b.file, err
}

// Close lets go of it.
func (b *Body) Close() {
	if b != nil && b.file != nil {
		_ = b.file.Close() // it was only read from, and has no name
	}
}

// Value is the body as programs see it: JSON, or text where it is none.
func (b *Body) Value() (any, error) {
	if b.parsed {
		return b.value, nil
	}
	if b.size > MaxValueBytes {
		return nil, fmt.Errorf("%w for a program: more than %d bytes", errTooLarge, MaxValueBytes)
	}
	r, err := b.Reader()
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&b.value); err != nil {
		b.value = string(text)
	}
	b.parsed = true
	return b.value, nil
}
