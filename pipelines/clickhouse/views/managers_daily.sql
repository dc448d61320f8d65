-- Calls stand on their day, deals on the day they were created, won ones on the day they were won.
CREATE OR REPLACE VIEW managers_daily AS
SELECT
    workspace, date, manager,
    sum(calls_in) AS calls_in, sum(calls_out) AS calls_out, sum(missed) AS missed, sum(talk_seconds) AS talk_seconds,
    sum(deals) AS deals, sum(won) AS won, sum(revenue) AS revenue,
    if(won = 0, NULL, toFloat64(revenue) / won) AS average_check,
    if(deals = 0, NULL, won / deals) AS conversion
FROM
(
    SELECT workspace, call_date AS date, manager, toUInt64(direction = 'in') AS calls_in, toUInt64(direction = 'out') AS calls_out,
        toUInt64(direction = 'in' AND status != 'answered') AS missed, toUInt64(c.talk_seconds) AS talk_seconds,
        toUInt64(0) AS deals, toUInt64(0) AS won, toDecimal64(0, 2) AS revenue
    FROM calls AS c
    UNION ALL
    SELECT d.workspace, toDate((d.created_at + toIntervalSecond(arrayLast(o -> o.since <= d.created_at, s.offsets).seconds))), d.manager, 0, 0, 0, 0, 1, 0, 0
    FROM deals AS d INNER JOIN workspace_settings AS s ON d.workspace = s.workspace WHERE NOT d.deleted
    UNION ALL
    SELECT d.workspace, toDate((assumeNotNull(d.won_at) + toIntervalSecond(arrayLast(o -> o.since <= assumeNotNull(d.won_at), s.offsets).seconds))), d.manager, 0, 0, 0, 0, 0, 1, d.amount
    FROM deals AS d INNER JOIN workspace_settings AS s ON d.workspace = s.workspace WHERE d.status = 'won' AND NOT d.deleted AND d.won_at IS NOT NULL
)
GROUP BY workspace, date, manager
COMMENT 'One row is a manager and a day of the workspace''s time zone: calls of that day, deals created on it, deals won on it. Filter one workspace. conversion is won over created of the same day.';
