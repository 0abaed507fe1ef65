-- What the pages ask, worked out as events come in. Everything is a set, or a highest value under the key of a page view
-- or an event, so an event that comes twice or late changes nothing: what is counted are the keys.
-- A page view stands on each day (UTC) on which it was seen, with the totals it had reached by then; over several days
-- its highest totals count, once. Keys are hashes of 64 bits.

CREATE TABLE IF NOT EXISTS content_days
(
    url String CODEC(ZSTD(3)) COMMENT 'Canonical',
    day Date CODEC(Delta, ZSTD(3)),
    title SimpleAggregateFunction(max, String) CODEC(ZSTD(3)),
    visitors SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)) CODEC(ZSTD(3)),
    views SimpleAggregateFunction(maxMap, Map(UInt64, UInt32)) CODEC(ZSTD(3)) COMMENT 'Highest active ms by page view',
    beats SimpleAggregateFunction(maxMap, Map(UInt64, UInt32)) CODEC(ZSTD(3)) COMMENT 'Active ms by page ping; they add up',
    depths SimpleAggregateFunction(maxMap, Map(UInt64, UInt8)) CODEC(ZSTD(3)) COMMENT 'Deepest percent by page view',
    layouts SimpleAggregateFunction(maxMap, Map(UInt64, UInt8)) CODEC(ZSTD(3)) COMMENT 'By page view: 1 mobile, 2 tablet, 3 desktop',
    bands SimpleAggregateFunction(maxMap, Map(UInt64, UInt32)) CODEC(ZSTD(3)) COMMENT 'Active ms by page view and tenth: the key''s last 4 bits are the tenth'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (url, day)
SETTINGS index_granularity = 256;

CREATE TABLE IF NOT EXISTS section_days
(
    url String CODEC(ZSTD(3)),
    day Date CODEC(Delta, ZSTD(3)),
    section String CODEC(ZSTD(3)) COMMENT 'Its key',
    title SimpleAggregateFunction(max, String) CODEC(ZSTD(3)),
    views SimpleAggregateFunction(maxMap, Map(UInt64, UInt32)) CODEC(ZSTD(3)) COMMENT 'Highest active ms by page view'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (url, day, section)
SETTINGS index_granularity = 256;

CREATE TABLE IF NOT EXISTS click_days
(
    url String CODEC(ZSTD(3)),
    day Date CODEC(Delta, ZSTD(3)),
    viewport LowCardinality(String),
    element String CODEC(ZSTD(3)),
    x UInt8 CODEC(ZSTD(3)) COMMENT 'Twentieth of the element''s width, 0 to 19',
    y UInt8 CODEC(ZSTD(3)) COMMENT 'Twentieth of its height',
    text SimpleAggregateFunction(max, String) CODEC(ZSTD(3)),
    clicks SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)) CODEC(ZSTD(3)),
    rage SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)) CODEC(ZSTD(3)),
    dead SimpleAggregateFunction(groupUniqArrayArray, Array(UInt64)) CODEC(ZSTD(3))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (url, day, viewport, element, x, y)
SETTINGS index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS content_days_of_events TO content_days AS
SELECT
    toString(events.url) AS url,
    toDate(events.occurred) AS day,
    max(toString(events.title)) AS title,
    groupUniqArray(sipHash64(visitor_id, site)) AS visitors,
    maxMap(map(sipHash64(visitor_id, site, page_view_id), active_ms)) AS views,
    maxMapIf(map(sipHash64(visitor_id, site, event_id), beat_ms), type = 'page_ping') AS beats,
    maxMap(map(sipHash64(visitor_id, site, page_view_id), depth_pct)) AS depths,
    maxMapIf(map(sipHash64(visitor_id, site, page_view_id), toUInt8(transform(toString(viewport), ['mobile', 'tablet', 'desktop'], [1, 2, 3], 0))), type = 'page_view') AS layouts,
    maxMap(CAST((arrayMap(band -> bitOr(bitAnd(sipHash64(visitor_id, site, page_view_id), 18446744073709551600), toUInt64(band)), mapKeys(events.bands)), mapValues(events.bands)), 'Map(UInt64, UInt32)')) AS bands
FROM events
WHERE page_view_id != '' AND NOT automated
GROUP BY url, day;

CREATE MATERIALIZED VIEW IF NOT EXISTS section_days_of_events TO section_days AS
SELECT
    toString(events.url) AS url,
    toDate(events.occurred) AS day,
    toString(each.1) AS section,
    max(toString(events.section_titles[each.1])) AS title,
    maxMap(map(sipHash64(visitor_id, site, page_view_id), each.2)) AS views
FROM events
ARRAY JOIN CAST(sections, 'Array(Tuple(String, UInt32))') AS each
WHERE page_view_id != '' AND NOT automated
GROUP BY url, day, section;

CREATE MATERIALIZED VIEW IF NOT EXISTS click_days_of_events TO click_days AS
SELECT
    toString(events.url) AS url,
    toDate(events.occurred) AS day,
    viewport,
    toString(events.element) AS element,
    toUInt8(least(19, floor(element_x * 20))) AS x,
    toUInt8(least(19, floor(element_y * 20))) AS y,
    max(events.text) AS text,
    groupUniqArray(sipHash64(visitor_id, site, event_id)) AS clicks,
    groupUniqArrayIf(sipHash64(visitor_id, site, event_id), events.rage) AS rage,
    groupUniqArrayIf(sipHash64(visitor_id, site, event_id), events.dead) AS dead
FROM events
WHERE type = 'click' AND NOT automated
GROUP BY url, day, viewport, element, x, y;

-- What was stored before; to join the same events twice changes nothing.
INSERT INTO content_days (url, day, title, visitors, views, beats, depths, layouts, bands)
SELECT
    toString(events.url) AS url,
    toDate(events.occurred) AS day,
    max(toString(events.title)) AS title,
    groupUniqArray(sipHash64(visitor_id, site)) AS visitors,
    maxMap(map(sipHash64(visitor_id, site, page_view_id), active_ms)) AS views,
    maxMapIf(map(sipHash64(visitor_id, site, event_id), beat_ms), type = 'page_ping') AS beats,
    maxMap(map(sipHash64(visitor_id, site, page_view_id), depth_pct)) AS depths,
    maxMapIf(map(sipHash64(visitor_id, site, page_view_id), toUInt8(transform(toString(viewport), ['mobile', 'tablet', 'desktop'], [1, 2, 3], 0))), type = 'page_view') AS layouts,
    maxMap(CAST((arrayMap(band -> bitOr(bitAnd(sipHash64(visitor_id, site, page_view_id), 18446744073709551600), toUInt64(band)), mapKeys(events.bands)), mapValues(events.bands)), 'Map(UInt64, UInt32)')) AS bands
FROM events
WHERE page_view_id != '' AND NOT automated
GROUP BY url, day;

INSERT INTO section_days (url, day, section, title, views)
SELECT
    toString(events.url) AS url,
    toDate(events.occurred) AS day,
    toString(each.1) AS section,
    max(toString(events.section_titles[each.1])) AS title,
    maxMap(map(sipHash64(visitor_id, site, page_view_id), each.2)) AS views
FROM events
ARRAY JOIN CAST(sections, 'Array(Tuple(String, UInt32))') AS each
WHERE page_view_id != '' AND NOT automated
GROUP BY url, day, section;

INSERT INTO click_days (url, day, viewport, element, x, y, text, clicks, rage, dead)
SELECT
    toString(events.url) AS url,
    toDate(events.occurred) AS day,
    viewport,
    toString(events.element) AS element,
    toUInt8(least(19, floor(element_x * 20))) AS x,
    toUInt8(least(19, floor(element_y * 20))) AS y,
    max(events.text) AS text,
    groupUniqArray(sipHash64(visitor_id, site, event_id)) AS clicks,
    groupUniqArrayIf(sipHash64(visitor_id, site, event_id), events.rage) AS rage,
    groupUniqArrayIf(sipHash64(visitor_id, site, event_id), events.dead) AS dead
FROM events
WHERE type = 'click' AND NOT automated
GROUP BY url, day, viewport, element, x, y;
