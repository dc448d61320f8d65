CREATE OR REPLACE VIEW repeat_daily AS
SELECT
    workspace, won_date AS date, countIf(nth = 1) AS first_sales, countIf(nth > 1) AS repeat_sales,
    sumIf(amount, nth = 1) AS first_revenue, sumIf(amount, nth > 1) AS repeat_revenue
FROM
(
    SELECT workspace, won_date, amount, row_number() OVER (PARTITION BY workspace, person_id ORDER BY won_at, deal_id) AS nth
    FROM
    (
        SELECT workspace, person_id, won_at, deal_id, won_date, amount
        FROM sales_by_person
        GROUP BY workspace, person_id, won_at, deal_id, won_date, amount
        HAVING sum(times) > 0
    )
)
GROUP BY workspace, date
COMMENT 'One row is a day of the workspace''s time zone: sales to people who had bought nothing before, and to those who had. Filter one workspace.';
