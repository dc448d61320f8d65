package collector

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// Faults of a whole request.
var (
	errTooLarge  = fmt.Errorf("the body has more than %d bytes after decompression", MaxRequestBytes)
	errTooMany   = fmt.Errorf("the body has more than %d items", MaxItems)
	errEncoding  = errors.New("Content-Encoding must be gzip, zstd or identity")
	errCorrupt   = errors.New("the body cannot be decompressed")
	errNotJSON   = errors.New("the body is not a JSON object, an array of them, or NDJSON")
	errNothing   = errors.New("the body holds no item")
	errTruncated = errors.New("the body ended early")
)

// readBody reads and decompresses a body, up to the limit.
func readBody(r *http.Request) ([]byte, error) {
	var in io.Reader = http.MaxBytesReader(nil, r.Body, MaxRequestBytes)
	switch strings.ToLower(r.Header.Get("Content-Encoding")) {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, readFault(err)
		}
		defer z.Close()
		in = z
	case "zstd":
		z, err := zstd.NewReader(in, zstd.WithDecoderMaxMemory(MaxRequestBytes), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, readFault(err)
		}
		defer z.Close()
		in = z
	default:
		return nil, errEncoding
	}
	body, err := io.ReadAll(io.LimitReader(in, MaxRequestBytes+1))
	if err != nil {
		return nil, readFault(err)
	}
	if len(body) > MaxRequestBytes {
		return nil, errTooLarge
	}
	return body, nil
}

func readFault(err error) error {
	var limit *http.MaxBytesError
	switch {
	case errors.As(err, &limit), errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return errTooLarge
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", errTruncated, err)
	}
	return fmt.Errorf("%w: %w", errCorrupt, err)
}

// split finds the items of a body without looking into them. Lines of NDJSON stand on their own, so that one bad line spoils
// no other; an array or a row of objects must be well formed as a whole.
func split(body []byte, contentType string) ([]json.RawMessage, error) {
	var items []json.RawMessage
	var err error
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case strings.HasPrefix(contentType, "application/x-ndjson"):
		items = lines(body)
	case len(trimmed) > 0 && trimmed[0] == '[':
		if json.Unmarshal(trimmed, &items) != nil {
			return nil, errNotJSON
		}
	case len(trimmed) > 0 && trimmed[0] == '{':
		items, err = objects(trimmed)
	case len(trimmed) > 0:
		return nil, errNotJSON
	}
	switch {
	case err != nil:
		return nil, err
	case len(items) == 0:
		return nil, errNothing
	case len(items) > MaxItems:
		return nil, errTooMany
	}
	return items, nil
}

func lines(body []byte) (items []json.RawMessage) {
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			items = append(items, line)
		}
	}
	return items
}

// objects reads objects one after another: NDJSON whose content type says JSON is among them.
func objects(body []byte) (items []json.RawMessage, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	for {
		var item json.RawMessage
		switch err := d.Decode(&item); {
		case errors.Is(err, io.EOF):
			return items, nil
		case err != nil && len(items) == 0:
			return []json.RawMessage{body}, nil // one item that is not JSON: reading it says so
		case err != nil:
			return nil, errNotJSON
		}
		items = append(items, item)
	}
}
