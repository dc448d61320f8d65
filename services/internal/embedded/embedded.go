// Package embedded runs real engines, a ClickHouse and an Apache Kafka of one node each, as supervised children of this
// process, for a laptop, a test or a small company.
//
// It promises: an engine that dies is started again on the same port; engines end with us, in order if we end in
// order and by themselves if we are killed; what an engine acknowledged survives kill -9 of any of these processes, within
// what the engine itself promises on one disk (there is no replica). It knows no event. Engines listen on the loopback
// only: one failed login over the native protocol ends this build of ClickHouse, and the supervisor can but bring it back.
package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Config says where engines live and listen.
type Config struct {
	// Data is the data directory.
	Data string
	// Engines is where Fetch put the engines.
	Engines string
	// Kafka, ClickHouse and ClickHouseHTTP are host:port on the loopback; port 0 is one that the system chooses.
	Kafka, ClickHouse, ClickHouseHTTP string
	// Users of ClickHouse.
	Users []User
	// Secure, if set, has Kafka speak TLS alone and ask for a login by SCRAM-SHA-512: connections to brokers elsewhere are tested
	// on it. (This build of ClickHouse listens without TLS only.)
	Secure *Secure
}

// Secure is how a broker proves who it is, and who may come in.
type Secure struct {
	Cert, Key      string // PEM files
	User, Password string
}

// Limits of the supervisor.
const (
	// readyTimeout is how long an engine may take from its start until it answers.
	readyTimeout = 90 * time.Second
	// firstBackOff and lastBackOff bound the pause before an engine that died is started again.
	firstBackOff = 50 * time.Millisecond
	lastBackOff  = 5 * time.Second
	// stopTimeout is how long an engine may take to end before it is killed.
	stopTimeout = 20 * time.Second
)

// EnginesDir is where engines are kept by default: $THROUGHLINE_ENGINES, else `engines` beside the program, else the
// user's cache.
func EnginesDir() string {
	if dir := os.Getenv("THROUGHLINE_ENGINES"); dir != "" {
		return dir
	}
	if exe, err := os.Executable(); err == nil {
		dir := filepath.Join(filepath.Dir(exe), "engines")
		if _, err := os.Stat(filepath.Join(dir, kafkaDir)); err == nil {
			return dir
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return filepath.Join(cache, "throughline", "engines")
}

// Fetched tells which engine is not in the directory.
func Fetched(dir string) error {
	for _, path := range []string{libraryPath(dir), filepath.Join(dir, kafkaDir)} {
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("an engine is not there (%w): run `make engines`", err)
		}
	}
	return nil
}
