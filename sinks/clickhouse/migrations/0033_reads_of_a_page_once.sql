-- What page_reads and page_clicks have of each page stood a second time in rollups that nothing asks any more. The list of
-- contents keeps content_days, of which only the counts are filled from now on.

DROP TABLE IF EXISTS section_days_of_events;

DROP TABLE IF EXISTS section_days;

DROP TABLE IF EXISTS click_days_of_events;

DROP TABLE IF EXISTS click_days;

ALTER TABLE content_days_of_events MODIFY QUERY
SELECT
    toString(events.url) AS url,
    toDate(events.occurred) AS day,
    max(toString(events.title)) AS title,
    groupUniqArray(sipHash64(visitor_id, site)) AS visitors,
    maxMap(map(sipHash64(visitor_id, site, page_view_id), active_ms)) AS views,
    maxMapIf(map(sipHash64(visitor_id, site, event_id), beat_ms), type = 'page_ping') AS beats
FROM events
WHERE page_view_id != '' AND NOT automated
GROUP BY url, day;

ALTER TABLE content_days
    COMMENT COLUMN depths 'No longer filled: page_reads has it',
    COMMENT COLUMN layouts 'No longer filled: page_reads has it',
    COMMENT COLUMN bands 'No longer filled: page_reads has it';

ALTER TABLE content_days
    UPDATE
        depths = CAST(map(), 'Map(UInt64, UInt8)'),
        layouts = CAST(map(), 'Map(UInt64, UInt8)'),
        bands = CAST(map(), 'Map(UInt64, UInt32)')
    WHERE notEmpty(depths) OR notEmpty(layouts) OR notEmpty(bands);
