//go:build !linux

package embedded

import "syscall"

// deathSignal is known to Linux alone; elsewhere a child outlives a watcher that was killed, and its lock says so.
func deathSignal() *syscall.SysProcAttr { return &syscall.SysProcAttr{} }
