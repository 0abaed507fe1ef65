-- How sure it is who a visitor was, and which spans turned out to be wrong: those are kept, and marked.

ALTER TABLE identified ADD COLUMN IF NOT EXISTS confidence UInt8 DEFAULT 100 COMMENT 'Percent' AFTER method;

ALTER TABLE identified ADD COLUMN IF NOT EXISTS withdrawn Bool DEFAULT false COMMENT 'It is nobody''s any more, or another''s' AFTER valid_until;

ALTER TABLE events ADD COLUMN IF NOT EXISTS domain LowCardinality(String) DEFAULT '' COMMENT 'Of an identify: the company''s domain' AFTER method;
