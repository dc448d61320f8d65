package embedded

import (
	"os"
)

// Verbs under which a program runs itself again as an engine's process.
const (
	verbClickHouse = "engine-clickhouse"
	verbWatch      = "engine-watch"
)

// Main runs an engine's process if that is what this process was started for, and ends with it. Call it first in main, and
// in the TestMain of tests that start engines: the engines are children that execute this very program.
func Main() {
	if len(os.Args) < 2 {
		return
	}
	var err error
	switch os.Args[1] {
	case verbClickHouse:
		err = runClickHouse(os.Args[2], os.Args[3], os.Args[4])
	case verbWatch:
		err = runWatched(os.Args[2], os.Args[3:])
	default:
		return
	}
	if err != nil {
		fail(err)
	}
	os.Exit(0)
}
