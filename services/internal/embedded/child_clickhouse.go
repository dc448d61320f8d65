package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// serveQuery makes the engine, which is a command-line tool here, listen until its standard input ends: the query after it
// reads that, and it ends when we are gone, however we went.
const serveQuery = "SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP; SELECT count() FROM file('/dev/stdin', LineAsString, 'l String')"

// runClickHouse is the child process: it loads the engine and serves until standard input ends.
func runClickHouse(library, config, lock string) error {
	held, err := waitForLock(lock)
	if err != nil {
		return err
	}
	defer held.Close()
	if err := forgetLostInserts(filepath.Dir(config)); err != nil {
		// The engine goes by such a log too: better to run than not.
		fmt.Fprintln(os.Stderr, "throughline engine:", err)
	}
	// The engine has its own idea of threads: it must stay on the one it was loaded on.
	runtime.LockOSThread()
	handle, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("load %s: %w", library, err)
	}
	var query func(argc int32, argv **byte) unsafe.Pointer
	purego.RegisterLibFunc(&query, handle, "chdb_query_cmdline")
	argv := cStrings("clickhouse", "--config-file="+config, "--query="+serveQuery)
	result := query(int32(len(argv)-1), &argv[0])
	runtime.KeepAlive(argv)
	if result == nil {
		return errors.New("the engine ended without a result")
	}
	var failure func(unsafe.Pointer) string
	purego.RegisterLibFunc(&failure, handle, "chdb_result_error")
	if text := failure(result); text != "" {
		return errors.New(text)
	}
	return nil
}

// cStrings makes a null-terminated argv.
func cStrings(args ...string) []*byte {
	out := make([]*byte, 0, len(args)+1)
	for _, a := range args {
		b := append([]byte(a), 0)
		out = append(out, &b[0])
	}
	return append(out, nil)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "throughline engine:", err)
	os.Exit(1)
}
