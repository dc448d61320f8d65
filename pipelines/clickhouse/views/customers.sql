-- Quintiles are of the workspace's customers: 5 is the fifth that bought last, most often, for the most.
CREATE OR REPLACE VIEW customers AS
SELECT
    workspace, person_id, first_sale, last_sale, sales, revenue, average_check,
    ntile(5) OVER (PARTITION BY workspace ORDER BY last_sale, person_id) AS recency,
    ntile(5) OVER (PARTITION BY workspace ORDER BY sales, last_sale, person_id) AS frequency,
    ntile(5) OVER (PARTITION BY workspace ORDER BY revenue, last_sale, person_id) AS monetary,
    now64(3, 'UTC') > last_sale + toIntervalDay(churn_days) AS churned
FROM
(
    SELECT p.workspace AS workspace, p.person_id AS person_id, p.first_sale AS first_sale, p.last_sale AS last_sale, p.sales AS sales, p.revenue AS revenue,
        toFloat64(p.revenue) / p.sales AS average_check, s.churn_days AS churn_days
    FROM
    (
        SELECT workspace, person_id, min(won_at) AS first_sale, max(won_at) AS last_sale, count() AS sales, sum(amount) AS revenue
        FROM
        (
            SELECT workspace, person_id, won_at, deal_id, won_date, amount
            FROM sales_by_person
            GROUP BY workspace, person_id, won_at, deal_id, won_date, amount
            HAVING sum(times) > 0
        )
        GROUP BY workspace, person_id
    ) AS p
    INNER JOIN workspace_settings AS s ON p.workspace = s.workspace
)
COMMENT 'One row is a person who bought: recency, frequency and monetary are fifths of the workspace''s customers, 5 the best; churned says that nothing was bought for the workspace''s churn_days. Filter one workspace.';
