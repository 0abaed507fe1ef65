"""What the store has of known people, made from the events: activity, summaries, briefs, outcomes, and the directory.

An account has a summary on each day on which it read, and a brief for each. Every two weeks it may be as warm as before
or not, so that of those that read in a week one in four becomes warmer. A brief is sent, opened and answered. The
rep of one account in a hundred has left.
"""
# ruff: noqa: S608 - statements are made of this file's own text

from datetime import datetime

from benchmarks.clickhouse_events import PAGES

REPS = 25

_DIRECTORY = (
    f"""
    INSERT INTO directory (entity_id, kind, name, url, topics, reading_time_s, message)
    SELECT concat('content:', toString(number)), 'content', concat('Guide ', toString(number)),
           concat('https://www.example.com/guides/page-', toString(number)),
           [concat('topic-', toString(number % 12))], 60, '{{}}'
    FROM numbers({PAGES})
    """,
    f"""
    INSERT INTO directory (entity_id, kind, name, rep_id, message)
    SELECT concat('rep:rep-', toString(number)), 'rep', concat('Rep ', toString(number)),
           concat('rep-', toString(number)), '{{}}'
    FROM numbers({REPS})
    """,
    f"""
    INSERT INTO directory (entity_id, kind, name, account_id, rep_id, message)
    SELECT DISTINCT concat('account:', account_id), 'account', account_id, account_id,
           if(sipHash64(account_id, 'left') % 100 = 0, 'rep-gone',
              concat('rep-', toString(sipHash64(account_id) % {REPS}))), '{{}}'
    FROM identified
    """,
    """
    INSERT INTO directory (entity_id, kind, account_id, contact_id, message)
    SELECT DISTINCT concat('contact:', contact_id), 'contact', account_id, contact_id,
           ['{"function":"executive"}', '{"function":"technician"}'][1 + sipHash64(contact_id) % 2]
    FROM identified
    """,
)
_ACTIVITY = """
    INSERT INTO activity (account_id, visitor_id, site, event_id, contact_id, known, type, occurred, page_view_id,
                          url, active_ms, recorded)
    SELECT i.account_id, visitor_id, e.site, e.event_id, i.contact_id, 1, e.type, e.occurred, e.page_view_id,
           e.url, e.active_ms, e.received
    FROM (
        SELECT visitor_id, site, event_id, type, events.occurred AS occurred, page_view_id, url, active_ms, received
        FROM events
        WHERE visitor_id IN (SELECT visitor_id FROM identified) AND {days}
    ) AS e
    INNER JOIN identified AS i USING (visitor_id)
"""
_SUMMARIES = """
    INSERT INTO interest (account_id, day, as_of, told, temperature, score, topics, readers, message)
    SELECT account_id, day, moment, moment,
           ['cold', 'cold', 'cold', 'cold', 'cold', 'cold', 'cold', 'warm', 'warm', 'hot'][
               1 + sipHash64(account_id, intDiv(toUInt16(day), 14)) % 10],
           sipHash64(account_id) % 60, map('topic-1', 3.5, 'topic-2', 1.5), readers,
           '{{"committee":{{"functions":[]}},"contents":[]}}'
    FROM (
        SELECT account_id, toDate(occurred) AS day, max(occurred) AS moment, groupUniqArray(contact_id) AS readers
        FROM activity WHERE {days} GROUP BY account_id, day
    )
"""
_OF_BRIEF = f"""
    SELECT account_id, concat('brief-', hex(sipHash64(account_id, day))) AS brief, as_of AS moment,
           concat('rep-', toString(sipHash64(account_id) % {REPS})) AS rep, temperature
    FROM interest FINAL WHERE {{days}}
"""
_BRIEFS = (
    f"""
    INSERT INTO briefs (brief_id, account_id, rep_id, decided, trigger_kind, temperature, topics, reads, message)
    SELECT brief, account_id, rep, moment, 'high_intent', temperature, ['topic-1'], 3, '{{{{}}}}' FROM ({_OF_BRIEF})
    """,
    f"""
    INSERT INTO outcomes (outcome_id, delivery_id, rep_id, channel, brief_ids, account_ids, kind, at, text, message)
    SELECT concat('outcome-', hex(sipHash64(brief, kind))), concat('delivery-', brief), rep, 'email', [brief],
           [account_id], kind, moment + toIntervalMinute(indexOf(['sent', 'opened', 'useful', 'objection'], kind)),
           if(kind = 'objection', 'Too dear', ''), '{{{{}}}}'
    FROM ({_OF_BRIEF})
    ARRAY JOIN if(sipHash64(brief) % 10 = 0, ['sent', 'opened', 'useful', 'objection'], ['sent', 'opened', 'useful'])
        AS kind
    """,
    f"""
    INSERT INTO decisions (decision_id, account_id, rep_id, brief_id, verdict, rule, at, message)
    SELECT concat('decision-', brief), account_id, rep, brief, 'sent', 'free', moment, '{{{{}}}}' FROM ({_OF_BRIEF})
    """,
    f"""
    INSERT INTO dead_letters (dead_letter_id, stage, origin, reason, at, payload)
    SELECT concat('letter-', brief), 'visitors', 'events/2/17', 'bad', moment, 'e30=' FROM ({_OF_BRIEF})
    """,
)


def statements(first: datetime, end: datetime) -> list[str]:
    """Return the INSERTs for what was read from one day up to, but without, another; the events are stored."""
    moments = f"occurred >= '{first:%Y-%m-%d}' AND occurred < '{end:%Y-%m-%d}'"
    days = f"day >= '{first:%Y-%m-%d}' AND day < '{end:%Y-%m-%d}'"
    made = [_ACTIVITY.format(days=moments), _SUMMARIES.format(days=moments)]
    return [*_DIRECTORY, *made, *(each.format(days=days) for each in _BRIEFS)]
