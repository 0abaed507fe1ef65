-- Where a brief stands in a channel that can edit it, so that its correction takes its place.

CREATE TABLE IF NOT EXISTS sent_messages
(
    brief_id String,
    target LowCardinality(String) COMMENT 'The channel''s name, never its address',
    place String COMMENT 'The conversation, as the service calls it',
    message String COMMENT 'The message in it, as the service calls it',
    at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY (brief_id, target);
