-- What became of a click, and how much text was copied. Earlier rows hold the defaults: nobody looked.

ALTER TABLE events ADD COLUMN IF NOT EXISTS download Bool COMMENT 'A clicked link to a file' AFTER page_y;
ALTER TABLE events ADD COLUMN IF NOT EXISTS outbound Bool COMMENT 'A clicked link to a host that is not the site''s' AFTER download;
ALTER TABLE events ADD COLUMN IF NOT EXISTS rage Bool COMMENT 'At least the third click within a second, on the same spot' AFTER outbound;
ALTER TABLE events ADD COLUMN IF NOT EXISTS dead Bool COMMENT 'A click on what looks clickable, after which nothing happened' AFTER rage;
ALTER TABLE events ADD COLUMN IF NOT EXISTS copied_chars UInt32 COMMENT 'Of a copy: how much text, never which' AFTER dead;
