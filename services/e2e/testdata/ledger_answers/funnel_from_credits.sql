WITH shares AS
(
    SELECT conversion_id AS deal, channel, sum(conversions) AS share
    FROM throughline.credits
    WHERE workspace = 'bench' AND model = 'last_touch' AND conversion = 'deal' AND lead_date BETWEEN '2025-01-15' AND '2026-01-14'
    GROUP BY deal, channel
)
SELECT channel, step, toInt64(sum(share) * 1000000) AS n
FROM
(
    SELECT channel, 'deals' AS step, share FROM shares
    UNION ALL
    SELECT channel, stage, share FROM shares
    INNER JOIN (SELECT DISTINCT deal_id, toString(stage) AS stage FROM throughline.deal_stages_log WHERE workspace = 'bench') AS stays ON shares.deal = stays.deal_id
    UNION ALL
    SELECT channel, 'won', share FROM shares
    INNER JOIN (SELECT deal_id FROM throughline.deals_log WHERE workspace = 'bench' AND status = 'won') AS sold ON shares.deal = sold.deal_id
)
GROUP BY channel, step
ORDER BY ALL;
