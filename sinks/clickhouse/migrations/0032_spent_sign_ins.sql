-- Links of sign-in mails that were used, and sessions that were signed out. A claim is a row of its own: of two who use one
-- link at the same moment at least one sees both, and whoever sees another claim is not let in.

CREATE TABLE IF NOT EXISTS spent_sign_ins
(
    number String CODEC(ZSTD(3)) COMMENT 'The link''s or the session''s, drawn at random',
    claim_id String CODEC(ZSTD(3)),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(3))
)
ENGINE = MergeTree
ORDER BY number
TTL toDateTime(at) + INTERVAL 35 DAY
SETTINGS index_granularity = 256;
