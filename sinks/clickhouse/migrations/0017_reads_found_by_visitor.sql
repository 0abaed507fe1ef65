-- A visitor's reads are few, and an account's visitors lie far apart: so less is read around each. How finely a table is
-- indexed can't be changed, so it is made anew.

-- if: SELECT engine_full NOT LIKE '%index_granularity = 256%' FROM system.tables WHERE database = currentDatabase() AND name = 'reads'
CREATE TABLE IF NOT EXISTS reads_indexed AS reads
ENGINE = AggregatingMergeTree
ORDER BY (visitor_id, site, page_view_id)
SETTINGS index_granularity = 256;

-- if: SELECT engine_full LIKE '%index_granularity = 256%' FROM system.tables WHERE database = currentDatabase() AND name = 'reads_indexed'
INSERT INTO reads_indexed SELECT * FROM reads;

-- if: SELECT engine_full NOT LIKE '%index_granularity = 256%' FROM system.tables WHERE database = currentDatabase() AND name = 'reads'
EXCHANGE TABLES reads AND reads_indexed;

-- What came in between; the tables stand the other way round now.
-- if: SELECT engine_full NOT LIKE '%index_granularity = 256%' FROM system.tables WHERE database = currentDatabase() AND name = 'reads_indexed'
INSERT INTO reads SELECT * FROM reads_indexed;

DROP TABLE IF EXISTS reads_indexed;
