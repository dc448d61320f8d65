-- A person belongs to one month: that of the first touch, or of the first sale. With spend the people are those of the first touch,
-- months with advertising and without people are there too, and payback is the part of it that came back.
CREATE OR REPLACE VIEW cohorts AS
WITH
    sales AS
    (
        SELECT person_id, toStartOfMonth(won_date) AS month, sum(amount) AS revenue
        FROM
        (
            SELECT person_id, won_at, deal_id, won_date, amount
            FROM sales_by_person
            WHERE workspace = {workspace:String}
            GROUP BY person_id, won_at, deal_id, won_date, amount
            HAVING sum(times) > 0
        )
        GROUP BY person_id, month
    ),
    people AS
    (
        SELECT person_id, min(month) AS cohort
        FROM
        (
            SELECT person_id, month FROM touch_months WHERE workspace = {workspace:String} AND {by:String} IN ('first_touch', 'spend')
            GROUP BY person_id, month HAVING sum(touches) > 0
            UNION ALL
            SELECT person_id, month FROM sales WHERE {by:String} = 'first_sale'
        )
        GROUP BY person_id
    ),
    costs AS
    (
        SELECT toStartOfMonth(date) AS cohort, sum(daily.spend) AS cost
        FROM channel_daily AS daily
        WHERE workspace = {workspace:String} AND model = 'linear' AND date_basis = 'touch'
        GROUP BY cohort
        HAVING cost != 0
    ),
    sizes AS
    (
        SELECT cohort, sum(n) AS people
        FROM
        (
            SELECT cohort, count() AS n FROM people GROUP BY cohort
            UNION ALL
            SELECT cohort, 0 FROM costs WHERE {by:String} = 'spend'
        )
        GROUP BY cohort
    ),
    brought AS
    (
        SELECT people.cohort AS cohort, dateDiff('month', people.cohort, sales.month) AS since, sum(sales.revenue) AS revenue
        FROM people INNER JOIN sales ON sales.person_id = people.person_id
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
