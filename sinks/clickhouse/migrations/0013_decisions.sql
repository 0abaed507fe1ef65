-- Why, and why not: what was decided about telling a rep, by which rule. The same decision taken again is one row.

CREATE TABLE IF NOT EXISTS decisions
(
    decision_id String,
    account_id String,
    rep_id String COMMENT 'Empty if there was nobody to tell',
    brief_id String COMMENT 'Empty if it was not worth a brief',
    verdict LowCardinality(String),
    rule LowCardinality(String),
    trigger_kind LowCardinality(String) COMMENT 'Why the brief was made; empty without one',
    at DateTime64(3, 'UTC'),
    until Nullable(DateTime64(3, 'UTC')) COMMENT 'Of what is held: when it is looked at again',
    with_brief_id String COMMENT 'The brief that tells it, if it was merged or escalated',
    subject String COMMENT 'The page view that it is about, if there is no brief',
    message String CODEC(ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY (account_id, decision_id);
