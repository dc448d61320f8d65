-- A person belongs to one month: that of the first touch, or of the first sale. With spend the people are those of the first touch,
-- and the month's advertising stands beside what they brought since: payback is the part of it that came back.
CREATE OR REPLACE VIEW cohorts AS
WITH
    sales AS
    (
        SELECT d.person_id AS person_id, toStartOfMonth((assumeNotNull(d.won_at) + toIntervalSecond(arrayLast(o -> o.since <= assumeNotNull(d.won_at), s.offsets).seconds))) AS month, sum(d.amount) AS revenue
        FROM deals AS d INNER JOIN workspace_settings AS s ON d.workspace = s.workspace
        WHERE d.workspace = {workspace:String} AND d.status = 'won' AND NOT d.deleted AND d.won_at IS NOT NULL
        GROUP BY person_id, month
    ),
    people AS
    (
        SELECT person_id, min(month) AS cohort
        FROM
        (
            SELECT person_id, toStartOfMonth(touch_date) AS month FROM touches WHERE workspace = {workspace:String} AND {by:String} IN ('first_touch', 'spend')
            UNION ALL
            SELECT person_id, month FROM sales WHERE {by:String} = 'first_sale'
        )
        GROUP BY person_id
    ),
    sizes AS (SELECT cohort, count() AS people FROM people GROUP BY cohort),
    costs AS
    (
        SELECT toStartOfMonth(date) AS cohort, sum(amount) AS cost FROM spend WHERE workspace = {workspace:String} GROUP BY cohort
    ),
    brought AS
    (
        SELECT people.cohort AS cohort, dateDiff('month', people.cohort, sales.month) AS since, sum(sales.revenue) AS revenue
        FROM sales INNER JOIN people ON sales.person_id = people.person_id
        WHERE sales.month >= people.cohort
        GROUP BY cohort, since
    ),
    -- Every month from a cohort's own to the last one with a sale, so that the cumulative sum has no gaps.
    months AS
    (
        SELECT cohort, people, arrayJoin(range(toUInt32(greatest(0, dateDiff('month', cohort, (SELECT max(month) FROM sales))) + 1))) AS since
        FROM sizes
    )
SELECT
    months.cohort AS cohort, months.people AS people, months.since AS month, brought.revenue AS revenue,
    sum(brought.revenue) OVER (PARTITION BY months.cohort ORDER BY months.since) AS cumulative,
    costs.cost AS spend, if(costs.cost = 0, NULL, toFloat64(cumulative) / toFloat64(costs.cost)) AS payback
FROM months
LEFT JOIN brought ON months.cohort = brought.cohort AND months.since = brought.since
LEFT JOIN costs ON months.cohort = costs.cohort
ORDER BY cohort, month
COMMENT 'One row is a month of people and a month since: cohorts(workspace = , by = first_touch, first_sale or spend). month is 0 for the cohort''s own; payback is cumulative revenue over what was spent on advertising in the cohort''s month.';
