WITH
    visits AS
    (
    SELECT node_ids[1] AS person, time, JSONExtractString(raw, 'visit', 'url') AS url, extractURLParameter(url, 'utm_source') AS source, extractURLParameter(url, 'utm_medium') AS medium, extractURLParameter(url, 'utm_campaign') AS name,
        multiIf(source = '', 'Direct', medium = 'cpc', 'Paid Search', medium = 'organic', 'Organic Search', medium = 'paid', 'Paid Social', medium = 'email', 'Email', medium = 'referral', 'Referral', medium = 'social', 'Organic Social', 'Display') AS channel,
        if(name = '', '(none)', name) AS campaign
    FROM throughline.events_log WHERE workspace = 'bench' AND type = 'visit' AND time BETWEEN '2024-10-01 00:00:00' AND '2026-01-15 00:00:00'
    ),
    -- What is credited: a form and a deal's creation at their time, a sale at the time it is won.
    booked AS
    (
        SELECT node_ids[1] AS person, time AS at, 'inquiry' AS conversion, time AS day, toDecimal64(0, 2) AS amount FROM throughline.events_log WHERE workspace = 'bench' AND type = 'form'
        UNION ALL
        SELECT node_ids[2] AS person, min(time) AS at, 'deal', at, 0 FROM throughline.events_log WHERE workspace = 'bench' AND type = 'deal' GROUP BY person, JSONExtractString(raw, 'deal', 'id')
        UNION ALL
        SELECT node_ids[2], min(time), 'sale', maxIf(time, JSONExtractString(raw, 'deal', 'status') = 'won') AS sold, max(toDecimal64OrZero(JSONExtractString(raw, 'deal', 'amount'), 2))
        FROM throughline.events_log WHERE workspace = 'bench' AND type = 'deal' GROUP BY node_ids[2], JSONExtractString(raw, 'deal', 'id') HAVING sold > '2000-01-01 00:00:00'
    ),
    credited AS (SELECT * FROM booked WHERE day >= '2025-01-15 00:00:00' AND day < '2026-01-15 00:00:00')
SELECT channel, campaign, sum(v), sum(q) * 1000000, sum(d) * 1000000, sum(n) * 1000000, toInt64(sum(r) * 100)
FROM
(
    SELECT channel, campaign, toInt64(1) AS v, toInt64(0) AS q, toInt64(0) AS d, toInt64(0) AS n, toDecimal64(0, 2) AS r FROM visits WHERE time >= '2025-01-15 00:00:00'
    UNION ALL
    SELECT visits.channel, visits.campaign, 0, toInt64(conversion = 'inquiry'), toInt64(conversion = 'deal'), toInt64(conversion = 'sale'), amount
    FROM credited ASOF INNER JOIN visits ON credited.person = visits.person AND credited.at >= visits.time
)
GROUP BY channel, campaign
ORDER BY ALL;
