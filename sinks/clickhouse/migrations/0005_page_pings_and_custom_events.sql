-- Page pings add up, each once, where all other counters are totals. So a read keeps its pings as a map, which joins
-- like everything else, and its active time is the larger of the highest total and the sum of the pings.
-- What `reads` holds already is filled in again from `events`: to join the same events twice changes nothing.

ALTER TABLE events ADD COLUMN IF NOT EXISTS beat_ms UInt32 COMMENT 'Active ms that a page ping alone stands for' AFTER active_ms;

ALTER TABLE events ADD COLUMN IF NOT EXISTS name String COMMENT 'What another tracker calls a custom event' AFTER form;

ALTER TABLE reads ADD COLUMN IF NOT EXISTS counted_ms SimpleAggregateFunction(max, UInt32) COMMENT 'Highest total reported' AFTER active_ms;

ALTER TABLE reads ADD COLUMN IF NOT EXISTS beats SimpleAggregateFunction(maxMap, Map(String, UInt32)) COMMENT 'Active ms of each page ping' AFTER counted_ms;

ALTER TABLE reads MODIFY COLUMN active_ms UInt32 ALIAS greatest(counted_ms, toUInt32(arraySum(mapValues(beats)))) COMMENT 'Milliseconds of active reading';

ALTER TABLE reads_of_events MODIFY QUERY
SELECT
    visitor_id,
    site,
    page_view_id,
    min(occurred) AS started,
    min(concat(leftPad(toString(toUnixTimestamp64Milli(occurred)), 13, '0'), ' ', url)) AS earliest,
    max(occurred) AS last,
    max(if(left_page, occurred, toDateTime64(0, 3, 'UTC'))) AS left_at,
    max(events.title) AS title,
    max(if(type = 'page_view', toString(events.viewport), '')) AS viewport,
    max(events.active_ms) AS counted_ms,
    maxMapIf(map(event_id, beat_ms), type = 'page_ping') AS beats,
    max(events.depth_pct) AS depth_pct,
    maxMap(events.bands) AS bands,
    maxMap(events.sections) AS sections,
    maxMap(events.section_titles) AS section_titles,
    groupUniqArrayIf((event_id, element, text, href)::Tuple(event_id String, element String, text String, href String), type = 'click') AS clicks,
    groupUniqArrayIf(form, type = 'form_submit') AS submitted_forms
FROM events
WHERE page_view_id != ''
GROUP BY visitor_id, site, page_view_id;

INSERT INTO reads (visitor_id, site, page_view_id, started, earliest, last, counted_ms)
SELECT
    visitor_id,
    site,
    page_view_id,
    min(occurred),
    min(concat(leftPad(toString(toUnixTimestamp64Milli(occurred)), 13, '0'), ' ', url)),
    max(occurred),
    max(active_ms)
FROM events
WHERE page_view_id != ''
GROUP BY visitor_id, site, page_view_id;
