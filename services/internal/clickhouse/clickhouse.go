// Package clickhouse connects to ClickHouse and brings its tables up to date. It knows statements, not what they mean.
package clickhouse

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/pressly/goose/v3"
)

// Config is where ClickHouse is and who asks.
type Config struct {
	Addr           []string
	Database       string
	User, Password string
	// MaxConns bounds the connections.
	MaxConns int
	Settings map[string]any
	// TLS, if set, is how the connection is secured.
	TLS *tls.Config
}

// Time-outs of a connection.
const (
	dialTimeout = 5 * time.Second
	// readTimeout is longer than any statement of ours runs.
	readTimeout = 5 * time.Minute
)

func (c Config) options() *clickhouse.Options {
	n := max(c.MaxConns, 2)
	return &clickhouse.Options{
		Addr: c.Addr, Auth: clickhouse.Auth{Database: c.Database, Username: c.User, Password: c.Password},
		DialTimeout: dialTimeout, ReadTimeout: readTimeout, MaxOpenConns: n, MaxIdleConns: n, ConnMaxLifetime: 10 * time.Minute,
		Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4}, Settings: clickhouse.Settings(c.Settings), TLS: c.TLS,
		ClientInfo: clickhouse.ClientInfo{Products: []struct{ Name, Version string }{{"throughline", "1"}}},
	}
}

// Open makes a pool of connections; nothing is asked yet.
func Open(c Config) (driver.Conn, error) {
	conn, err := clickhouse.Open(c.options())
	if err != nil {
		return nil, fmt.Errorf("clickhouse: %w", err)
	}
	return conn, nil
}

// Migrate makes the database, applies the migrations that it lacks and makes the views anew. Admin must be allowed to.
func Migrate(ctx context.Context, admin Config, migrations, views fs.FS) error {
	database := admin.Database
	admin.Database = ""
	conn, err := Open(admin)
	if err != nil {
		return err
	}
	err = conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+database)
	if err := errors.Join(err, conn.Close()); err != nil {
		return fmt.Errorf("clickhouse: make database %s: %w", database, err)
	}
	admin.Database = database
	db := clickhouse.OpenDB(admin.options())
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectClickHouse, db, migrations)
	if err != nil {
		return fmt.Errorf("clickhouse: read migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("clickhouse: migrate: %w", err)
	}
	files, err := fs.Glob(views, "*.sql")
	if err != nil {
		return err
	}
	for _, name := range files {
		text, err := fs.ReadFile(views, name)
		if err != nil {
			return err
		}
		for _, statement := range Statements(string(text)) {
			if _, err := db.ExecContext(ctx, statement); err != nil {
				return fmt.Errorf("clickhouse: view in %s: %w\n%s", name, err, statement)
			}
		}
	}
	return nil
}

// Statements splits a file at the semicolons that end lines.
func Statements(text string) (out []string) {
	for _, s := range strings.Split(strings.ReplaceAll(text, "\r\n", "\n")+"\n", ";\n") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
