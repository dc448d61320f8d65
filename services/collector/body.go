package collector

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Faults of a whole request.
var (
	errTooLarge  = fmt.Errorf("the body has more than %d bytes after decompression", MaxRequestBytes)
	errTooMany   = fmt.Errorf("the body has more than %d items", MaxItems)
	errEncoding  = errors.New("Content-Encoding must be gzip, zstd or identity")
	errWindow    = fmt.Errorf("the zstd window is larger than %d bytes: compress with a lower level or without --long", maxWindow)
	errCorrupt   = errors.New("the body cannot be decompressed")
	errNothing   = errors.New("the body holds no item")
	errTruncated = errors.New("the body ended early")
	errSlow      = errors.New("the body came too slowly")
)

const (
	// maxWindow is what RFC 9659 lets a zstd Content-Encoding ask a receiver to keep.
	maxWindow = 8 << 20
	// gzipBytes is what decompressing gzip keeps.
	gzipBytes = 64 << 10
	// firstBytes is where the buffer of a body starts; it doubles.
	firstBytes = 64 << 10
)

// readBody reads and decompresses a body, up to a limit. Memory is reserved as bytes come, not as they are announced: who
// announces much and sends nothing keeps nobody out.
func readBody(w http.ResponseWriter, r *http.Request, memory *reservation, most int) ([]byte, error) {
	var in io.Reader = http.MaxBytesReader(w, r.Body, int64(most))
	switch strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))) {
	case "", "identity":
	case "gzip", "x-gzip":
		if err := memory.take(gzipBytes); err != nil {
			return nil, err
		}
		defer memory.give(gzipBytes)
		z := pooled[gzip.Reader](&gzipReaders)
		defer gzipReaders.Put(z)
		if err := z.Reset(in); err != nil {
			return nil, readFault(err)
		}
		in = z
	case "zstd":
		if err := memory.take(maxWindow); err != nil {
			return nil, err
		}
		defer memory.give(maxWindow)
		z := pooled[zstd.Decoder](&zstdReaders)
		defer func() {
			_ = z.Reset(nil) // lets the body go; a nil reader is no error
			zstdReaders.Put(z)
		}()
		if err := z.Reset(in); err != nil {
			return nil, readFault(err)
		}
		in = z
	default:
		return nil, errEncoding
	}
	return readAll(in, memory, most)
}

// drainBytes is how much of a body that is too large is read and thrown away.
const drainBytes = 4 * MaxRequestBytes

// drain lets a sender finish. Most clients read the answer only once all is sent: one that is cut off learns of a broken
// connection, takes that for a fault of the network and sends the same again. A sender that waits to be told (Expect:
// 100-continue), or that announces more than is worth reading, is cut.
func drain(r *http.Request) {
	if r.Header.Get("Expect") != "" || r.ContentLength > drainBytes {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, drainBytes) // whatever happens, the answer is the same
}

// readAll reads to the end, or to the first byte past the limit.
func readAll(in io.Reader, memory *reservation, most int) ([]byte, error) {
	if err := memory.take(firstBytes); err != nil {
		return nil, err
	}
	body := make([]byte, 0, firstBytes)
	for {
		n, err := in.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case len(body) > most:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return body, nil
		case err != nil:
			return nil, readFault(err)
		case len(body) == cap(body):
			more := min(len(body), most+1-len(body))
			if err := memory.take(more); err != nil {
				return nil, err
			}
			grown := make([]byte, len(body), len(body)+more)
			copy(grown, body)
			body = grown
		}
	}
}

func readFault(err error) error {
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return errTooLarge
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return errWindow
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errSlow
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errTruncated
	}
	return fmt.Errorf("%w: %w", errCorrupt, err)
}

// Decompressors are kept: making one costs more than a small body does.
var (
	gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}
	zstdReaders = sync.Pool{New: func() any {
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			panic(err) // options out of range, and they are constants
		}
		return z
	}}
)

func pooled[T any](p *sync.Pool) *T {
	z, ok := p.Get().(*T)
	if !ok {
		panic("a pool gave what was never put")
	}
	return z
}
