-- What reps answer to a brief, beside what became of its sending.

ALTER TABLE outcomes ADD COLUMN IF NOT EXISTS account_ids Array(String) AFTER brief_ids;
ALTER TABLE outcomes ADD COLUMN IF NOT EXISTS text String COMMENT 'An objection in the rep''s words' AFTER target;
ALTER TABLE outcomes ADD COLUMN IF NOT EXISTS url String COMMENT 'What was clicked' AFTER text;
ALTER TABLE outcomes ADD COLUMN IF NOT EXISTS suspected UInt8 COMMENT 'Perhaps a machine''s' AFTER url;
