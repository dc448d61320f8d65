-- Raw events as the loader stores them. wire is a text of about the length of the real one, which only the program can write.
INSERT INTO throughline.events_log (workspace, source, id, content, type, time, received_at, node_kinds, node_ids, raw, wire, partition, offset)
SELECT 'bench', 'site', concat('v', toString(n)), cityHash64(n), 'visit', at, at, ['anonymous_id'], [bench_person(p)],
    concat('{"id":"v', toString(n), '","type":"visit","source":"site","time":"', replaceOne(toString(at), ' ', 'T'), 'Z","identities":{"anonymous_id":"', lower(hex(sipHash64(p))),
        '"},"visit":{"url":"https://shop.example/?utm_source=', replaceAll(t.2, '(direct)', ''), '&utm_medium=', replaceAll(t.3, '(none)', ''), '&utm_campaign=', replaceAll(bench_name(c), '(none)', ''), '"}}'),
    concat('bench v', toString(n), ' site ', hex(sipHash64(p)), ' https://shop.example/ ', t.2, ' ', t.3, ' ', bench_name(c)), 0, n
FROM (SELECT number AS p, arrayJoin([0, 1, 2, 3, 4]) AS k, p * 5 + k AS n, bench_visit(p, k) AS at, bench_campaign(p, k) AS c, bench_tuple(c) AS t FROM numbers({people}));

INSERT INTO throughline.events_log (workspace, source, id, content, type, time, received_at, node_kinds, node_ids, raw, wire, partition, offset)
SELECT 'bench', 'site', concat('f', toString(p)), cityHash64(p, 'f'), 'form', bench_created(p) AS at, at, ['anonymous_id'], [bench_person(p)],
    concat('{"id":"f', toString(p), '","type":"form","source":"site","time":"', replaceOne(toString(at), ' ', 'T'), 'Z","identities":{"anonymous_id":"', lower(hex(sipHash64(p))), '"},"form":{"form_id":"lead"}}'),
    concat('bench f', toString(p), ' site ', hex(sipHash64(p)), ' lead'), 1, p
FROM (SELECT number * 4 AS p FROM numbers(intDiv({people}, 4)));

-- A deal's events: one as it enters each stage, and its end.
INSERT INTO throughline.events_log (workspace, source, id, content, type, time, received_at, node_kinds, node_ids, raw, wire, partition, offset)
SELECT 'bench', 'crm', concat('e', toString(p), '.', toString(i)), cityHash64(p, i, 'e'), 'deal', at, at, ['deal', 'anonymous_id'], [reinterpretAsUUID(sipHash128(p, 'd')), bench_person(p)],
    concat('{"id":"e', toString(p), '.', toString(i), '","type":"deal","source":"crm","time":"', replaceOne(toString(at), ' ', 'T'), 'Z","identities":{"anonymous_id":"', lower(hex(sipHash64(p))),
        '"},"deal":{"id":"', toString(p), '","pipeline":"sales",', if(i = 5, concat('"status":"', if(bench_won(p), 'won', 'lost'), '","amount":"', toString(toDecimal64(bench_amount(p), 2) / 100), '"'),
        concat('"status":"open","stage":"', ['new', 'contact', 'test_drive', 'invoice', ''][i], '"')), '}}'),
    concat('bench e', toString(p), ' crm ', hex(sipHash64(p)), ' sales ', toString(i), ' open'), 2, p
FROM
(
    SELECT number * 2 AS p, arrayJoin(arrayConcat(range(1, bench_stages(p) + 1), [5])) AS i, if(i = 5, bench_created(p) + toIntervalDay(20), bench_entered(p, i)) AS at
    FROM numbers(intDiv({people}, 2))
);
