-- A page's reads and clicks one by one, found by its address: for figures of some readers only, where a rollup of all
-- is no use. A read stands on each day (UTC) on which it was seen, with what it had reached by then: over days, join.
-- An event that comes again changes nothing.

CREATE TABLE IF NOT EXISTS page_reads
(
    url String CODEC(ZSTD(3)) COMMENT 'Canonical',
    day Date CODEC(Delta, ZSTD(3)),
    visitor_id String CODEC(ZSTD(3)),
    site LowCardinality(String),
    page_view_id String CODEC(ZSTD(3)),
    started SimpleAggregateFunction(min, DateTime64(3, 'UTC')) CODEC(Delta, ZSTD(3)),
    viewport SimpleAggregateFunction(max, String) CODEC(ZSTD(3)) COMMENT 'Empty before the opening has come',
    counted_ms SimpleAggregateFunction(max, UInt32) CODEC(T64, ZSTD(3)),
    beats SimpleAggregateFunction(maxMap, Map(UInt64, UInt32)) CODEC(ZSTD(3)) COMMENT 'Active ms by page ping; they add up',
    depth_pct SimpleAggregateFunction(max, UInt8) CODEC(ZSTD(3)),
    bands SimpleAggregateFunction(maxMap, Map(UInt8, UInt32)) CODEC(ZSTD(3)) COMMENT 'Active ms by tenth',
    sections SimpleAggregateFunction(maxMap, Map(String, UInt32)) CODEC(ZSTD(3)),
    section_titles SimpleAggregateFunction(maxMap, Map(String, String)) CODEC(ZSTD(3))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (url, day, visitor_id, site, page_view_id)
SETTINGS index_granularity = 256;

CREATE TABLE IF NOT EXISTS page_clicks
(
    url String CODEC(ZSTD(3)) COMMENT 'Canonical',
    day Date CODEC(Delta, ZSTD(3)),
    visitor_id String CODEC(ZSTD(3)),
    site LowCardinality(String),
    event_id String CODEC(ZSTD(3)),
    page_view_id String CODEC(ZSTD(3)),
    viewport LowCardinality(String),
    element LowCardinality(String),
    text String CODEC(ZSTD(3)),
    element_x Float32 CODEC(ZSTD(3)) COMMENT 'Fraction of the element''s width',
    element_y Float32 CODEC(ZSTD(3)),
    page_x Float32 CODEC(ZSTD(3)) COMMENT 'Fraction of the page''s width: tells elements of one description apart',
    page_y Float32 CODEC(ZSTD(3)),
    rage Bool CODEC(ZSTD(3)),
    dead Bool CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (url, day, visitor_id, site, event_id)
SETTINGS index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS page_reads_of_events TO page_reads AS
SELECT
    toString(events.url) AS url,
    toDate(events.occurred) AS day,
    visitor_id,
    site,
    page_view_id,
    min(events.occurred) AS started,
    max(if(type = 'page_view', toString(events.viewport), '')) AS viewport,
    max(events.active_ms) AS counted_ms,
    maxMapIf(map(sipHash64(event_id), beat_ms), type = 'page_ping') AS beats,
    max(events.depth_pct) AS depth_pct,
    maxMap(events.bands) AS bands,
    maxMap(CAST(events.sections, 'Map(String, UInt32)')) AS sections,
    maxMap(CAST(events.section_titles, 'Map(String, String)')) AS section_titles
FROM events
WHERE page_view_id != '' AND NOT automated
GROUP BY url, day, visitor_id, site, page_view_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS page_clicks_of_events TO page_clicks AS
SELECT toString(events.url) AS url, toDate(events.occurred) AS day, visitor_id, site, event_id, page_view_id, viewport, element, text, element_x, element_y, page_x, page_y, rage, dead
FROM events
WHERE type = 'click' AND NOT automated;

-- What was stored before; to join the same events twice changes nothing.
INSERT INTO page_reads (url, day, visitor_id, site, page_view_id, started, viewport, counted_ms, beats, depth_pct, bands, sections, section_titles)
SELECT
    toString(events.url) AS url,
    toDate(events.occurred) AS day,
    visitor_id,
    site,
    page_view_id,
    min(events.occurred) AS started,
    max(if(type = 'page_view', toString(events.viewport), '')) AS viewport,
    max(events.active_ms) AS counted_ms,
    maxMapIf(map(sipHash64(event_id), beat_ms), type = 'page_ping') AS beats,
    max(events.depth_pct) AS depth_pct,
    maxMap(events.bands) AS bands,
    maxMap(CAST(events.sections, 'Map(String, UInt32)')) AS sections,
    maxMap(CAST(events.section_titles, 'Map(String, String)')) AS section_titles
FROM events
WHERE page_view_id != '' AND NOT automated
GROUP BY url, day, visitor_id, site, page_view_id;

INSERT INTO page_clicks (url, day, visitor_id, site, event_id, page_view_id, viewport, element, text, element_x, element_y, page_x, page_y, rage, dead)
SELECT toString(events.url) AS url, toDate(events.occurred) AS day, visitor_id, site, event_id, page_view_id, viewport, element, text, element_x, element_y, page_x, page_y, rage, dead
FROM events
WHERE type = 'click' AND NOT automated;
