"""One rep's own page: the briefs and what became of them, caps and channels, and the accounts that are snoozed."""

from datetime import UTC, timedelta

from starlette.responses import Response

from sinks.web.asked import Asked, not_found
from sinks.web.questions import Given, Question
from sinks.web.routing import PageRoute

_MAX_BRIEFS = 100


def _of_rep(asked: Asked) -> Given:
    rep = asked.rep or (asked.sight.reps[0] if asked.sight.reps else None)
    snooze_days = asked.web.playbook().outbox.snooze_days
    midnight = asked.now.astimezone(asked.words.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        **{name: asked.seen[name] for name in ("everything", "accounts", "first", "last")},
        "rep_id": rep.rep_id if rep else "-",
        "limit": _MAX_BRIEFS,
        "midnight": midnight.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "snoozed_since": (asked.now - timedelta(days=snooze_days)).strftime("%Y-%m-%d %H:%M:%S"),
    }


BRIEFS = Question(
    "rep-briefs",
    """
-- The briefs to a rep, and what became of each.
SELECT b.brief_id AS brief_id, b.account_id AS account_id, b.decided AS decided, b.temperature AS temperature,
       b.trigger_kind AS trigger_kind, b.reads AS reads, arraySort(groupUniqArray(toString(o.kind))) AS kinds
FROM (
    SELECT brief_id, account_id, decided, temperature, trigger_kind, reads FROM rep_briefs FINAL
    WHERE rep_id = %(rep_id)s AND day BETWEEN %(first)s AND %(last)s
      AND (%(everything)s OR account_id IN %(accounts)s)
    ORDER BY decided DESC
    LIMIT 1 BY brief_id
) AS b
LEFT JOIN (
    SELECT arrayJoin(brief_ids) AS brief_id, kind FROM rep_outcomes FINAL
    WHERE rep_id = %(rep_id)s AND NOT suspected AND day >= %(first)s
      AND NOT (kind = 'sent' AND delivery_id IN (
          SELECT delivery_id FROM rep_outcomes WHERE rep_id = %(rep_id)s AND kind = 'bounced' AND day >= %(first)s
      ))
) AS o ON o.brief_id = b.brief_id
GROUP BY brief_id, account_id, decided, temperature, trigger_kind, reads
ORDER BY decided DESC, brief_id
LIMIT %(limit)s
""",
    _of_rep,
)

SENT_TODAY = Question(
    "rep-sent-today",
    """
-- How many briefs the rep has had since midnight by the own clock.
SELECT uniqExact(arrayJoin(brief_ids)) AS sent FROM rep_outcomes FINAL
WHERE rep_id = %(rep_id)s AND kind = 'sent' AND day >= toDate(%(midnight)s) AND at >= %(midnight)s
  AND delivery_id NOT IN (
      SELECT delivery_id FROM rep_outcomes
      WHERE rep_id = %(rep_id)s AND kind = 'bounced' AND day >= toDate(%(midnight)s)
  )
""",
    _of_rep,
)

SNOOZED = Question(
    "rep-snoozed",
    """
-- Accounts that the rep snoozed, as long as that lasts (outbox.snooze_days in the playbook).
SELECT account_id, max(at) AS snoozed FROM (
    SELECT arrayJoin(account_ids) AS account_id, at FROM rep_outcomes FINAL
    WHERE rep_id = %(rep_id)s AND kind = 'snoozed' AND day >= toDate(%(snoozed_since)s) AND at >= %(snoozed_since)s
)
WHERE (%(everything)s OR account_id IN %(accounts)s)
GROUP BY account_id
ORDER BY snoozed DESC, account_id
""",
    _of_rep,
)

QUESTIONS = (BRIEFS, SENT_TODAY, SNOOZED)


def rep_page(asked: Asked) -> Response:
    """Show a rep, or, to who is none, the reps that may be looked at."""
    rep = asked.rep or (asked.sight.reps[0] if asked.sight.reps else None)
    team = sorted(
        (one for rep_id in asked.sight.team if (one := asked.sight.rep(rep_id))), key=lambda one: one.name.casefold()
    )
    if rep is None and not asked.sight.marketing:
        raise not_found()
    if rep is None:
        return asked.page("reps.html.j2", tab="me", team=team)
    return asked.page(
        "rep.html.j2",
        tab="me",
        rep=rep,
        own=rep in asked.sight.reps,
        team=team if len(team) > 1 else (),
        briefs=asked.ask(BRIEFS),
        sent=asked.ask(SENT_TODAY)[0]["sent"],
        snoozed=asked.ask(SNOOZED),
        snooze_days=timedelta(days=asked.web.playbook().outbox.snooze_days),
    )


ROUTES = (PageRoute("/me", rep_page), PageRoute("/reps/{rep_id}", rep_page))
