-- A stage's hours are those of stays that are over; a deal's those from its creation to its end. Between two lengths in the middle the
-- median is halfway, as spreadsheets have it; p90 likewise.
CREATE OR REPLACE VIEW pipeline_speed AS
SELECT
    pipeline, stage, status, sum(n) AS times, sum(hours * n) / times AS average_hours,
    quantileExactWeightedInterpolated(0.5)(hours, n) AS median_hours, quantileExactWeightedInterpolated(0.9)(hours, n) AS p90_hours
FROM
(
    SELECT pipeline, stage, status, ms / 3600000. AS hours, toUInt64(greatest(sum(s.times), 0)) AS n
    FROM speed_sums AS s
    WHERE workspace = {workspace:String} AND date BETWEEN {from:Date} AND {to:Date}
    GROUP BY pipeline, stage, status, ms
    HAVING n > 0
)
GROUP BY pipeline, stage, status
COMMENT 'One row is a stage of a pipeline, or with an empty stage the whole cycle of deals that ended won or lost: pipeline_speed(workspace = , from = , to = ), by the days, in the workspace''s time zone, on which deals were created and stages entered. Hours are of stays that are over.';
