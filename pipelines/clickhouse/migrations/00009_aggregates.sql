-- +goose Up

-- What is behind funnel. Each row stands once for its day and once for its month, so that a year is twelve months and no more than two
-- months' days. Stays are counted by length: since is a length to its six upper bits, which is within 3 %, shares what was of about
-- that length in millionths of deals, and ms the sum of share by length. Whole numbers only: what is taken back leaves nothing.
-- Order: a funnel asks for one workspace, one model, and a range of months and of days; a granule is small, for rows are not.
CREATE TABLE funnel_sums
(
    workspace LowCardinality(String),
    model     LowCardinality(String),
    grain     Enum8('day' = 1, 'month' = 2),
    date      Date CODEC(Delta, ZSTD(1)),
    channel   LowCardinality(String),
    pipeline  LowCardinality(String),
    stage     LowCardinality(String),
    deals     Int64 COMMENT 'millionths',
    stayedMap Nested(since UInt64, shares Int64, ms Int128)
)
ENGINE = SummingMergeTree
ORDER BY (workspace, model, grain, date, channel, pipeline, stage)
SETTINGS index_granularity = 256, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Steps of the funnel by day or month of the deals'' creation. Always filter one model and one grain, and sum; an empty stage is won.';

CREATE MATERIALIZED VIEW funnel_sums_from_steps TO funnel_sums AS
SELECT
    workspace, model, grain, date, channel, pipeline, stage, deals,
    stayed.1 AS `stayedMap.since`, stayed.2 AS `stayedMap.shares`, stayed.3 AS `stayedMap.ms`
FROM
(
    SELECT
        workspace, model, period.1 AS grain, period.2 AS date, channel, pipeline, stage, sum(share) AS deals,
        sumMapIf([since], [share], [toInt128(share) * stayed_ms], ended) AS stayed
    FROM
    (
        SELECT
            workspace, part.1 AS model, lead_date, channel, pipeline, stage, sign * part.2 AS share, stayed_ms, ended,
            toUInt64(greatest(stayed_ms, 0)) AS length, length - length % greatest(intDiv(roundToExp2(length), 32), 1) AS since
        FROM deal_steps_log
        ARRAY JOIN arrayZip(['first_touch', 'last_touch', 'last_non_direct', 'linear', 'time_decay', 'position_based', 'w_shaped'], shares) AS part
        WHERE part.2 != 0
    )
    ARRAY JOIN [('day', lead_date), ('month', toStartOfMonth(lead_date))] AS period
    GROUP BY workspace, model, grain, date, channel, pipeline, stage
);

-- channel_daily by month: reports over long times read whole months from here, and the days that are left of the first and the last
-- month from there. Filled by what is inserted into channel_daily, whatever that came of.
-- Order: as channel_daily's.
CREATE TABLE channel_monthly
(
    workspace     LowCardinality(String),
    date_basis    LowCardinality(String),
    month         Date CODEC(Delta, ZSTD(1)),
    model         LowCardinality(String),
    channel       LowCardinality(String),
    source        LowCardinality(String),
    medium        LowCardinality(String),
    campaign      LowCardinality(String),
    visits        Int64,
    impressions   Int64,
    clicks        Int64,
    spend         Decimal(18, 2),
    inquiries     Decimal(18, 6),
    deals         Decimal(18, 6),
    sales         Decimal(18, 6),
    revenue       Decimal(18, 2),
    cost_of_goods Decimal(18, 2)
)
ENGINE = SummingMergeTree((visits, impressions, clicks, spend, inquiries, deals, sales, revenue, cost_of_goods))
ORDER BY (workspace, model, date_basis, month, channel, source, medium, campaign)
SETTINGS index_granularity = 1024, non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'channel_daily by month. Always filter one model and one date_basis (visits and spend stand once in each), and sum: rows of one key may not be merged yet.';

CREATE MATERIALIZED VIEW channel_monthly_from_daily TO channel_monthly AS
SELECT
    workspace, date_basis, toStartOfMonth(date) AS month, model, channel, source, medium, campaign,
    sum(d.visits) AS visits, sum(d.impressions) AS impressions, sum(d.clicks) AS clicks, sum(d.spend) AS spend, sum(d.inquiries) AS inquiries,
    sum(d.deals) AS deals, sum(d.sales) AS sales, sum(d.revenue) AS revenue, sum(d.cost_of_goods) AS cost_of_goods
FROM channel_daily AS d
GROUP BY workspace, date_basis, month, model, channel, source, medium, campaign;

-- What is behind managers_daily.
-- Order: one workspace, a range of days.
CREATE TABLE managers_sums
(
    workspace     LowCardinality(String),
    date          Date CODEC(Delta, ZSTD(1)),
    manager       LowCardinality(String),
    calls_in      Int64,
    calls_out     Int64,
    missed        Int64,
    talk_seconds  Int64,
    conversations Int64,
    answered      Int64 COMMENT 'conversations that were answered',
    answer_ms     Int64 COMMENT 'until they were',
    deals         Int64,
    won           Int64,
    revenue       Decimal(18, 2)
)
ENGINE = SummingMergeTree
ORDER BY (workspace, date, manager)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Sums by day and manager, behind managers_daily; sum: rows of one key may not be merged yet.';

CREATE MATERIALIZED VIEW managers_sums_from_calls TO managers_sums AS
SELECT
    workspace, call_date AS date, manager, toInt64(sum(sign * (direction = 'in'))) AS calls_in, toInt64(sum(sign * (direction = 'out'))) AS calls_out,
    toInt64(sum(sign * (direction = 'in' AND status != 'answered'))) AS missed, sum(sign * toInt64(c.talk_seconds)) AS talk_seconds
FROM calls_log AS c
GROUP BY workspace, date, manager;

CREATE MATERIALIZED VIEW managers_sums_from_conversations TO managers_sums AS
SELECT
    workspace, c.date AS date, manager, toInt64(sum(sign)) AS conversations, toInt64(sum(sign * (answered_at IS NOT NULL))) AS answered,
    sum(sign * ifNull(toUnixTimestamp64Milli(answered_at) - toUnixTimestamp64Milli(began_at), 0)) AS answer_ms
FROM conversations_log AS c
GROUP BY workspace, date, manager;

CREATE MATERIALIZED VIEW managers_sums_from_deals TO managers_sums AS
SELECT workspace, day.1 AS date, manager, toInt64(sum(sign * day.2)) AS deals, toInt64(sum(sign * day.3)) AS won, sum(sign * day.4) AS revenue
FROM deals_log
ARRAY JOIN [
    (created_date, 1, 0, toDecimal64(0, 2)),
    (ifNull(won_date, toDate(0)), 0, toInt8(status = 'won' AND won_date IS NOT NULL), if(status = 'won' AND won_date IS NOT NULL, amount, toDecimal64(0, 2)))] AS day
WHERE NOT deleted AND (day.2 != 0 OR day.3 != 0)
GROUP BY workspace, date, manager;

-- What is behind reasons.
-- Order: one workspace, a range of days.
CREATE TABLE reasons_sums
(
    workspace LowCardinality(String),
    date      Date CODEC(Delta, ZSTD(1)),
    status    LowCardinality(String),
    reason    LowCardinality(String),
    channel   LowCardinality(String),
    manager   LowCardinality(String),
    deals     Int64,
    amount    Decimal(18, 2)
)
ENGINE = SummingMergeTree
ORDER BY (workspace, date, status, reason, channel, manager)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Deals that ended by day, end, reason, channel and manager, behind reasons; sum: rows of one key may not be merged yet.';

CREATE MATERIALIZED VIEW reasons_sums_from_deals TO reasons_sums AS
SELECT
    workspace, assumeNotNull(closed_date) AS date, status, reason, last_channel AS channel, manager,
    toInt64(sum(sign)) AS deals, sum(sign * d.amount) AS amount
FROM deals_log AS d
WHERE status IN ('won', 'lost') AND NOT deleted AND closed_date IS NOT NULL
GROUP BY workspace, date, status, reason, channel, manager;

-- What is behind pipeline_speed: how many stays, and with an empty stage how many cycles of whole deals, were of just that length.
-- Order: one workspace, a range of days.
CREATE TABLE speed_sums
(
    workspace LowCardinality(String),
    date      Date CODEC(Delta, ZSTD(1)),
    pipeline  LowCardinality(String),
    stage     LowCardinality(String),
    status    LowCardinality(String),
    ms        Int64,
    times     Int64
)
ENGINE = SummingMergeTree((times))
ORDER BY (workspace, date, pipeline, stage, status, ms)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Lengths of stays by the day of entry, and of deals by the day of creation, behind pipeline_speed; sum times by length.';

CREATE MATERIALIZED VIEW speed_sums_from_stages TO speed_sums AS
SELECT
    workspace, entered_date AS date, pipeline, stage, '' AS status, toUnixTimestamp64Milli(assumeNotNull(left_at)) - toUnixTimestamp64Milli(entered_at) AS ms,
    toInt64(sum(sign)) AS times
FROM deal_stages_log
WHERE left_at IS NOT NULL
GROUP BY workspace, date, pipeline, stage, status, ms;

CREATE MATERIALIZED VIEW speed_sums_from_deals TO speed_sums AS
SELECT
    workspace, created_date AS date, pipeline, '' AS stage, status, toUnixTimestamp64Milli(assumeNotNull(closed_at)) - toUnixTimestamp64Milli(created_at) AS ms,
    toInt64(sum(sign)) AS times
FROM deals_log
WHERE status IN ('won', 'lost') AND NOT deleted AND closed_at IS NOT NULL
GROUP BY workspace, date, pipeline, stage, status, ms;

-- What is behind customers, cohorts and repeat_daily: who bought when.
-- Order: one workspace, then a person's sales together and in time.
CREATE TABLE sales_by_person
(
    workspace LowCardinality(String),
    person_id UUID,
    won_at    DateTime64(3, 'UTC'),
    deal_id   String,
    won_date  Date,
    amount    Decimal(18, 2),
    times     Int64
)
ENGINE = SummingMergeTree((times))
ORDER BY (workspace, person_id, won_at, deal_id, won_date, amount)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Deals that stand won by person; one counts if its times sum to more than zero.';

CREATE MATERIALIZED VIEW sales_by_person_from_deals TO sales_by_person AS
SELECT
    workspace, person_id, assumeNotNull(d.won_at) AS won_at, deal_id, ifNull(d.won_date, toDate(0)) AS won_date, amount, toInt64(sum(sign)) AS times
FROM deals_log AS d
WHERE status = 'won' AND NOT deleted AND d.won_at IS NOT NULL
GROUP BY workspace, person_id, won_at, deal_id, won_date, amount;

-- In which months each person was seen: cohorts ask for the first.
-- Order: one workspace, then a person's months in time.
CREATE TABLE touch_months
(
    workspace LowCardinality(String),
    person_id UUID,
    month     Date,
    touches   Int64
)
ENGINE = SummingMergeTree
ORDER BY (workspace, person_id, month)
SETTINGS non_replicated_deduplication_window = 10000, default_compression_codec = 'ZSTD(1)'
COMMENT 'Touches by person and month; a month counts if its touches sum to more than zero.';

CREATE MATERIALIZED VIEW touch_months_from_touches TO touch_months AS
SELECT workspace, person_id, toStartOfMonth(touch_date) AS month, toInt64(sum(sign)) AS touches
FROM touches_log
GROUP BY workspace, person_id, month;

-- What stood before the views did. Conversations and steps are new: nothing stands of them.
INSERT INTO channel_monthly
SELECT
    workspace, date_basis, toStartOfMonth(date) AS month, model, channel, source, medium, campaign,
    sum(visits), sum(impressions), sum(clicks), sum(spend), sum(inquiries), sum(deals), sum(sales), sum(revenue), sum(cost_of_goods)
FROM channel_daily GROUP BY workspace, date_basis, month, model, channel, source, medium, campaign;
INSERT INTO managers_sums (workspace, date, manager, calls_in, calls_out, missed, talk_seconds)
SELECT workspace, call_date AS date, manager, sum(sign * (direction = 'in')), sum(sign * (direction = 'out')),
    sum(sign * (direction = 'in' AND status != 'answered')), sum(sign * toInt64(talk_seconds))
FROM calls_log GROUP BY workspace, date, manager;
INSERT INTO managers_sums (workspace, date, manager, deals)
SELECT workspace, created_date, manager, sum(sign) FROM deals_log WHERE NOT deleted GROUP BY workspace, created_date, manager;
INSERT INTO managers_sums (workspace, date, manager, won, revenue)
SELECT workspace, assumeNotNull(won_date) AS date, manager, sum(sign), sum(sign * amount)
FROM deals_log WHERE NOT deleted AND status = 'won' AND won_date IS NOT NULL GROUP BY workspace, date, manager;
INSERT INTO reasons_sums
SELECT workspace, assumeNotNull(closed_date) AS date, status, reason, last_channel, manager, sum(sign), sum(sign * amount)
FROM deals_log WHERE status IN ('won', 'lost') AND NOT deleted AND closed_date IS NOT NULL GROUP BY workspace, date, status, reason, last_channel, manager;
INSERT INTO speed_sums
SELECT workspace, entered_date, pipeline, stage, '', toUnixTimestamp64Milli(assumeNotNull(left_at)) - toUnixTimestamp64Milli(entered_at) AS ms, sum(sign)
FROM deal_stages_log WHERE left_at IS NOT NULL GROUP BY workspace, entered_date, pipeline, stage, ms;
INSERT INTO speed_sums
SELECT workspace, created_date, pipeline, '', status, toUnixTimestamp64Milli(assumeNotNull(closed_at)) - toUnixTimestamp64Milli(created_at) AS ms, sum(sign)
FROM deals_log WHERE status IN ('won', 'lost') AND NOT deleted AND closed_at IS NOT NULL GROUP BY workspace, created_date, pipeline, status, ms;
INSERT INTO sales_by_person
SELECT workspace, person_id, assumeNotNull(won_at) AS at, deal_id, ifNull(won_date, toDate(0)) AS day, amount, sum(sign)
FROM deals_log WHERE status = 'won' AND NOT deleted AND won_at IS NOT NULL GROUP BY workspace, person_id, at, deal_id, day, amount;
INSERT INTO touch_months
SELECT workspace, person_id, toStartOfMonth(touch_date) AS month, sum(sign) FROM touches_log GROUP BY workspace, person_id, month;

-- +goose Down
DROP VIEW touch_months_from_touches;
DROP TABLE touch_months;
DROP VIEW sales_by_person_from_deals;
DROP TABLE sales_by_person;
DROP VIEW speed_sums_from_deals;
DROP VIEW speed_sums_from_stages;
DROP TABLE speed_sums;
DROP VIEW reasons_sums_from_deals;
DROP TABLE reasons_sums;
DROP VIEW managers_sums_from_deals;
DROP VIEW managers_sums_from_conversations;
DROP VIEW managers_sums_from_calls;
DROP TABLE managers_sums;
DROP VIEW channel_monthly_from_daily;
DROP TABLE channel_monthly;
DROP VIEW funnel_sums_from_steps;
DROP TABLE funnel_sums;
