-- What stands: rows whose signs do not cancel out. Other views are made of these, so these are made first.

CREATE OR REPLACE VIEW touches AS
SELECT workspace, touch_id, person_id, type, touch_time, touch_date, channel, source, medium, campaign, content, term
FROM touches_log
GROUP BY workspace, touch_id, person_id, type, touch_time, touch_date, channel, source, medium, campaign, content, term
HAVING sum(sign) > 0
COMMENT 'One row is a touch as it stands. Filter one workspace.';

CREATE OR REPLACE VIEW inquiries AS
SELECT workspace, inquiry_id, person_id, type, inquiry_time, inquiry_date
FROM inquiries_log
GROUP BY workspace, inquiry_id, person_id, type, inquiry_time, inquiry_date
HAVING sum(sign) > 0
COMMENT 'One row is a form, an inbound call or the first message of a conversation. Filter one workspace.';

CREATE OR REPLACE VIEW deals AS
SELECT workspace, deal_id, person_id, pipeline, stage, status, amount, cost_of_goods, created_at, won_at, closed_at, manager, reason,
    first_channel, last_channel, title, deleted, created_date, won_date, closed_date
FROM deals_log
GROUP BY workspace, deal_id, person_id, pipeline, stage, status, amount, cost_of_goods, created_at, won_at, closed_at, manager, reason,
    first_channel, last_channel, title, deleted, created_date, won_date, closed_date
HAVING sum(sign) > 0
COMMENT 'One row is a deal as it stands, amounts in the workspace''s currency. Filter one workspace, and deleted = false for those that count.';

CREATE OR REPLACE VIEW deal_stages AS
SELECT workspace, deal_id, pipeline, stage, entered_at, left_at, manager, person_id, entered_date
FROM
(
    SELECT workspace, deal_id, pipeline, stage, entered_at, left_at, manager, person_id, entered_date, sum(sign) AS times
    FROM deal_stages_log
    GROUP BY workspace, deal_id, pipeline, stage, entered_at, left_at, manager, person_id, entered_date
    HAVING times > 0
)
ARRAY JOIN range(toUInt64(times)) AS time -- a deal may go through a stage twice within one millisecond
COMMENT 'One row is one stay of a deal in a stage; left_at is NULL while it is there. Filter one workspace.';

CREATE OR REPLACE VIEW calls AS
SELECT workspace, call_id, person_id, call_time, call_date, direction, status, number, wait_seconds, talk_seconds, manager, match, visitor_id
FROM calls_log
GROUP BY workspace, call_id, person_id, call_time, call_date, direction, status, number, wait_seconds, talk_seconds, manager, match, visitor_id
HAVING sum(sign) > 0
COMMENT 'One row is a phone call; match says how it was joined with a visitor. Filter one workspace.';

CREATE OR REPLACE VIEW conversations AS
SELECT workspace, conversation_id, person_id, platform, began_at, date, answered_at, manager
FROM conversations_log
GROUP BY workspace, conversation_id, person_id, platform, began_at, date, answered_at, manager
HAVING sum(sign) > 0
COMMENT 'One row is a conversation in a messenger: answered_at is the first message back before the next conversation, NULL if there is none; manager is who answered, else whom the client wrote to. Filter one workspace.';

CREATE OR REPLACE VIEW spend AS
SELECT workspace, date, account, channel, source, medium, campaign, content, term, impressions, clicks, amount, event_id
FROM spend_log
GROUP BY workspace, date, account, channel, source, medium, campaign, content, term, impressions, clicks, amount, event_id
HAVING sum(sign) > 0
COMMENT 'One row is the report that stands of one account, day and utm tuple, in the workspace''s currency. Filter one workspace.';

CREATE OR REPLACE VIEW identities AS
SELECT workspace, kind, node_id, person_id
FROM identities_log
GROUP BY workspace, kind, node_id, person_id
HAVING sum(sign) > 0
COMMENT 'One row says which person an identifier belongs to. Filter one workspace.';

CREATE OR REPLACE VIEW events AS
SELECT workspace, source, id, type, time, received_at, node_kinds, node_ids, raw, wire, content, partition, offset
FROM events_log FINAL
WHERE (workspace, source, id, content) NOT IN (SELECT workspace, source, event_id, content FROM conflicts)
COMMENT 'One row is one event as it was accepted. Filter one workspace.';
