-- Which event counted for which account, as the streams were told, and each account's reading by day.
-- Whose a read is now is said by `identified`, which also knows what was taken back: it is found by account here, too.

CREATE TABLE IF NOT EXISTS activity
(
    account_id String CODEC(ZSTD(3)),
    visitor_id String CODEC(ZSTD(3)),
    site LowCardinality(String),
    event_id String CODEC(ZSTD(3)),
    contact_id String CODEC(ZSTD(3)) COMMENT 'Empty for somebody unnamed',
    known Bool COMMENT 'The visitor was known when it happened',
    stitched Bool COMMENT 'Read back from the store',
    type LowCardinality(String),
    occurred DateTime64(3, 'UTC') CODEC(Delta, ZSTD(3)),
    page_view_id String CODEC(ZSTD(3)),
    url String CODEC(ZSTD(3)) COMMENT 'Canonical',
    active_ms UInt32 CODEC(T64, ZSTD(3)) COMMENT 'Total of the page view so far',
    beat_ms UInt32 CODEC(T64, ZSTD(3)),
    recorded DateTime64(3, 'UTC') CODEC(Delta, ZSTD(3))
)
ENGINE = ReplacingMergeTree(recorded)
PARTITION BY toYYYYMM(occurred)
ORDER BY (account_id, visitor_id, site, event_id)
SETTINGS index_granularity = 1024;

CREATE TABLE IF NOT EXISTS account_days
(
    account_id String CODEC(ZSTD(3)),
    day Date CODEC(Delta, ZSTD(3)),
    url String CODEC(ZSTD(3)),
    readers SimpleAggregateFunction(groupUniqArrayArray, Array(String)) CODEC(ZSTD(3)) COMMENT 'Contacts; empty for somebody unnamed',
    views SimpleAggregateFunction(maxMap, Map(UInt64, UInt32)) CODEC(ZSTD(3)) COMMENT 'Highest active ms by page view',
    beats SimpleAggregateFunction(maxMap, Map(UInt64, UInt32)) CODEC(ZSTD(3)) COMMENT 'Active ms by page ping; they add up'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (account_id, day, url)
SETTINGS index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS account_days_of_activity TO account_days AS
SELECT
    account_id,
    toDate(occurred) AS day,
    url,
    groupUniqArray(contact_id) AS readers,
    maxMap(map(sipHash64(visitor_id, site, page_view_id), active_ms)) AS views,
    maxMapIf(map(sipHash64(visitor_id, site, event_id), beat_ms), type = 'page_ping') AS beats
FROM activity
WHERE page_view_id != ''
GROUP BY account_id, day, url;

CREATE TABLE IF NOT EXISTS identified_accounts
(
    account_id String CODEC(ZSTD(3)),
    visitor_id String CODEC(ZSTD(3)),
    valid_from DateTime64(3, 'UTC') CODEC(Delta, ZSTD(3)),
    contact_id String CODEC(ZSTD(3)),
    valid_until Nullable(DateTime64(3, 'UTC')),
    withdrawn Bool,
    recorded DateTime64(3, 'UTC') CODEC(Delta, ZSTD(3))
)
ENGINE = ReplacingMergeTree(recorded)
ORDER BY (account_id, visitor_id, valid_from, contact_id)
SETTINGS index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS identified_accounts_of_identified TO identified_accounts AS
SELECT account_id, visitor_id, valid_from, contact_id, valid_until, withdrawn, recorded FROM identified;

INSERT INTO identified_accounts SELECT account_id, visitor_id, valid_from, contact_id, valid_until, withdrawn, recorded FROM identified FINAL;
