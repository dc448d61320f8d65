INSERT INTO throughline.deal_steps_log (workspace, recorded_at, sign, deal_id, lead_date, channel, pipeline, stage, ended, stayed_ms, shares)
SELECT
    'bench', created, 1, concat('crm/', toString(p)), toDate(created, 'UTC'), channel, if(i = 5, '', 'sales'), ['new', 'contact', 'test_drive', 'invoice', ''][i], i < 5,
    if(i < 5, bench_stay(p, i), 0), arrayMap(m -> arraySum(arrayMap((s, k) -> if(bench_tuple(bench_campaign(p, k)).1 = channel, s, 0), m.2, range(length(m.2)))), bench_models(p))
FROM
(
    SELECT
        number * 2 AS p, bench_created(p) AS created, arrayJoin(arrayConcat(range(1, bench_stages(p) + 1), if(bench_won(p), [5], []))) AS i,
        arrayJoin(arrayDistinct(arrayMap(k -> bench_tuple(bench_campaign(p, k)).1, range(toUInt8(bench_touches(p)))))) AS channel
    FROM numbers(intDiv({people}, 2))
);
