-- Events of known bots are kept and marked; of a client's address only its network is known.

ALTER TABLE events ADD COLUMN IF NOT EXISTS automated Bool DEFAULT false COMMENT 'Sent by a known bot or automation: never briefed';

ALTER TABLE events ADD COLUMN IF NOT EXISTS client_network LowCardinality(String) DEFAULT '' COMMENT 'The client''s address, truncated to /24 or /48';
