-- Of a day's summaries the one told last stands: when something is taken back, it is as of an earlier moment than the one before.
-- What tells which row stands can't be changed, so the table is made anew. Of earlier rows it is not known when they were told.

ALTER TABLE interest ADD COLUMN IF NOT EXISTS told DateTime64(3, 'UTC') DEFAULT as_of COMMENT 'Of a day''s summaries the last told stands' AFTER as_of;

-- if: SELECT engine_full NOT LIKE '%MergeTree%told)%' FROM system.tables WHERE database = currentDatabase() AND name = 'interest'
CREATE TABLE IF NOT EXISTS interest_by_telling AS interest
ENGINE = ReplacingMergeTree(told)
ORDER BY (account_id, day);

-- if: SELECT engine_full LIKE '%MergeTree%told)%' FROM system.tables WHERE database = currentDatabase() AND name = 'interest_by_telling'
INSERT INTO interest_by_telling SELECT * FROM interest;

-- if: SELECT engine_full NOT LIKE '%MergeTree%told)%' FROM system.tables WHERE database = currentDatabase() AND name = 'interest'
EXCHANGE TABLES interest AND interest_by_telling;

-- What came in between; the tables stand the other way round now.
-- if: SELECT engine_full NOT LIKE '%MergeTree%told)%' FROM system.tables WHERE database = currentDatabase() AND name = 'interest_by_telling'
INSERT INTO interest SELECT * FROM interest_by_telling;

DROP TABLE IF EXISTS interest_by_telling;
