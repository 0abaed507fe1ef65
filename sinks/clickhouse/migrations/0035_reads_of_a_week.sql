-- The weekly page asks of each page when its views began, how deep they came and how long they were: of all readers, so
-- the rollup by day has it, view by view, instead of the reads one by one. What tells views and pings apart are hashes of
-- 64 bits, as in the columns beside them; what comes again changes nothing.

ALTER TABLE content_days ADD COLUMN IF NOT EXISTS starts SimpleAggregateFunction(minMap, Map(UInt64, UInt32)) CODEC(ZSTD(3)) COMMENT 'By page view: the minute (Unix) in which it was first seen on this day' AFTER views;

ALTER TABLE content_days ADD COLUMN IF NOT EXISTS pings SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(view UInt64, ping UInt64, beat_ms UInt32))) CODEC(ZSTD(3)) COMMENT 'Page pings of each page view; they add up' AFTER beats;

ALTER TABLE content_days COMMENT COLUMN depths 'Deepest percent by page view';

ALTER TABLE content_days_of_events MODIFY QUERY
SELECT
    toString(events.url) AS url,
    toDate(events.occurred) AS day,
    max(toString(events.title)) AS title,
    groupUniqArray(sipHash64(visitor_id, site)) AS visitors,
    maxMap(map(sipHash64(visitor_id, site, page_view_id), active_ms)) AS views,
    minMap(map(sipHash64(visitor_id, site, page_view_id), toUInt32(intDiv(toUnixTimestamp64Milli(events.occurred), 60000)))) AS starts,
    maxMap(map(sipHash64(visitor_id, site, page_view_id), depth_pct)) AS depths,
    maxMapIf(map(sipHash64(visitor_id, site, event_id), beat_ms), type = 'page_ping') AS beats,
    groupUniqArrayIf((sipHash64(visitor_id, site, page_view_id), sipHash64(event_id), beat_ms)::Tuple(view UInt64, ping UInt64, beat_ms UInt32), type = 'page_ping') AS pings
FROM events
WHERE page_view_id != '' AND NOT automated
GROUP BY url, day;

-- What was stored before, from where it stands view by view.
INSERT INTO content_days (url, day, starts, depths, pings)
SELECT
    url,
    day,
    minMap(map(sipHash64(visitor_id, site, page_view_id), toUInt32(intDiv(toUnixTimestamp64Milli(started), 60000)))),
    maxMap(map(sipHash64(visitor_id, site, page_view_id), depth_pct)),
    groupUniqArrayArray(arrayMap(
        (ping, ms) -> (sipHash64(visitor_id, site, page_view_id), ping, ms)::Tuple(view UInt64, ping UInt64, beat_ms UInt32),
        mapKeys(beats), mapValues(beats)
    ))
FROM page_reads
GROUP BY url, day;

-- A visitor's events lie in few of the months: in all others the index says so, and nothing of them is read.
ALTER TABLE events ADD INDEX IF NOT EXISTS of_visitor visitor_id TYPE bloom_filter(0.001) GRANULARITY 1;

ALTER TABLE events MATERIALIZE INDEX of_visitor;

-- Whose reads are asked for lie far apart, four or five of each visitor: less is read around them. How finely a table
-- is indexed can't be changed, so it is made anew, and each column as what was measured to be smallest.
ALTER TABLE reads
    MODIFY COLUMN visitor_id CODEC(ZSTD(3)),
    MODIFY COLUMN page_view_id CODEC(ZSTD(1)),
    MODIFY COLUMN started CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN earliest CODEC(ZSTD(3)),
    MODIFY COLUMN last CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN left_at CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN title CODEC(ZSTD(3)),
    MODIFY COLUMN viewport CODEC(ZSTD(3)),
    MODIFY COLUMN counted_ms CODEC(T64, ZSTD(3)),
    MODIFY COLUMN beats CODEC(ZSTD(3)),
    MODIFY COLUMN depth_pct CODEC(ZSTD(3)),
    MODIFY COLUMN bands CODEC(ZSTD(3)),
    MODIFY COLUMN sections CODEC(ZSTD(3)),
    MODIFY COLUMN section_titles CODEC(ZSTD(3)),
    MODIFY COLUMN clicks CODEC(ZSTD(3)),
    MODIFY COLUMN submitted_forms CODEC(ZSTD(3));

-- if: SELECT engine_full NOT LIKE '%index_granularity = 64%' FROM system.tables WHERE database = currentDatabase() AND name = 'reads'
CREATE TABLE IF NOT EXISTS reads_indexed AS reads
ENGINE = AggregatingMergeTree
ORDER BY (visitor_id, site, page_view_id)
SETTINGS index_granularity = 64;

-- if: SELECT engine_full LIKE '%index_granularity = 64%' FROM system.tables WHERE database = currentDatabase() AND name = 'reads_indexed'
INSERT INTO reads_indexed SELECT * FROM reads;

-- if: SELECT engine_full NOT LIKE '%index_granularity = 64%' FROM system.tables WHERE database = currentDatabase() AND name = 'reads'
EXCHANGE TABLES reads AND reads_indexed;

-- What came in between; the tables stand the other way round now.
-- if: SELECT engine_full NOT LIKE '%index_granularity = 64%' FROM system.tables WHERE database = currentDatabase() AND name = 'reads_indexed'
INSERT INTO reads SELECT * FROM reads_indexed;

DROP TABLE IF EXISTS reads_indexed;
