-- What is measured to be smallest: random ids by letters' frequencies alone, as a longer search finds only chance likenesses
-- in them; times so, too; counters by their bits. Parts take it on as they are merged.

ALTER TABLE events
    MODIFY COLUMN page_view_id CODEC(ZSTD(1)),
    MODIFY COLUMN event_id CODEC(ZSTD(1)),
    MODIFY COLUMN happened CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN received CODEC(Delta, ZSTD(1)),
    MODIFY COLUMN skew_ms CODEC(T64('bit'), ZSTD(6)),
    MODIFY COLUMN active_ms CODEC(T64('bit'), ZSTD(6)),
    MODIFY COLUMN bands CODEC(ZSTD(9)),
    MODIFY COLUMN sections CODEC(ZSTD(9));
