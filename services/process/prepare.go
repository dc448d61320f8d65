package process

import (
	"context"
	"fmt"
	"strconv"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/throughline-io/throughline/pipelines"
	schema "github.com/throughline-io/throughline/pipelines/clickhouse"
	"github.com/throughline-io/throughline/services/internal/clickhouse"
	"github.com/throughline-io/throughline/services/internal/kafka"
)

// maxMessageBytes is the largest batch that any topic takes: the dead letter of an item as large as a request, sealed and in
// base64, has 22 MiB.
const maxMessageBytes = 24 << 20

// EnsureTopics makes the topics that are missing and checks the others.
func EnsureTopics(ctx context.Context, connect []kgo.Opt, prefix string, partitions int) error {
	client, err := kgo.NewClient(connect...)
	if err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	defer client.Close()
	var specs []kafka.TopicSpec
	for _, t := range pipelines.Topics {
		s := kafka.TopicSpec{Name: prefix + t.Name, Partitions: int32(partitions), Replication: -1, Configs: map[string]string{
			kafka.CleanupPolicy: "delete", kafka.MaxMessage: strconv.Itoa(maxMessageBytes),
		}}
		switch {
		case t.Compact:
			s.Configs[kafka.CleanupPolicy] = "compact"
		case t.Retention > 0:
			s.Configs[kafka.Retention] = strconv.FormatInt(t.Retention.Milliseconds(), 10)
		default:
			s.Configs[kafka.Retention] = "-1"
		}
		specs = append(specs, s)
	}
	if err := kafka.EnsureTopics(ctx, client, specs); err != nil {
		return fmt.Errorf("kafka: %w", err)
	}
	return nil
}

// Migrate brings the tables, the views and what the configuration says of stages and workspaces up to date and, where they are not in a file, the users.
func Migrate(ctx context.Context, e *Engines, users []schema.User, stages []schema.Stage, settings []schema.Settings) error {
	admin := clickhouse.Config{Addr: e.ClickHouse, Database: schema.Database, User: e.Admin, Password: e.AdminPassword, TLS: e.clickhouseTLS}
	if err := clickhouse.Migrate(ctx, admin, schema.Migrations(), schema.Views()); err != nil {
		return err
	}
	admin.Settings = map[string]any{"max_query_size": schema.MaxQuery}
	conn, err := clickhouse.Open(admin)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Exec(ctx, schema.StageOrder(stages)); err != nil {
		return fmt.Errorf("clickhouse: order of stages: %w", err)
	}
	if err := conn.Exec(ctx, schema.WorkspaceSettings(settings)); err != nil {
		return fmt.Errorf("clickhouse: settings of workspaces: %w", err)
	}
	if e.Embedded {
		return nil
	}
	for _, u := range users {
		for _, statement := range u.SQL() {
			if err := conn.Exec(ctx, statement); err != nil {
				return fmt.Errorf("clickhouse: user %s: %w", u.Name, err)
			}
		}
	}
	return nil
}

// OpenClickHouse connects as a user.
func OpenClickHouse(e *Engines, user, password string, conns int) (driver.Conn, error) {
	return clickhouse.Open(clickhouse.Config{Addr: e.ClickHouse, Database: schema.Database, User: user, Password: password, MaxConns: conns, TLS: e.clickhouseTLS})
}

// Lag is how many records of a topic a group has still to take.
func Lag(ctx context.Context, client *kgo.Client, group, topic string) (int64, error) {
	return kafka.Lag(ctx, client, group, topic)
}
