INSERT INTO throughline.deal_stages_log (workspace, recorded_at, sign, person_id, deal_id, pipeline, stage, entered_at, left_at, manager, entered_date)
SELECT
    'bench', entered, 1, bench_person(p), concat('crm/', toString(p)), 'sales', ['new', 'contact', 'test_drive', 'invoice'][i], entered,
    entered + toIntervalMillisecond(bench_stay(p, i)), concat('m', toString(cityHash64(p, 'm') % 40)), toDate(entered, 'UTC')
FROM (SELECT number * 2 AS p, arrayJoin(range(1, bench_stages(p) + 1)) AS i, bench_entered(p, i) AS entered FROM numbers(intDiv({people}, 2)));
