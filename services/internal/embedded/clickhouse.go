package embedded

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"go.uber.org/zap"
)

// AdminUser makes tables and views in an embedded ClickHouse. Its password is made with the data directory.
const AdminUser = "throughline_admin"

// ClickHouse is a running engine.
type ClickHouse struct {
	process
	addr, http, password string
}

// StartClickHouse starts the engine on the configured ports and waits until it answers.
func StartClickHouse(ctx context.Context, cfg Config, log *zap.Logger) (*ClickHouse, error) {
	library := libraryPath(cfg.Engines)
	if _, err := os.Stat(library); err != nil {
		return nil, fmt.Errorf("the ClickHouse engine is not there (%w): run `make engines`, or use one of your own with --clickhouse", err)
	}
	dir, logs, err := makeDirs(cfg.Data, "clickhouse")
	if err != nil {
		return nil, err
	}
	lock := filepath.Join(dir, "engine.lock")
	if err := awaitLeftover(lock); err != nil {
		return nil, err
	}
	c := &ClickHouse{}
	if c.password, err = adminPassword(filepath.Join(cfg.Data, "clickhouse_admin")); err != nil {
		return nil, err
	}
	if c.addr, err = freePort(ctx, cfg.ClickHouse); err != nil {
		return nil, err
	}
	if c.http, err = freePort(ctx, cfg.ClickHouseHTTP); err != nil {
		return nil, err
	}
	users := append([]User{{Name: AdminUser, Password: c.password, Admin: true}}, cfg.Users...)
	config, err := writeClickHouseConfig(dir, logs, c.addr, c.http, users)
	if err != nil {
		return nil, err
	}
	c.process = process{
		name: "clickhouse", args: []string{verbClickHouse, library, config, lock}, output: filepath.Join(logs, "clickhouse.out"),
		ready: c.ping, log: log,
	}
	if err := c.start(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Addr is host:port of the native protocol; HTTPAddr of HTTP.
func (c *ClickHouse) Addr() string     { return c.addr }
func (c *ClickHouse) HTTPAddr() string { return c.http }

// AdminPassword is the password of AdminUser.
func (c *ClickHouse) AdminPassword() string { return c.password }

// PID is the engine's process now.
func (c *ClickHouse) PID() int { return int(c.pid.Load()) }

// Stop ends the engine in order.
func (c *ClickHouse) Stop() { c.end() }

// ping asks over HTTP, since a failed login over the native protocol would end the engine.
func (c *ClickHouse) ping(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.http+"/", strings.NewReader("SELECT 1"))
	if err != nil {
		return err
	}
	req.SetBasicAuth(AdminUser, c.password)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1000))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d: %s", res.StatusCode, body)
	}
	return err
}

func makeDirs(data, engine string) (dir, logs string, err error) {
	if data, err = filepath.Abs(data); err != nil {
		return "", "", err
	}
	dir, logs = filepath.Join(data, engine), filepath.Join(data, "logs")
	return dir, logs, errors.Join(os.MkdirAll(dir, 0o750), os.MkdirAll(logs, 0o750))
}

// awaitLeftover waits until an engine of a former life has let its lock go, so that its ports are free too.
func awaitLeftover(lock string) error {
	f, err := waitForLock(lock)
	if err != nil {
		return err
	}
	return f.Close()
}

// adminPassword reads the admin's password, or makes one.
func adminPassword(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err == nil && len(b) >= 32 {
		return strings.TrimSpace(string(b)), nil
	}
	secret := make([]byte, 24)
	if _, err := rand.Read(secret); err != nil {
		return "", err
	}
	password := hex.EncodeToString(secret)
	return password, os.WriteFile(path, []byte(password), 0o600)
}

// platform is this machine's name in the npm package of the engine.
func platform() string {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	if runtime.GOOS == "linux" {
		return "linux-" + arch + "-gnu"
	}
	return runtime.GOOS + "-" + arch
}

func libraryPath(engines string) string {
	return filepath.Join(engines, "node_modules", "@chdb", "lib-"+platform(), "libchdb.so")
}
