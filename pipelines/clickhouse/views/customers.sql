-- Quintiles are of the workspace's customers: 5 is the fifth that bought last, most often, for the most.
CREATE OR REPLACE VIEW customers AS
SELECT
    workspace, person_id, first_sale, last_sale, sales, revenue, average_check,
    ntile(5) OVER (PARTITION BY workspace ORDER BY last_sale, person_id) AS recency,
    ntile(5) OVER (PARTITION BY workspace ORDER BY sales, last_sale, person_id) AS frequency,
    ntile(5) OVER (PARTITION BY workspace ORDER BY revenue, last_sale, person_id) AS monetary,
    dateDiff('day', last_sale, now64(3, 'UTC')) > churn_days AS churned
FROM
(
    SELECT d.workspace AS workspace, d.person_id AS person_id, min(assumeNotNull(d.won_at)) AS first_sale, max(assumeNotNull(d.won_at)) AS last_sale,
        count() AS sales, sum(d.amount) AS revenue, toFloat64(revenue) / sales AS average_check, any(s.churn_days) AS churn_days
    FROM deals AS d INNER JOIN workspace_settings AS s ON d.workspace = s.workspace
    WHERE d.status = 'won' AND NOT d.deleted AND d.won_at IS NOT NULL
    GROUP BY workspace, person_id
)
COMMENT 'One row is a person who bought: recency, frequency and monetary are fifths of the workspace''s customers, 5 the best; churned says that nothing was bought for the workspace''s churn_days. Filter one workspace.';
