-- The pages of an account and of a rep ask for the few briefs, outcomes and decisions of theirs, so that is how these are
-- sorted. What tells rows apart is what it was: a brief has one account, an outcome one kind and one rep. How a table is
-- sorted can't be changed, so each is made anew; what came in between is taken over, as the tables stand the other way
-- round then. Tables that are found by more than one way have a table of keys for each other one.

-- if: SELECT sorting_key = 'brief_id' FROM system.tables WHERE database = currentDatabase() AND name = 'briefs'
CREATE TABLE IF NOT EXISTS briefs_by_account AS briefs
ENGINE = ReplacingMergeTree
ORDER BY (account_id, brief_id)
SETTINGS index_granularity = 256;

-- if: SELECT sorting_key != 'brief_id' FROM system.tables WHERE database = currentDatabase() AND name = 'briefs_by_account'
INSERT INTO briefs_by_account SELECT * FROM briefs FINAL;

-- if: SELECT sorting_key = 'brief_id' FROM system.tables WHERE database = currentDatabase() AND name = 'briefs'
EXCHANGE TABLES briefs AND briefs_by_account;

-- if: SELECT sorting_key = 'brief_id' FROM system.tables WHERE database = currentDatabase() AND name = 'briefs_by_account'
INSERT INTO briefs SELECT * FROM briefs_by_account FINAL;

DROP TABLE IF EXISTS briefs_by_account;

-- if: SELECT sorting_key = 'outcome_id' FROM system.tables WHERE database = currentDatabase() AND name = 'outcomes'
CREATE TABLE IF NOT EXISTS outcomes_by_kind AS outcomes
ENGINE = ReplacingMergeTree
ORDER BY (kind, rep_id, outcome_id)
SETTINGS index_granularity = 64;

-- if: SELECT sorting_key != 'outcome_id' FROM system.tables WHERE database = currentDatabase() AND name = 'outcomes_by_kind'
INSERT INTO outcomes_by_kind SELECT * FROM outcomes FINAL;

-- if: SELECT sorting_key = 'outcome_id' FROM system.tables WHERE database = currentDatabase() AND name = 'outcomes'
EXCHANGE TABLES outcomes AND outcomes_by_kind;

-- if: SELECT sorting_key = 'outcome_id' FROM system.tables WHERE database = currentDatabase() AND name = 'outcomes_by_kind'
INSERT INTO outcomes SELECT * FROM outcomes_by_kind FINAL;

DROP TABLE IF EXISTS outcomes_by_kind;

-- if: SELECT engine_full NOT LIKE '%index_granularity = 256%' FROM system.tables WHERE database = currentDatabase() AND name = 'decisions'
CREATE TABLE IF NOT EXISTS decisions_indexed AS decisions
ENGINE = ReplacingMergeTree
ORDER BY (account_id, decision_id)
SETTINGS index_granularity = 256;

-- if: SELECT engine_full LIKE '%index_granularity = 256%' FROM system.tables WHERE database = currentDatabase() AND name = 'decisions_indexed'
INSERT INTO decisions_indexed SELECT * FROM decisions FINAL;

-- if: SELECT engine_full NOT LIKE '%index_granularity = 256%' FROM system.tables WHERE database = currentDatabase() AND name = 'decisions'
EXCHANGE TABLES decisions AND decisions_indexed;

-- if: SELECT engine_full NOT LIKE '%index_granularity = 256%' FROM system.tables WHERE database = currentDatabase() AND name = 'decisions_indexed'
INSERT INTO decisions SELECT * FROM decisions_indexed FINAL;

DROP TABLE IF EXISTS decisions_indexed;

-- if: SELECT engine_full NOT LIKE '%index_granularity = 64%' FROM system.tables WHERE database = currentDatabase() AND name = 'interest'
CREATE TABLE IF NOT EXISTS interest_indexed AS interest
ENGINE = ReplacingMergeTree(told)
ORDER BY (account_id, day)
SETTINGS index_granularity = 64;

-- if: SELECT engine_full LIKE '%index_granularity = 64%' FROM system.tables WHERE database = currentDatabase() AND name = 'interest_indexed'
INSERT INTO interest_indexed SELECT * FROM interest FINAL;

-- if: SELECT engine_full NOT LIKE '%index_granularity = 64%' FROM system.tables WHERE database = currentDatabase() AND name = 'interest'
EXCHANGE TABLES interest AND interest_indexed;

-- if: SELECT engine_full NOT LIKE '%index_granularity = 64%' FROM system.tables WHERE database = currentDatabase() AND name = 'interest_indexed'
INSERT INTO interest SELECT * FROM interest_indexed FINAL;

DROP TABLE IF EXISTS interest_indexed;

CREATE TABLE IF NOT EXISTS rep_briefs
(
    rep_id String CODEC(ZSTD(3)),
    day Date CODEC(Delta, ZSTD(3)) COMMENT 'Of the decision; one that is taken again may stand on two days',
    brief_id String CODEC(ZSTD(1)),
    account_id String CODEC(ZSTD(3)),
    decided DateTime64(3, 'UTC') CODEC(Delta, ZSTD(3)),
    trigger_kind LowCardinality(String),
    temperature LowCardinality(String),
    reads UInt32 CODEC(T64, ZSTD(3)) COMMENT 'Listed or not'
)
ENGINE = ReplacingMergeTree
ORDER BY (rep_id, day, brief_id)
SETTINGS index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS rep_briefs_of_briefs TO rep_briefs AS
SELECT rep_id, toDate(decided) AS day, brief_id, account_id, decided, trigger_kind, temperature, reads FROM briefs;

INSERT INTO rep_briefs (rep_id, day, brief_id, account_id, decided, trigger_kind, temperature, reads)
SELECT rep_id, toDate(decided) AS day, brief_id, account_id, decided, trigger_kind, temperature, reads FROM briefs FINAL;

CREATE TABLE IF NOT EXISTS rep_outcomes
(
    rep_id String CODEC(ZSTD(3)),
    day Date CODEC(Delta, ZSTD(3)) COMMENT 'An answer that is given again stands on each day',
    kind LowCardinality(String),
    outcome_id String CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(3)),
    delivery_id String CODEC(ZSTD(1)),
    brief_ids Array(String) CODEC(ZSTD(1)),
    account_ids Array(String) CODEC(ZSTD(3)),
    suspected Bool CODEC(ZSTD(3)) COMMENT 'Perhaps a machine''s'
)
ENGINE = ReplacingMergeTree
ORDER BY (rep_id, day, kind, outcome_id)
SETTINGS index_granularity = 256;

CREATE MATERIALIZED VIEW IF NOT EXISTS rep_outcomes_of_outcomes TO rep_outcomes AS
SELECT rep_id, toDate(at) AS day, kind, outcome_id, at, delivery_id, brief_ids, account_ids, suspected FROM outcomes;

INSERT INTO rep_outcomes (rep_id, day, kind, outcome_id, at, delivery_id, brief_ids, account_ids, suspected)
SELECT rep_id, toDate(at) AS day, kind, outcome_id, at, delivery_id, brief_ids, account_ids, suspected FROM outcomes FINAL;

CREATE TABLE IF NOT EXISTS brief_outcomes
(
    brief_id String CODEC(ZSTD(1)),
    kind LowCardinality(String),
    rep_id String CODEC(ZSTD(3)),
    outcome_id String CODEC(ZSTD(1)),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(3))
)
ENGINE = ReplacingMergeTree
ORDER BY (brief_id, kind, rep_id, outcome_id)
SETTINGS index_granularity = 64;

CREATE MATERIALIZED VIEW IF NOT EXISTS brief_outcomes_of_outcomes TO brief_outcomes AS
SELECT arrayJoin(brief_ids) AS brief_id, kind, rep_id, outcome_id, at FROM outcomes;

INSERT INTO brief_outcomes (brief_id, kind, rep_id, outcome_id, at)
SELECT arrayJoin(brief_ids) AS brief_id, kind, rep_id, outcome_id, at FROM outcomes FINAL;

-- Each account's newest summary, without what only its own page shows: the list of accounts reads a row for each.
CREATE TABLE IF NOT EXISTS account_standings
(
    account_id String CODEC(ZSTD(3)),
    day Date,
    told DateTime64(3, 'UTC'),
    temperature LowCardinality(String),
    score Float64,
    trend LowCardinality(String),
    buying_stage LowCardinality(String),
    topics Map(String, Float64) CODEC(ZSTD(3)),
    readers UInt32,
    unknown_visitors UInt32,
    missing_functions Array(LowCardinality(String)),
    active_ms_last_7_days Int64,
    usual_week_ms Int64,
    functions_read UInt32 COMMENT 'Functions of the committee of which somebody has read',
    last_ms Int64 COMMENT 'Unix ms of the last read of the listed contents',
    version UInt64 COMMENT 'The day, above the 42 bits of the moment at which it was told: of the newest day the last told stands'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY account_id
SETTINGS index_granularity = 32;

CREATE MATERIALIZED VIEW IF NOT EXISTS account_standings_of_interest TO account_standings AS
SELECT
    account_id, day, told, temperature, score, trend, buying_stage, topics, length(interest.readers) AS readers,
    unknown_visitors, missing_functions, active_ms_last_7_days, usual_week_ms,
    arrayCount(each -> JSONExtractInt(each, 'readers') > 0, JSONExtractArrayRaw(message, 'committee', 'functions')) AS functions_read,
    arrayMax(each -> JSONExtractInt(each, 'last_ms'), JSONExtractArrayRaw(message, 'contents')) AS last_ms,
    toUInt64(toUInt16(day)) * 4398046511104 + toUnixTimestamp64Milli(told) AS version
FROM interest;

-- The newest rows go through the view once more; what stands in the table already changes nothing.
INSERT INTO interest SELECT * FROM interest FINAL
WHERE (account_id, day) IN (SELECT account_id, max(day) FROM interest GROUP BY account_id);
