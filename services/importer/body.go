package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// body is a file that is read, or standard input.
type body struct {
	f    *os.File
	read atomic.Int64
	size int64
	mod  time.Time
	// whole: it can be read as often as one likes, so that its content has a name. A pipe has none, and is imported from its beginning
	// each time.
	whole bool
	hash  string
}

func open(name string) (*body, error) {
	if name == StandardInput {
		return &body{f: os.Stdin}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder: name the files in it (%s/*)", name, name)
	}
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	b := &body{f: f, whole: info.Mode().IsRegular()}
	if b.whole {
		b.size, b.mod = info.Size(), info.ModTime()
	}
	return b, nil
}

// content is a hash of all that is in the file. A hash of its ends and its length would be had sooner, and take two exports for one
// that differ by a digit in the middle.
func (b *body) content(ctx context.Context) (string, error) {
	h := sha256.New()
	for at := int64(0); at < b.size; at += hashStep {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if _, err := io.Copy(h, io.NewSectionReader(b.f, at, min(hashStep, b.size-at))); err != nil {
			return "", fmt.Errorf("import: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), b.changed()
}

// hashStep is how much is hashed between two looks at the context.
const hashStep = 16 << 20

var errChanged = errors.New("the file was changed while it was read: import it again, which counts nothing twice")

// changed tells that the file is no longer what was hashed: what would be written down of it then would be of something else.
func (b *body) changed() error {
	if !b.whole {
		return nil
	}
	info, err := b.f.Stat()
	if err != nil {
		return fmt.Errorf("import: %w", err)
	}
	if info.Size() != b.size || !info.ModTime().Equal(b.mod) {
		return fmt.Errorf("%s: %w", b.f.Name(), errChanged)
	}
	return nil
}

// Read, ReadAt and Seek are the file's; the bytes are counted.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.f.Read(p)
	b.read.Add(int64(n))
	return n, err
}

func (b *body) ReadAt(p []byte, off int64) (int, error) {
	n, err := b.f.ReadAt(p, off)
	b.read.Add(int64(n))
	return n, err
}

func (b *body) Seek(offset int64, whence int) (int64, error) {
	if !b.whole {
		return 0, errors.ErrUnsupported
	}
	return b.f.Seek(offset, whence)
}

func (b *body) Close() error {
	if b.f == os.Stdin {
		return nil
	}
	return b.f.Close()
}
