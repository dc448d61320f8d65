package importer

import (
	"iter"

	"github.com/throughline-io/throughline/pipelines/sources/items"
)

// readEvents reads canonical events, each as it stands.
func readEvents(in items.Input) iter.Seq2[items.Item, error] { return items.Events().Read(in) }
