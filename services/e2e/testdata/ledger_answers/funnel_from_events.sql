WITH
    visits AS
    (
    SELECT node_ids[1] AS person, time, JSONExtractString(raw, 'visit', 'url') AS url, extractURLParameter(url, 'utm_source') AS source, extractURLParameter(url, 'utm_medium') AS medium, extractURLParameter(url, 'utm_campaign') AS name,
        multiIf(source = '', 'Direct', medium = 'cpc', 'Paid Search', medium = 'organic', 'Organic Search', medium = 'paid', 'Paid Social', medium = 'email', 'Email', medium = 'referral', 'Referral', medium = 'social', 'Organic Social', 'Display') AS channel,
        if(name = '', '(none)', name) AS campaign
    FROM throughline.events_log WHERE workspace = 'bench' AND type = 'visit' AND time BETWEEN '2024-10-01 00:00:00' AND '2026-01-15 00:00:00'
    ),
    deals AS
    (
        SELECT node_ids[2] AS person, min(time) AS created, groupUniqArray(JSONExtractString(raw, 'deal', 'stage')) AS stages, countIf(JSONExtractString(raw, 'deal', 'status') = 'won') AS won
        FROM throughline.events_log WHERE workspace = 'bench' AND type = 'deal'
        GROUP BY person, JSONExtractString(raw, 'deal', 'id')
        HAVING created >= '2025-01-15 00:00:00' AND created < '2026-01-15 00:00:00'
    )
SELECT channel, step, toInt64(count()) * 1000000 AS n
FROM (SELECT deals.stages AS stages, deals.won AS won, visits.channel AS channel FROM deals ASOF INNER JOIN visits ON deals.person = visits.person AND deals.created >= visits.time)
ARRAY JOIN arrayConcat(['deals'], arrayFilter(s -> s != '', stages), if(won > 0, ['won'], [])) AS step
GROUP BY channel, step
ORDER BY ALL;
