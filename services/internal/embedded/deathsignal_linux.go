package embedded

import "syscall"

// deathSignal kills a child when the thread that started it ends.
func deathSignal() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
