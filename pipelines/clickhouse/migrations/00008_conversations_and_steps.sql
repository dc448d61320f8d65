-- +goose Up

-- The days of a deal and of a stay in the workspace's time zone, which the stitcher knows and a view cannot. Rows of before have
-- none; a stitcher that posts days takes them back and posts them with days, as it does after any change of configuration.
ALTER TABLE deals_log
    ADD COLUMN created_date Date COMMENT 'in the workspace''s time zone',
    ADD COLUMN won_date Nullable(Date) COMMENT 'in the workspace''s time zone; NULL while it is not won',
    ADD COLUMN closed_date Nullable(Date) COMMENT 'in the workspace''s time zone; NULL while it is open';

ALTER TABLE deal_stages_log ADD COLUMN entered_date Date COMMENT 'in the workspace''s time zone';

-- Order: one workspace, a range of days, then a conversation's rows together.
CREATE TABLE conversations_log
(
    workspace       LowCardinality(String),
    recorded_at     DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    sign            Int8,
    person_id       UUID,
    conversation_id String,
    platform        LowCardinality(String),
    began_at        DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    date            Date CODEC(Delta, ZSTD(1)),
    answered_at     Nullable(DateTime64(3, 'UTC')),
    manager         LowCardinality(String)
)
ENGINE = MergeTree
ORDER BY (workspace, date, conversation_id)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Signed rows behind the view conversations.';

-- Which steps of the funnel each deal reached, and what each channel has of it. The stitcher multiplies stays by shares: a sum of
-- products whose factors come in two inserts cannot be kept up to date at insert.
-- Order: one workspace, a range of days, then a deal's rows together, so that they cancel out cheaply.
CREATE TABLE deal_steps_log
(
    workspace   LowCardinality(String),
    recorded_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    sign        Int8,
    deal_id     String,
    lead_date   Date CODEC(Delta, ZSTD(1)),
    channel     LowCardinality(String),
    pipeline    LowCardinality(String),
    stage       LowCardinality(String) COMMENT 'empty: the deal stands won',
    ended       Bool COMMENT 'a stay in the stage is over',
    stayed_ms   Int64 COMMENT 'of all stays in the stage that are over' CODEC(T64, ZSTD(1)),
    shares      Array(Int64) COMMENT 'millionths of the deal''s creation by model: first_touch, last_touch, last_non_direct, linear, time_decay, position_based, w_shaped'
)
ENGINE = MergeTree
ORDER BY (workspace, lead_date, deal_id, stage, channel)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Signed rows behind funnel: one row is a step that a deal reached and a channel that has a part of the deal.';

-- +goose Down
DROP TABLE deal_steps_log;
DROP TABLE conversations_log;
ALTER TABLE deal_stages_log DROP COLUMN entered_date;
ALTER TABLE deals_log DROP COLUMN created_date, DROP COLUMN won_date, DROP COLUMN closed_date;
