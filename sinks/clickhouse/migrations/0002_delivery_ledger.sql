-- What was claimed and sent, so that no delivery is sent twice. A claim is a row of its own, so that two processes that
-- claim at once both see it; its later states replace its earlier ones. Kept for good: a replay of any age asks here.
-- A part is synced to the disk before the insert is answered: a claim must outlive a power cut, too.

CREATE TABLE IF NOT EXISTS delivery_ledger
(
    delivery_id String,
    claim_id String,
    state Enum8('claimed' = 1, 'released' = 2, 'uncertain' = 3, 'failed' = 4, 'sent' = 5),
    at DateTime64(3, 'UTC'),
    attempts UInt16,
    reason String COMMENT 'Why it failed',
    target LowCardinality(String) COMMENT 'The channel''s name, never its address',
    rank UInt8 COMMENT 'The state''s number: the highest stands'
)
ENGINE = ReplacingMergeTree(rank)
ORDER BY (delivery_id, claim_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
