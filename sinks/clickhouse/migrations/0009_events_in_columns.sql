-- An event stands in its columns alone, and is rebuilt from them; only what they can't hold exactly is kept as JSON.
-- So the table is made anew: in the order of time within a page view, which compresses best, and by months of receipt.
-- A copy that came in another month is another part's row: `FINAL` joins across partitions, so no answer changes by it.

-- if: SELECT partition_key = '' FROM system.tables WHERE database = currentDatabase() AND name = 'events'
CREATE TABLE IF NOT EXISTS events_in_columns
(
    visitor_id String CODEC(ZSTD(6)),
    site LowCardinality(String),
    page_view_id String CODEC(ZSTD(6)) COMMENT 'Empty for email and identify events',
    happened DateTime64(3, 'UTC') CODEC(Delta, ZSTD(6)) COMMENT 'The event''s time by its source''s clock, the same in every copy',
    event_id String CODEC(ZSTD(6)),
    type LowCardinality(String),
    skew_ms Int64 CODEC(T64, ZSTD(6)) COMMENT 'To be added to happened, by which the source''s clock is behind the collector''s',
    occurred DateTime64(3, 'UTC') ALIAS fromUnixTimestamp64Milli(toUnixTimestamp64Milli(happened) + skew_ms, 'UTC') COMMENT 'The event''s time by the collector''s clock',
    received DateTime64(3, 'UTC') CODEC(Delta, ZSTD(6)),
    sent_off_ms Int64 CODEC(T64, ZSTD(6)) COMMENT 'received less sent by the source''s clock, less skew_ms; 0 but for trackers that send late',
    url LowCardinality(String) COMMENT 'Canonical',
    url_as_sent String CODEC(ZSTD(6)) COMMENT 'Empty if it was canonical',
    title LowCardinality(String),
    referrer String CODEC(ZSTD(6)),
    viewport LowCardinality(String),
    lang LowCardinality(String),
    active_ms UInt32 CODEC(T64, ZSTD(6)) COMMENT 'Total since the page was opened, as all counters',
    beat_ms UInt32 CODEC(T64, ZSTD(6)) COMMENT 'Active ms that a page ping alone stands for',
    depth_pct UInt8 CODEC(ZSTD(6)),
    bands Map(UInt8, UInt32) CODEC(ZSTD(6)) COMMENT 'Active ms in each tenth of the page, 0 on top',
    sections Map(LowCardinality(String), UInt32) CODEC(ZSTD(6)) COMMENT 'Active ms per section key',
    section_titles Map(LowCardinality(String), LowCardinality(String)) CODEC(ZSTD(6)),
    left_page Bool CODEC(ZSTD(6)),
    element LowCardinality(String),
    text String CODEC(ZSTD(6)),
    href String CODEC(ZSTD(6)),
    element_x Float32 CODEC(ZSTD(6)) COMMENT 'Fraction of the element''s width',
    element_y Float32 CODEC(ZSTD(6)),
    page_x Float32 CODEC(ZSTD(6)) COMMENT 'Fraction of the page''s width',
    page_y Float32 CODEC(ZSTD(6)),
    download Bool CODEC(ZSTD(6)) COMMENT 'A clicked link to a file',
    outbound Bool CODEC(ZSTD(6)) COMMENT 'A clicked link to a host that is not the site''s',
    rage Bool CODEC(ZSTD(6)) COMMENT 'At least the third click within a second, on the same spot',
    dead Bool CODEC(ZSTD(6)) COMMENT 'A click on what looks clickable, after which nothing happened',
    copied_chars UInt32 CODEC(T64, ZSTD(6)) COMMENT 'Of a copy: how much text, never which',
    form String CODEC(ZSTD(6)),
    fields Map(String, String) CODEC(ZSTD(6)) COMMENT 'Of a form: what the page opted in',
    name String CODEC(ZSTD(6)) COMMENT 'What another tracker calls a custom event',
    contact_id String CODEC(ZSTD(6)),
    campaign_id LowCardinality(String),
    method LowCardinality(String),
    domain LowCardinality(String) COMMENT 'Of an identify: the company''s domain',
    evidence_id String CODEC(ZSTD(6)) COMMENT 'Of a withdrawal: the event that told',
    kafka_partition Int32 CODEC(T64, ZSTD(6)),
    kafka_offset Int64 CODEC(Delta, ZSTD(6)),
    automated Bool CODEC(ZSTD(6)) COMMENT 'Sent by a known bot or automation: never briefed',
    client_network LowCardinality(String) COMMENT 'The client''s address, truncated to /24 or /48',
    envelope String CODEC(ZSTD(6)) COMMENT 'The whole envelope as JSON where the columns can''t hold it exactly; else empty',
    INDEX of_url url TYPE bloom_filter(0.01),
    INDEX of_page_view page_view_id TYPE bloom_filter(0.01),
    INDEX of_type type TYPE set(20)
)
ENGINE = ReplacingMergeTree(received)
PARTITION BY toYYYYMM(received)
ORDER BY (visitor_id, site, page_view_id, happened, event_id)
SETTINGS index_granularity = 2048;

-- if: SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'events_in_columns' AND partition_key != ''
INSERT INTO events_in_columns (visitor_id, site, page_view_id, happened, event_id, type, skew_ms, received, url, title, referrer, viewport, active_ms, beat_ms, depth_pct, bands, sections, section_titles, left_page, element, text, href, element_x, element_y, page_x, page_y, download, outbound, rage, dead, copied_chars, form, name, contact_id, campaign_id, method, domain, kafka_partition, kafka_offset, automated, client_network, envelope)
SELECT
    visitor_id, site, page_view_id,
    if(envelope = '', occurred, fromUnixTimestamp64Milli(JSONExtractInt(envelope, 'event', 'occurred_ms'), 'UTC')) AS own,
    event_id, type, toUnixTimestamp64Milli(occurred) - toUnixTimestamp64Milli(own), received,
    url, title, referrer, viewport, active_ms, beat_ms, depth_pct, bands, sections, section_titles, left_page, element, text, href, element_x, element_y, page_x, page_y, download, outbound, rage, dead, copied_chars, form, name, contact_id, campaign_id, method, domain, kafka_partition, kafka_offset, automated, client_network, envelope
FROM events;

-- if: SELECT partition_key = '' FROM system.tables WHERE database = currentDatabase() AND name = 'events'
EXCHANGE TABLES events AND events_in_columns;

ALTER TABLE reads_of_events MODIFY QUERY
SELECT
    visitor_id,
    site,
    page_view_id,
    min(events.occurred) AS started,
    min(concat(leftPad(toString(toUnixTimestamp64Milli(events.occurred)), 13, '0'), ' ', url)) AS earliest,
    max(events.occurred) AS last,
    max(if(left_page, events.occurred, toDateTime64(0, 3, 'UTC'))) AS left_at,
    max(toString(events.title)) AS title,
    max(if(type = 'page_view', toString(events.viewport), '')) AS viewport,
    max(events.active_ms) AS counted_ms,
    maxMapIf(map(event_id, beat_ms), type = 'page_ping') AS beats,
    max(events.depth_pct) AS depth_pct,
    maxMap(events.bands) AS bands,
    maxMap(CAST(events.sections, 'Map(String, UInt32)')) AS sections,
    maxMap(CAST(events.section_titles, 'Map(String, String)')) AS section_titles,
    groupUniqArrayIf((event_id, element, text, href)::Tuple(event_id String, element String, text String, href String), type = 'click') AS clicks,
    groupUniqArrayIf(form, type = 'form_submit') AS submitted_forms
FROM events
WHERE page_view_id != '' AND NOT automated
GROUP BY visitor_id, site, page_view_id;

-- What was written in between; the tables stand the other way round now.
-- if: SELECT count() FROM system.tables WHERE database = currentDatabase() AND name = 'events_in_columns' AND partition_key = ''
INSERT INTO events (visitor_id, site, page_view_id, happened, event_id, type, skew_ms, received, url, title, referrer, viewport, active_ms, beat_ms, depth_pct, bands, sections, section_titles, left_page, element, text, href, element_x, element_y, page_x, page_y, download, outbound, rage, dead, copied_chars, form, name, contact_id, campaign_id, method, domain, kafka_partition, kafka_offset, automated, client_network, envelope)
SELECT
    visitor_id, site, page_view_id,
    if(envelope = '', occurred, fromUnixTimestamp64Milli(JSONExtractInt(envelope, 'event', 'occurred_ms'), 'UTC')) AS own,
    event_id, type, toUnixTimestamp64Milli(occurred) - toUnixTimestamp64Milli(own), received,
    url, title, referrer, viewport, active_ms, beat_ms, depth_pct, bands, sections, section_titles, left_page, element, text, href, element_x, element_y, page_x, page_y, download, outbound, rage, dead, copied_chars, form, name, contact_id, campaign_id, method, domain, kafka_partition, kafka_offset, automated, client_network, envelope
FROM events_in_columns;

DROP TABLE IF EXISTS events_in_columns;
