-- What a machine opens is no read. Events of bots and automation stay in `events`, marked, and no longer come into `reads`.
-- Reads that hold any are taken out, and what people did of them, if anything, is filled in again.

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
WHERE page_view_id != '' AND NOT automated
GROUP BY visitor_id, site, page_view_id;

ALTER TABLE reads DELETE WHERE (visitor_id, site, page_view_id) IN (SELECT visitor_id, site, page_view_id FROM events WHERE automated)
SETTINGS mutations_sync = 2;

INSERT INTO reads (visitor_id, site, page_view_id, started, earliest, last, left_at, title, viewport, counted_ms, beats, depth_pct, bands, sections, section_titles, clicks, submitted_forms)
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
WHERE page_view_id != '' AND NOT automated
    AND (visitor_id, site, page_view_id) IN (SELECT visitor_id, site, page_view_id FROM events WHERE automated)
GROUP BY visitor_id, site, page_view_id;
