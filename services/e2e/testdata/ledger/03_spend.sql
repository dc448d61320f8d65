INSERT INTO throughline.spend_log (workspace, recorded_at, sign, event_id, account, date, channel, source, medium, campaign, content, term, impressions, clicks, amount)
SELECT 'bench', toDateTime64(day, 3, 'UTC'), 1, concat('ads/', toString(day), toString(c)), 'a', day, t.1, t.2, t.3, bench_name(c), '(none)', '(none)', 1000, 20, toDecimal64(1000 + c, 2) / 100
FROM (SELECT toDate('2023-11-01') + intDiv(number, 75) AS day, (number % 75) * 4 AS c, bench_tuple(c) AS t FROM numbers(1096 * 75)) WHERE t.1 IN ('Paid Search', 'Email');
