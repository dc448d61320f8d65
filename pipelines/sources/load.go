package sources

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// DefinitionFile is what makes a folder a source; SamplesFolder beside it holds its samples.
const (
	DefinitionFile = "source.yaml"
	SamplesFolder  = "samples"
)

// Limits of definitions.
const (
	// MaxFileBytes is the largest file of a definition.
	MaxFileBytes = 1 << 20
	// MaxEntries is the most entries of a source, MaxSettings the most settings and tables.
	MaxEntries  = 32
	MaxSettings = 100
)

// Source is a definition that was found without a fault, its programs compiled. It is safe for concurrent use and never changes.
type Source struct {
	Definition
	// Version is a hash of everything but the samples: what was kept says by which definition it was read.
	Version string
	// Own: it is the user's, and not one of those that are shipped.
	Own bool

	folder fs.FS
	file   string // of the definition, for people
	doc    *document
}

// Load reads every source of a folder. Where names files for people. All faults of all sources are told.
func Load(folder fs.FS, where string) ([]*Source, error) {
	found, err := fs.Glob(folder, "*/"+DefinitionFile)
	if err != nil {
		return nil, fmt.Errorf("sources: %w", err)
	}
	var list []*Source
	var all []error
	for _, file := range found {
		s, err := loadOne(folder, path.Dir(file), where)
		if err != nil {
			all = append(all, err)
			continue
		}
		list = append(list, s)
	}
	return list, errors.Join(all...)
}

// loadOne reads the source in one folder.
func loadOne(folder fs.FS, name, where string) (*Source, error) {
	sub, err := fs.Sub(folder, name)
	if err != nil {
		return nil, fmt.Errorf("sources: %w", err)
	}
	s := &Source{folder: sub, file: path.Join(where, name, DefinitionFile)}
	text, err := readFile(sub, DefinitionFile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.file, err)
	}
	s.doc = decode(s.file, text, &s.Definition)
	if s.Name != name {
		s.doc.fault("name", "%q must be the folder's name, %q", s.Name, name)
	}
	s.validate()
	s.compile()
	if s.Version, err = version(sub); err != nil {
		s.doc.wrong(err)
	}
	return s, errors.Join(s.doc.faults...)
}

// readFile reads a file of a definition, which cannot be a large one.
func readFile(folder fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(folder, name)
	if err != nil {
		return nil, err
	}
	if info.Size() > MaxFileBytes {
		return nil, fmt.Errorf("%s has %d bytes; %d are allowed", name, info.Size(), MaxFileBytes)
	}
	return fs.ReadFile(folder, name)
}

// version is a hash of a definition's files, by their names.
func version(folder fs.FS) (string, error) {
	names := []string{DefinitionFile}
	programs, err := fs.Glob(folder, "*.jq")
	if err != nil {
		return "", err
	}
	slices.Sort(programs)
	h := sha256.New()
	for _, name := range append(names, programs...) {
		text, err := readFile(folder, name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s\x00%d\x00", name, len(text))
		h.Write(text)
	}
	return hex.EncodeToString(h.Sum(nil)[:6]), nil
}

// isProgramFile tells the name of a file from a program.
func isProgramFile(s string) bool {
	return strings.HasSuffix(s, ".jq") && !strings.ContainsAny(s, " \n|\"(")
}

// Entry finds an entry by its name.
func (s *Source) Entry(name string) (*Entry, bool) {
	for i := range s.Entries {
		if s.Entries[i].Name == name {
			return &s.Entries[i], true
		}
	}
	return nil, false
}

// EntriesOf are the entries of a kind.
func (s *Source) EntriesOf(kind string) []*Entry {
	var out []*Entry
	for i := range s.Entries {
		if s.Entries[i].Kind == kind {
			out = append(out, &s.Entries[i])
		}
	}
	return out
}
