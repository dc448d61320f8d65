package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// process is one engine under supervision.
type process struct {
	name   string
	args   []string // of this program
	output string   // file that its output is appended to
	ready  func(context.Context) error
	log    *zap.Logger
	pid    atomic.Int64
	stop   context.CancelFunc
	done   chan struct{}
}

// start starts the engine, waits until it answers and keeps it alive from then on.
func (p *process) start(ctx context.Context) error {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p.stop, p.done = cancel, make(chan struct{})
	first := make(chan error, 1)
	go p.supervise(life, first)
	wait, cancelWait := context.WithTimeout(ctx, readyTimeout)
	defer cancelWait()
	answered := make(chan error, 1)
	go func() { answered <- p.awaitReady(wait) }()
	var err error
	select {
	case err = <-answered:
	case err = <-first:
		err = fmt.Errorf("it ended at once: %w", err)
	}
	if err != nil {
		p.end()
		return fmt.Errorf("start %s: %w; the end of its output (%s):\n%s", p.name, err, p.output, tail(p.output))
	}
	return nil
}

// supervise runs the engine again and again until life ends. The first end is told to whoever waits for the start.
func (p *process) supervise(life context.Context, first chan<- error) {
	defer close(p.done)
	backOff := firstBackOff
	for life.Err() == nil {
		began := time.Now()
		err := p.run(life)
		if life.Err() != nil {
			return
		}
		select {
		case first <- errors.Join(err, errEnded):
		default: // it is told once; who waited for the start may have gone long ago
		}
		p.log.Warn("engine ended: starting it again", zap.String("engine", p.name), zap.Error(err), zap.Duration("in", backOff))
		if time.Since(began) > time.Minute {
			backOff = firstBackOff
		}
		select {
		case <-life.Done():
		case <-time.After(backOff):
		}
		backOff = min(2*backOff, lastBackOff)
	}
}

var errEnded = errors.New("the process has ended")

// run is one life of the engine.
func (p *process) run(life context.Context) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(p.output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.CommandContext(context.WithoutCancel(life), exe, p.args...) // ended below, in order
	cmd.Stdout, cmd.Stderr = out, out
	// Not in the terminal's group: Ctrl-C is for us, and we end the engines in order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.pid.Store(int64(cmd.Process.Pid))
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-life.Done():
	}
	_ = stdin.Close() // it has ended already if this fails
	select {
	case err := <-ended:
		return err
	case <-time.After(stopTimeout):
		p.log.Warn("engine did not end in time: killing it", zap.String("engine", p.name))
		return errors.Join(cmd.Process.Kill(), <-ended)
	}
}

func (p *process) awaitReady(ctx context.Context) error {
	var last error
	for ctx.Err() == nil {
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		last = p.ready(try)
		cancel()
		if last == nil {
			return nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Millisecond):
		}
	}
	return fmt.Errorf("it does not answer: %w", last)
}

// end stops the engine in order and waits for it.
func (p *process) end() {
	p.stop()
	<-p.done
}

// tail is the last lines of a file, for an error message.
func tail(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	const most = 1500
	return string(b[max(0, len(b)-most):])
}
