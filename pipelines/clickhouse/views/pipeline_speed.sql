-- A stage's hours are those of stays that are over; a deal's those from its creation to its end.
CREATE OR REPLACE VIEW pipeline_speed AS
SELECT
    pipeline, stage, status, count() AS times, avg(hours) AS average_hours, quantileExact(0.5)(hours) AS median_hours, quantileExact(0.9)(hours) AS p90_hours
FROM
(
    SELECT d.pipeline AS pipeline, '' AS stage, d.status AS status,
        (toUnixTimestamp64Milli(assumeNotNull(d.closed_at)) - toUnixTimestamp64Milli(d.created_at)) / 3600000. AS hours
    FROM deals AS d
    WHERE d.workspace = {workspace:String} AND d.status IN ('won', 'lost') AND NOT d.deleted AND d.closed_at IS NOT NULL
        AND toDate(d.created_at, 'UTC') BETWEEN {from:Date} AND {to:Date}
    UNION ALL
    SELECT pipeline, stage, '', (toUnixTimestamp64Milli(assumeNotNull(left_at)) - toUnixTimestamp64Milli(entered_at)) / 3600000.
    FROM deal_stages
    WHERE workspace = {workspace:String} AND left_at IS NOT NULL AND toDate(entered_at, 'UTC') BETWEEN {from:Date} AND {to:Date}
)
GROUP BY pipeline, stage, status
COMMENT 'One row is a stage of a pipeline, or with an empty stage the whole cycle of deals that ended won or lost: pipeline_speed(workspace = , from = , to = ), by the days (UTC) on which deals were created and stages entered.';
