-- +goose Up

-- Rows beside the ledger, all signed like touches_log. Each is ordered by workspace, as every question is of one, and then
-- by what one fact is named by, so that its rows lie together and cancel out cheaply.
CREATE TABLE inquiries_log
(
    workspace    LowCardinality(String),
    recorded_at  DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    sign         Int8,
    person_id    UUID,
    inquiry_id   String,
    type         LowCardinality(String),
    inquiry_time DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    inquiry_date Date CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (workspace, inquiry_date, inquiry_id)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Signed rows behind the view inquiries.';

CREATE TABLE deals_log
(
    workspace     LowCardinality(String),
    recorded_at   DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    sign          Int8,
    deal_id       String,
    person_id     UUID,
    pipeline      LowCardinality(String),
    stage         LowCardinality(String),
    status        LowCardinality(String),
    amount        Decimal(18, 2),
    cost_of_goods Decimal(18, 2),
    created_at    DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    won_at        Nullable(DateTime64(3, 'UTC')),
    closed_at     Nullable(DateTime64(3, 'UTC')),
    manager       LowCardinality(String),
    reason        LowCardinality(String),
    first_channel LowCardinality(String),
    last_channel  LowCardinality(String),
    title         String,
    deleted       Bool
)
ENGINE = MergeTree
ORDER BY (workspace, deal_id)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Signed rows behind the view deals.';

CREATE TABLE deal_stages_log
(
    workspace   LowCardinality(String),
    recorded_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    sign        Int8,
    person_id   UUID,
    deal_id     String,
    pipeline    LowCardinality(String),
    stage       LowCardinality(String),
    entered_at  DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    left_at     Nullable(DateTime64(3, 'UTC')),
    manager     LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (workspace, deal_id, entered_at)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Signed rows behind the view deal_stages.';

CREATE TABLE identities_log
(
    workspace   LowCardinality(String),
    recorded_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    sign        Int8,
    kind        LowCardinality(String),
    node_id     UUID,
    person_id   UUID
)
ENGINE = MergeTree
ORDER BY (workspace, node_id, person_id)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Signed rows behind the view identities.';

CREATE TABLE calls_log
(
    workspace    LowCardinality(String),
    recorded_at  DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    sign         Int8,
    person_id    UUID,
    call_id      String,
    call_time    DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    call_date    Date CODEC(Delta, ZSTD(1)),
    direction    LowCardinality(String),
    status       LowCardinality(String),
    number       LowCardinality(String),
    wait_seconds UInt32,
    talk_seconds UInt32,
    manager      LowCardinality(String),
    match        LowCardinality(String),
    visitor_id   Nullable(UUID)
)
ENGINE = MergeTree
ORDER BY (workspace, call_date, call_id)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Signed rows behind the view calls.';

-- +goose Down
DROP TABLE calls_log;
DROP TABLE identities_log;
DROP TABLE deal_stages_log;
DROP TABLE deals_log;
DROP TABLE inquiries_log;
