package embedded

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Lock holds a data directory for one system. The operating system lets it go when the process dies, however it dies.
type Lock struct{ file *os.File }

// ErrLocked says that another process holds the data directory.
var ErrLocked = errors.New("the data directory is in use")

// LockData takes the lock of a data directory, making the directory if need be.
func LockData(dir string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path)
		_ = f.Close()
		return nil, fmt.Errorf("%w: %s is held by process %s; end that one or choose another directory with --data", ErrLocked, dir, strings.TrimSpace(string(holder)))
	}
	if err := f.Truncate(0); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if _, err := fmt.Fprintln(f, os.Getpid()); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	return &Lock{f}, nil
}

// Unlock lets the directory go.
func (l *Lock) Unlock() error { return l.file.Close() }

// leftoverWait is how long an engine of a former life may take to end.
const leftoverWait = 20 * time.Second

// waitForLock takes an engine's own lock: what an engine of a former life holds until it has ended. The file stays
// locked as long as any process that inherited it lives.
func waitForLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(leftoverWait); ; <-time.After(20 * time.Millisecond) { // flock has no wait with a limit
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if time.Now().After(end) {
			_ = f.Close()
			return nil, fmt.Errorf("an engine of a former life has not ended within %s: %s: %w", leftoverWait, path, err)
		}
	}
}
