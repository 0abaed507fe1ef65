-- Every statement of a migration can be run twice: two processes may migrate at once, and one may die half-way.
-- Every table's key makes a replay harmless; read with FINAL, or group, for what is not merged yet.

CREATE TABLE IF NOT EXISTS events
(
    visitor_id String,
    site LowCardinality(String),
    event_id String,
    type LowCardinality(String),
    occurred DateTime64(3, 'UTC') COMMENT 'The event''s time by the collector''s clock',
    received DateTime64(3, 'UTC'),
    page_view_id String COMMENT 'Empty for email and identify events',
    url String COMMENT 'Canonical',
    title String,
    referrer String,
    viewport LowCardinality(String),
    active_ms UInt32 COMMENT 'Total since the page was opened, as all counters',
    depth_pct UInt8,
    bands Map(UInt8, UInt32) COMMENT 'Active ms in each tenth of the page, 0 on top',
    sections Map(String, UInt32) COMMENT 'Active ms per section key',
    section_titles Map(String, String),
    left_page Bool,
    element String,
    text String,
    href String,
    element_x Float32 COMMENT 'Fraction of the element''s width',
    element_y Float32,
    page_x Float32 COMMENT 'Fraction of the page''s width',
    page_y Float32,
    form String,
    contact_id String,
    campaign_id String,
    method LowCardinality(String),
    kafka_partition Int32,
    kafka_offset Int64,
    envelope String CODEC(ZSTD(3)) COMMENT 'The whole envelope as JSON',
    INDEX occurred_range occurred TYPE minmax,
    INDEX of_url url TYPE bloom_filter(0.01),
    INDEX of_page_view page_view_id TYPE bloom_filter(0.01)
)
ENGINE = ReplacingMergeTree(received)
ORDER BY (visitor_id, site, event_id);

-- Read with FINAL, and never a part of a column by a dot (sections.keys): ClickHouse joins whole columns only, and
-- gives of a part whatever comes first. mapKeys(sections) is right.
CREATE TABLE IF NOT EXISTS reads
(
    visitor_id String,
    site LowCardinality(String),
    page_view_id String,
    started SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    earliest SimpleAggregateFunction(min, String) COMMENT 'Unix ms in 13 digits, a space, url: the earliest event''s url is the read''s',
    last SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    left_at SimpleAggregateFunction(max, DateTime64(3, 'UTC')) COMMENT 'Last moment the page was hidden or closed; 1970 if never',
    title SimpleAggregateFunction(max, String),
    viewport SimpleAggregateFunction(max, String),
    active_ms SimpleAggregateFunction(max, UInt32),
    depth_pct SimpleAggregateFunction(max, UInt8),
    bands SimpleAggregateFunction(maxMap, Map(UInt8, UInt32)),
    sections SimpleAggregateFunction(maxMap, Map(String, UInt32)),
    section_titles SimpleAggregateFunction(maxMap, Map(String, String)),
    clicks SimpleAggregateFunction(groupUniqArrayArray, Array(Tuple(event_id String, element String, text String, href String))),
    submitted_forms SimpleAggregateFunction(groupUniqArrayArray, Array(String)),
    url String ALIAS substring(earliest, 15) COMMENT 'Canonical'
)
ENGINE = AggregatingMergeTree
ORDER BY (visitor_id, site, page_view_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS reads_of_events TO reads AS
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
    max(events.active_ms) AS active_ms,
    max(events.depth_pct) AS depth_pct,
    maxMap(events.bands) AS bands,
    maxMap(events.sections) AS sections,
    maxMap(events.section_titles) AS section_titles,
    groupUniqArrayIf((event_id, element, text, href)::Tuple(event_id String, element String, text String, href String), type = 'click') AS clicks,
    groupUniqArrayIf(form, type = 'form_submit') AS submitted_forms
FROM events
WHERE page_view_id != ''
GROUP BY visitor_id, site, page_view_id;

CREATE TABLE IF NOT EXISTS identified
(
    visitor_id String,
    contact_id String,
    account_id String,
    method LowCardinality(String),
    evidence DateTime64(3, 'UTC') COMMENT 'What was read before is newly known',
    valid_from DateTime64(3, 'UTC'),
    valid_until Nullable(DateTime64(3, 'UTC')) COMMENT 'First moment that is no longer this contact''s',
    recorded DateTime64(3, 'UTC'),
    message String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(recorded)
ORDER BY (visitor_id, valid_from, contact_id);

CREATE TABLE IF NOT EXISTS interest
(
    account_id String,
    day Date COMMENT 'The last summary of each day is kept',
    as_of DateTime64(3, 'UTC'),
    temperature LowCardinality(String),
    score Float64,
    topics Map(String, Float64) COMMENT 'Minutes of well-read content after decay',
    readers Array(String),
    active_ms_last_7_days Int64,
    active_ms_prior_7_days Int64,
    message String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree(as_of)
ORDER BY (account_id, day);

CREATE TABLE IF NOT EXISTS briefs
(
    brief_id String,
    account_id String,
    rep_id String,
    language LowCardinality(String),
    decided DateTime64(3, 'UTC'),
    trigger_kind LowCardinality(String),
    trigger_met DateTime64(3, 'UTC'),
    trigger_url String,
    topics Array(String),
    temperature LowCardinality(String),
    score Float64,
    reads UInt32 COMMENT 'Listed or not',
    message String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY brief_id;

CREATE TABLE IF NOT EXISTS deliveries
(
    delivery_id String,
    rep_id String,
    channel LowCardinality(String),
    brief_ids Array(String),
    account_ids Array(String),
    released DateTime64(3, 'UTC'),
    message String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY delivery_id;

CREATE TABLE IF NOT EXISTS outcomes
(
    outcome_id String,
    delivery_id String,
    rep_id String,
    channel LowCardinality(String),
    brief_ids Array(String),
    kind LowCardinality(String),
    at DateTime64(3, 'UTC'),
    attempts Int64,
    reason String,
    target String,
    message String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY outcome_id;

CREATE TABLE IF NOT EXISTS dead_letters
(
    dead_letter_id String,
    stage LowCardinality(String),
    origin String,
    reason String,
    at DateTime64(3, 'UTC'),
    payload String CODEC(ZSTD(3)) COMMENT 'The original bytes, base64'
)
ENGINE = ReplacingMergeTree
ORDER BY dead_letter_id;

CREATE TABLE IF NOT EXISTS directory
(
    entity_id String,
    kind LowCardinality(String),
    name String COMMENT 'A content''s title',
    account_id String COMMENT 'The account itself, or the contact''s',
    contact_id String,
    rep_id String COMMENT 'The rep, or the account''s',
    url String COMMENT 'Canonical',
    topics Array(String),
    stage LowCardinality(String),
    lifecycle LowCardinality(String),
    industry LowCardinality(String),
    owner String,
    reading_time_s UInt32,
    message String CODEC(ZSTD(3)),
    recorded DateTime64(3, 'UTC'),
    deleted UInt8
)
ENGINE = ReplacingMergeTree(recorded, deleted)
ORDER BY entity_id;
