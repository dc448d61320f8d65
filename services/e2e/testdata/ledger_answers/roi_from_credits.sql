SELECT channel, campaign, sum(v) AS visits, toInt64(sum(q) * 1000000), toInt64(sum(d) * 1000000), toInt64(sum(n) * 1000000), toInt64(sum(r) * 100)
FROM
(
    SELECT channel, campaign, toInt64(0) AS v, if(conversion = 'inquiry', conversions, 0) AS q, if(conversion = 'deal', conversions, 0) AS d, if(conversion = 'sale', conversions, 0) AS n, revenue AS r
    FROM throughline.credits
    WHERE workspace = 'bench' AND model = 'last_touch' AND sale_date BETWEEN '2025-01-15' AND '2026-01-14'
    UNION ALL
    SELECT channel, campaign, toInt64(sign), 0, 0, 0, 0 FROM throughline.touches_log
    WHERE workspace = 'bench' AND type = 'visit' AND touch_date BETWEEN '2025-01-15' AND '2026-01-14'
    UNION ALL
    SELECT channel, campaign, 0, 0, 0, 0, 0 FROM throughline.spend_log WHERE workspace = 'bench' AND date BETWEEN '2025-01-15' AND '2026-01-14'
)
GROUP BY channel, campaign
ORDER BY ALL;
