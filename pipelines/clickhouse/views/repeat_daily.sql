CREATE OR REPLACE VIEW repeat_daily AS
SELECT
    workspace, date, countIf(nth = 1) AS first_sales, countIf(nth > 1) AS repeat_sales,
    sumIf(amount, nth = 1) AS first_revenue, sumIf(amount, nth > 1) AS repeat_revenue
FROM
(
    SELECT d.workspace AS workspace, toDate((assumeNotNull(d.won_at) + toIntervalSecond(arrayLast(o -> o.since <= assumeNotNull(d.won_at), s.offsets).seconds))) AS date, d.amount AS amount,
        row_number() OVER (PARTITION BY d.workspace, d.person_id ORDER BY d.won_at, d.deal_id) AS nth
    FROM deals AS d INNER JOIN workspace_settings AS s ON d.workspace = s.workspace
    WHERE d.status = 'won' AND NOT d.deleted AND d.won_at IS NOT NULL
)
GROUP BY workspace, date
COMMENT 'One row is a day: sales to people who had bought nothing before, and to those who had. Filter one workspace.';
