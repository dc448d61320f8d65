-- The funnel of one model: visits, inquiries and deals of the days asked for, and how far those deals went.
-- A deal is shared between channels as the model shares its creation, and carries these shares through every later step,
-- so no step counts more than the one before for any other reason than deals that skip a stage. What happens to the
-- deals after the last day still counts: the question is what became of them.
CREATE OR REPLACE VIEW funnel AS
WITH
    shares AS
    (
        SELECT conversion_id AS deal_id, channel, sum(conversions) AS share
        FROM credits
        WHERE workspace = {workspace:String} AND model = {model:String} AND conversion = 'deal' AND lead_date BETWEEN {from:Date} AND {to:Date}
        GROUP BY deal_id, channel
        HAVING share != 0
    ),
    -- The hours are those of stays that are over.
    stays AS
    (
        SELECT deal_id, pipeline, stage, sumOrNull((toUnixTimestamp64Milli(left_at) - toUnixTimestamp64Milli(entered_at)) / 3600000.) AS hours
        FROM deal_stages
        WHERE workspace = {workspace:String}
        GROUP BY deal_id, pipeline, stage
    ),
    reached AS
    (
        SELECT shares.channel AS channel, stays.pipeline AS pipeline, stays.stage AS stage, sum(shares.share) AS count,
            sumIf(toFloat64(shares.share) * stays.hours, stays.hours IS NOT NULL)
                / nullIf(sumIf(toFloat64(shares.share), stays.hours IS NOT NULL), 0) AS hours,
            if(countIf(stays.hours IS NOT NULL) = 0, NULL,
                quantileExactWeightedIf(0.5)(ifNull(stays.hours, 0), toUInt64(greatest(shares.share, 0) * 1000000), stays.hours IS NOT NULL)) AS median
        FROM stays INNER JOIN shares ON stays.deal_id = shares.deal_id
        GROUP BY channel, pipeline, stage
    ),
    daily AS
    (
        SELECT channel, sum(channel_daily.visits) AS visits, sum(channel_daily.inquiries) AS inquiries,
            sum(channel_daily.spend) AS spend
        FROM channel_daily
        WHERE workspace = {workspace:String} AND model = {model:String} AND date_basis = 'lead' AND date BETWEEN {from:Date} AND {to:Date}
        GROUP BY channel
    ),
    won AS
    (
        SELECT shares.channel AS channel, sum(shares.share) AS count
        FROM shares INNER JOIN (SELECT deal_id FROM deals WHERE workspace = {workspace:String} AND status = 'won' AND NOT deleted) AS sold
            ON shares.deal_id = sold.deal_id
        GROUP BY channel
    ),
    -- Stages in the order of the configuration; one that is not listed comes after these, by name.
    stages AS
    (
        SELECT pipeline, stage, row_number() OVER (PARTITION BY pipeline ORDER BY place, stage) AS place,
            place = count() OVER (PARTITION BY pipeline) AS is_last
        FROM
        (
            SELECT pipeline, stage, min(place) AS place
            FROM
            (
                SELECT pipeline, stage, position AS place FROM stage_order WHERE workspace = {workspace:String}
                UNION ALL
                SELECT pipeline, stage, 4294967295 FROM reached
            )
            GROUP BY pipeline, stage
        )
    ),
    channels AS (SELECT channel FROM daily WHERE visits != 0 OR inquiries != 0 UNION DISTINCT SELECT channel FROM shares),
    steps AS
    (
        SELECT channel, 1 AS level, '' AS pipeline, 0 AS place, 'visits' AS step, toDecimal128(visits, 6) AS count, CAST(NULL, 'Nullable(Float64)') AS hours, CAST(NULL, 'Nullable(Float64)') AS median, 0 AS is_last
        FROM channels LEFT JOIN daily USING (channel)
        UNION ALL
        SELECT channel, 2, '', 0, 'inquiries', inquiries, NULL, NULL, 0 FROM channels LEFT JOIN daily USING (channel)
        UNION ALL
        SELECT channel, 3, '', 0, 'deals', count, NULL, NULL, 0
        FROM channels LEFT JOIN (SELECT channel, sum(share) AS count FROM shares GROUP BY channel) AS made USING (channel)
        UNION ALL
        SELECT all_of.channel, 4, all_of.pipeline, all_of.place, all_of.stage, reached.count, reached.hours, reached.median, all_of.is_last
        FROM (SELECT channel, pipeline, place, stage, is_last FROM channels CROSS JOIN stages) AS all_of
        LEFT JOIN reached ON all_of.channel = reached.channel AND all_of.pipeline = reached.pipeline AND all_of.stage = reached.stage
        UNION ALL
        SELECT channel, 5, '', 0, 'won', count, NULL, NULL, 0 FROM channels LEFT JOIN won USING (channel)
    )
SELECT
    channel, row_number() OVER (PARTITION BY channel ORDER BY level, pipeline, place) AS position, pipeline, step, count,
    multiIf(
        level = 1, NULL,
        level = 4 AND place = 1, toFloat64(count) / nullIf(toFloat64(deals), 0),
        -- Before won stand the last stages of all pipelines, or the deals themselves where there is no stage.
        level = 5, toFloat64(count) / nullIf(toFloat64(if(pipelines = 0, deals, ends)), 0),
        toFloat64(count) / nullIf(toFloat64(before), 0)) AS from_previous,
    toFloat64(count) / nullIf(toFloat64(first), 0) AS from_first,
    hours AS average_hours, median AS median_hours, toFloat64(spend) / nullIf(toFloat64(count), 0) AS cost
FROM
(
    SELECT steps.*, paid.spend AS spend,
        lagInFrame(count) OVER (PARTITION BY steps.channel ORDER BY level, pipeline, place ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS before,
        sumIf(count, level = 1) OVER (PARTITION BY steps.channel) AS first,
        sumIf(count, level = 3) OVER (PARTITION BY steps.channel) AS deals,
        sumIf(count, is_last = 1) OVER (PARTITION BY steps.channel) AS ends,
        countIf(is_last = 1) OVER (PARTITION BY steps.channel) AS pipelines
    FROM steps LEFT JOIN (SELECT channel, spend FROM daily) AS paid ON steps.channel = paid.channel
)
ORDER BY channel, position
COMMENT 'One row is a channel and a step: visits, inquiries, deals, each stage of the pipelines in order, won. funnel(workspace = , from = , to = , model = ), days included. from_previous and from_first are NULL after a step of zero; average_hours and median_hours are of stays in the stage that are over; cost is the channel''s advertising in these days for each that reached the step.';
