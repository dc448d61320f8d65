package items

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
)

// unpack opens what is packed, by its first bytes and not by its name, and reads what is inside.
func (s *stream) unpack(in io.Reader, file string, nested int) {
	if s.format.Format == "query" {
		s.pairs(s.in.Query)
		return
	}
	head, in, err := peek(in)
	switch {
	case err != nil:
		s.fail(fmt.Errorf("read: %w", err))
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		if nested == MaxNested {
			s.fail(beyond("archives in one another", MaxNested))
			return
		}
		z, err := gzip.NewReader(in)
		if err != nil {
			s.fail(fmt.Errorf("gzip: %w", err))
			return
		}
		s.unpack(z, file, nested+1)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		s.zip(in, file, nested)
	default:
		s.read(in, file)
	}
}

// peek is what an input begins with, and the whole of it. What is in memory stays it.
func peek(in io.Reader) ([]byte, io.Reader, error) {
	head := make([]byte, 4)
	if at, ok := in.(io.ReaderAt); ok {
		if seeker, ok := in.(io.Seeker); ok {
			from, err := seeker.Seek(0, io.SeekCurrent)
			if err == nil {
				n, err := at.ReadAt(head, from)
				if errors.Is(err, io.EOF) {
					err = nil
				}
				return head[:n], in, err
			}
		}
	}
	n, err := io.ReadFull(in, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return head[:n], io.MultiReader(bytes.NewReader(head[:n]), in), err
}

// workbookPart is a file that every .xlsx has, which is a zip itself.
const workbookPart = "xl/workbook.xml"

func (s *stream) zip(in io.Reader, file string, nested int) {
	at, size, err := s.random(in)
	if err != nil {
		s.fail(err)
		return
	}
	z, err := zip.NewReader(at, size)
	if err != nil {
		s.fail(fmt.Errorf("zip: %w", err))
		return
	}
	if len(z.File) > MaxArchiveFiles {
		s.fail(beyond("files in a zip", MaxArchiveFiles))
		return
	}
	for _, f := range z.File {
		if f.Name == workbookPart && s.format.Format == "xlsx" {
			s.place.File = file
			s.xlsx(io.NewSectionReader(at, 0, size), size)
			return
		}
	}
	if nested == MaxNested {
		s.fail(beyond("archives in one another", MaxNested))
		return
	}
	chosen := 0
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		if ok, err := matches(s.format.Files, f.Name); err != nil || !ok {
			continue
		}
		chosen++
		s.zipped(f, file, nested)
		if s.stopped {
			return
		}
	}
	if chosen == 0 {
		s.fail(fmt.Errorf("zip: none of its %d files matches %q", len(z.File), s.format.Files))
	}
}

func (s *stream) zipped(f *zip.File, file string, nested int) {
	s.place.File, s.place.Line = file+"/"+f.Name, 0
	r, err := f.Open()
	if err != nil {
		s.fail(fmt.Errorf("zip: %w", err))
		return
	}
	defer r.Close()
	s.unpack(r, s.place.File, nested+1)
}

// matches reports that a file inside an archive is wanted; its folder does not matter.
func matches(pattern, name string) (bool, error) {
	if pattern == "" {
		return true, nil
	}
	return path.Match(pattern, path.Base(name))
}

// random gives access to all of an input at once: a zip has its contents at its end.
func (s *stream) random(in io.Reader) (io.ReaderAt, int64, error) {
	if at, ok := in.(io.ReaderAt); ok {
		if seeker, ok := in.(io.Seeker); ok {
			if size, err := seeker.Seek(0, io.SeekEnd); err == nil {
				return at, size, nil
			}
		}
	}
	b, err := io.ReadAll(io.LimitReader(in, MaxPackedBytes+1))
	if err != nil {
		return nil, 0, fmt.Errorf("read: %w", err)
	}
	if len(b) > MaxPackedBytes {
		return nil, 0, beyond("bytes in an archive that is no file", MaxPackedBytes)
	}
	return bytes.NewReader(b), int64(len(b)), nil
}

// read reads what is no longer packed.
func (s *stream) read(in io.Reader, file string) {
	s.place.File, s.place.Line = file, 0
	switch s.format.Format {
	case "json":
		s.json(in)
	case "ndjson":
		s.ndjson(in)
	case "form":
		s.form(in)
	case "multipart":
		s.multipart(in)
	case "xml":
		s.xml(in)
	case "csv", "tsv":
		s.csv(in)
	case "text":
		s.text(in)
	case eventsFormat:
		s.events(in)
	case "xlsx":
		s.fail(errors.New("it is no workbook (.xlsx)"))
	default:
		s.fail(fmt.Errorf("format %q is unknown", s.format.Format))
	}
}
