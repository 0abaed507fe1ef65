"""Events made inside ClickHouse, as a B2B site's readers cause them: so many each day, on 200 pages.

A page view has eight events: its opening, six beacons of progress, a click. A visitor has four page views on one
day, and one in fifty is known. Ids have as many random bits as the snippet's take when they are compressed. Those
are of 1,250 accounts in turn, so each account has one more in every 2,000,000 events.
"""

from datetime import UTC, datetime, timedelta

END = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 30
"""So many days have the smaller number of events; the larger number is a longer time at the same traffic."""

EVENTS_PER_VIEW, VIEWS_PER_VISITOR, PAGES, ONE_KNOWN_OF = 8, 4, 200, 50
ACCOUNTS = 1250

_COLUMNS = (
    "visitor_id, site, event_id, type, happened, skew_ms, received, sent_off_ms, page_view_id, url, title, referrer, "
    "viewport, lang, active_ms, depth_pct, bands, sections, section_titles, element, text, href, element_x, element_y, "
    "page_x, page_y, kafka_partition, kafka_offset"
)
_ROWS = """
    SELECT
        concat(hex(sipHash128('v', visitor)), hex(toUInt8(visitor))),
        'www', concat(hex(sipHash128('e', number)), hex(toUInt8(sipHash64('e8', number)))), type,
        fromUnixTimestamp64Milli(happened_ms, 'UTC'), skew_ms,
        fromUnixTimestamp64Milli(happened_ms + skew_ms + 30 + chance_b % 11 + if(type = 'click', 1000, 0), 'UTC'),
        30 + chance_b % 11 + if(type = 'click', 1000, 0) - if(type = 'click', 1000, 0) - 30 - chance_b % 11,
        concat(hex(sipHash128('p', view)), hex(toUInt8(sipHash64('p8', view)))),
        concat('https://www.example.com/guides/page-', toString(page)) AS address,
        concat('What an hour of standstill costs, part ', toString(page)),
        if(nth = 0, 'https://mail.example.com/', ''), if(type = 'page_progress', '', ['mobile', 'tablet', 'desktop'][1 + view % 3]),
        if(nth = 0, 'en-GB', ''), active_ms, if(is_progress, least(100, nth * 12 + sipHash64('d', view) % 20), 0),
        CAST(if(is_progress, arrayMap(b -> (toUInt8(b), toUInt32(multiIf(
            b < nth - 1, 3000 + sipHash64('b', view, b) % 1500, b <= nth + 1, intDiv(active_ms, 4), 0))), range(10)), []),
            'Map(UInt8, UInt32)'),
        CAST(if(is_progress, arrayMap(s -> (concat('section-', toString(page), '-', toString(s)), toUInt32(if(
            s < nth - 1, 4000 + sipHash64('s', view, s) % 1500, intDiv(active_ms, 3)))), range(1, 1 + least(nth, 4))), []),
            'Map(String, UInt32)'),
        CAST(if(is_progress, arrayMap(s -> (concat('section-', toString(page), '-', toString(s)),
            concat('Section number ', toString(s))), range(1, 1 + least(nth, 4))), []), 'Map(String, String)'),
        if(is_click, concat('main > p > a.more-', toString(spot)), ''), if(is_click, 'Read on', ''),
        if(is_click, 'https://www.example.com/pricing', ''),
        place[1], place[2], place[3], place[4], visitor % 6, intDiv(number, 6)
    FROM (
        SELECT
            number, intDiv(number, {events}) AS view, number % {events} AS nth, intDiv(view, {views}) AS visitor,
            sipHash64('page', view) % {pages} AS page, sipHash64('spot', view) % 12 AS spot,
            multiIf(nth = 0, 'page_view', nth = 3, 'click', 'page_progress') AS type,
            type = 'page_progress' AS is_progress, type = 'click' AS is_click, sipHash64('b', number) AS chance_b,
            toInt64({start_ms} + intDiv(view * {ms}, {all_views}) + nth * 5000 + sipHash64('a', number) % 900) AS happened_ms,
            toInt64(1000 + sipHash64('skew', view) % 400 + chance_b % 20) AS skew_ms,
            toUInt32(if(is_progress, nth * 4500 + sipHash64('ms', view, nth) % 500, 0)) AS active_ms,
            arrayMap(n -> if(is_click, toFloat32(round(sipHash64(number, n) % 10000 / 10000, 4)), 0), range(4)) AS place
        FROM numbers({first}, {count})
    )
"""  # noqa: E501
_KNOWN = """
    INSERT INTO identified (visitor_id, contact_id, account_id, method, evidence, valid_from, recorded, message)
    SELECT concat(hex(sipHash128('v', visitor)), hex(toUInt8(visitor))), concat('contact-', toString(visitor)),
           concat('account-', toString(number % {accounts})), 'email_link', moment,
           toDateTime64(0, 3, 'UTC'), moment, ''
    FROM (SELECT number, number * {known} AS visitor, fromUnixTimestamp64Milli({start_ms}, 'UTC') AS moment
          FROM numbers({first}, {count}))
"""


def statements(first: int, count: int, days: int, all_events: int, step: int = 500_000) -> list[str]:
    """Return the INSERTs that make events number `first` up to `first + count`; `all_events` are `days` days' worth."""
    start_ms = int((END - timedelta(days=days)).timestamp() * 1000)
    given = {
        "events": EVENTS_PER_VIEW, "views": VIEWS_PER_VISITOR, "pages": PAGES, "start_ms": start_ms,
        "ms": days * 86_400_000, "all_views": all_events // EVENTS_PER_VIEW,
    }  # fmt: skip
    made = [
        f"INSERT INTO events ({_COLUMNS})" + _ROWS.format(first=one, count=min(step, first + count - one), **given)
        for one in range(first, first + count, step)
    ]
    per_known = EVENTS_PER_VIEW * VIEWS_PER_VISITOR * ONE_KNOWN_OF
    known = {"accounts": ACCOUNTS, "known": ONE_KNOWN_OF, "start_ms": start_ms}
    return [*made, _KNOWN.format(first=first // per_known, count=max(1, count // per_known), **known)]
