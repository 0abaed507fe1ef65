-- Pictures of pages as they looked, with the places of their elements: figures are drawn over them, too.

CREATE TABLE IF NOT EXISTS page_pictures
(
    url String CODEC(ZSTD(3)) COMMENT 'Canonical',
    width UInt16 COMMENT 'Of the layout, in CSS pixels',
    height UInt32,
    taken DateTime64(3, 'UTC') COMMENT 'Of one width the newest stands',
    picture String CODEC(ZSTD(3)) COMMENT 'JPEG, base64',
    boxes Array(Tuple(element String, text String, x Float32, y Float32, width Float32, height Float32)) CODEC(ZSTD(3)) COMMENT 'In CSS pixels'
)
ENGINE = ReplacingMergeTree(taken)
ORDER BY (url, width)
SETTINGS index_granularity = 16;
