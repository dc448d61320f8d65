package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// watchGrace is how long a watched program may take to end in order.
const watchGrace = 8 * time.Second

// runWatched runs a program that does not watch its standard input, and does so for it: when ours ends, because who started us
// ended or died, the program is told to end, and killed if it does not. If we are killed ourselves, the system kills
// it.
func runWatched(lock string, command []string) error {
	held, err := waitForLock(lock)
	if err != nil {
		return err
	}
	// The death signal follows the thread that started the program, not the process.
	runtime.LockOSThread()
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...) // ended below, in order
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{held} // it holds the lock as long as it lives
	cmd.SysProcAttr = deathSignal()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", command[0], err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	told := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // however it ends, who started us is gone
		close(told)
	}()
	select {
	case err := <-ended:
		return err
	case <-told:
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil // it was told to end, and says so
		}
		return err
	case <-time.After(watchGrace):
		return errors.Join(cmd.Process.Kill(), <-ended)
	}
}
