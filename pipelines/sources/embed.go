package sources

import (
	"embed"
	"errors"
	"fmt"
	"os"
	"path"
	"sync"

	"github.com/throughline-io/throughline/pipelines/workspace"
)

//go:embed */source.yaml */*.jq */samples/*
var shipped embed.FS

// where the shipped ones are, for people.
const shippedPath = "pipelines/sources"

// Shipped are the sources that come with the program. A fault in one is a fault of the program, found by its first test.
var Shipped = sync.OnceValue(func() []*Source {
	list, err := Load(shipped, shippedPath)
	if err != nil {
		panic(fmt.Sprintf("shipped sources:\n%v", err))
	}
	return list
})

// Open is every source there is: the shipped ones, and those of the user's own folder, if one is named.
func Open(own string) ([]*Source, error) {
	list := append([]*Source{}, Shipped()...)
	if own == "" {
		return list, nil
	}
	if info, err := os.Stat(own); err != nil || !info.IsDir() {
		return nil, errors.Join(fmt.Errorf("sources: %q is no folder", own), err)
	}
	mine, err := Load(os.DirFS(own), path.Clean(own))
	if err != nil {
		return nil, err
	}
	for _, s := range mine {
		s.Own = true
	}
	return append(list, mine...), nil
}

// OpenAndBind is Open and Bind: what a process needs, at its start and when it is told to read again.
func OpenAndBind(own string, workspaces []workspace.Workspace) (*Set, error) {
	list, err := Open(own)
	if err != nil {
		return nil, err
	}
	return Bind(list, workspaces)
}
