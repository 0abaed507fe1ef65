-- How an account stands, for the weekly page. Earlier rows hold the defaults: nobody had worked it out.

ALTER TABLE interest ADD COLUMN IF NOT EXISTS buying_stage LowCardinality(String) COMMENT 'Empty if nothing tells' AFTER score;
ALTER TABLE interest ADD COLUMN IF NOT EXISTS reasons Map(String, Float64) COMMENT 'Points per kind of reason' AFTER buying_stage;
ALTER TABLE interest ADD COLUMN IF NOT EXISTS unknown_visitors UInt32 COMMENT 'Beside the readers' AFTER readers;
ALTER TABLE interest ADD COLUMN IF NOT EXISTS missing_functions Array(String) COMMENT 'Of the buying committee, and nobody has read' AFTER unknown_visitors;
ALTER TABLE interest ADD COLUMN IF NOT EXISTS trend LowCardinality(String) COMMENT 'new, rising, steady or falling' AFTER active_ms_prior_7_days;
ALTER TABLE interest ADD COLUMN IF NOT EXISTS usual_week_ms Int64 COMMENT 'Mean of the past weeks, active ms' AFTER trend;
ALTER TABLE interest ADD COLUMN IF NOT EXISTS silent_days UInt32 COMMENT 'Length of the last long silence that ended' AFTER usual_week_ms;
ALTER TABLE interest ADD COLUMN IF NOT EXISTS cools Nullable(DateTime64(3, 'UTC')) COMMENT 'When it cools if nothing more is read' AFTER silent_days;
ALTER TABLE briefs ADD COLUMN IF NOT EXISTS lifecycle LowCardinality(String) COMMENT 'The account''s, when this was decided' AFTER score;
ALTER TABLE briefs ADD COLUMN IF NOT EXISTS hand_over LowCardinality(String) COMMENT 'Why the account became this rep''s; empty if it was' AFTER lifecycle;
ALTER TABLE briefs ADD COLUMN IF NOT EXISTS handed_over_by String COMMENT 'The rep before; empty for marketing' AFTER hand_over;
