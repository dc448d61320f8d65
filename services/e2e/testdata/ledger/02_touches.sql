INSERT INTO throughline.touches_log (workspace, recorded_at, sign, type, person_id, touch_id, touch_time, touch_date, channel, source, medium, campaign, content, term)
SELECT 'bench', at, 1, 'visit', bench_person(p), concat('site/v', toString(p * 5 + k)), at, toDate(at, 'UTC'), t.1, t.2, t.3, bench_name(c), '(none)', '(none)'
FROM (SELECT number AS p, arrayJoin([0, 1, 2, 3, 4]) AS k, bench_visit(p, k) AS at, bench_campaign(p, k) AS c, bench_tuple(c) AS t FROM numbers({people}));
