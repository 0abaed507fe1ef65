"""How the system is: who is behind, what could not be used and what could not be delivered.

A dead letter may be of any account, or of none: those are for marketing alone.
"""

import base64
import json
import re
from urllib.parse import urlencode

import structlog
from starlette.responses import Response

from schemas import topics
from schemas.errors import UnavailableError
from schemas.topics import Topic
from sinks.lags import Lag
from sinks.web.access import For
from sinks.web.asked import Asked, not_found
from sinks.web.questions import Given, Question
from sinks.web.routing import PageRoute

_log = structlog.get_logger()

_ORIGIN = re.compile(r"^(?P<topic>[a-z-]+)[/:](?P<partition>\d{1,5})[/:](?P<offset>\d{1,19})$")
# What a stage or a sink may be given again; a request that the collector refused would be refused again.
_AGAIN = {
    topic.name: topic
    for topic in (
        topics.EVENTS, topics.IDENTIFIED, topics.ACTIVITY, topics.INTEREST, topics.BRIEFS, topics.DELIVERIES,
        topics.OUTCOMES, topics.DECISIONS,
    )
}  # fmt: skip


def _given(asked: Asked) -> Given:
    named = {"dead_letter_id": asked.form.get("dead_letter_id", asked.text("dead_letter_id"))[:200]}
    return {**{name: asked.seen[name] for name in ("team", "first", "last")}, **named, "limit": 50}


DEAD_LETTERS = Question(
    "dead-letters",
    """
-- Messages that could not be used, the newest first.
SELECT dead_letter_id, stage, origin, reason, at, length(payload) AS size
FROM dead_letters FINAL
WHERE toDate(at) BETWEEN %(first)s AND %(last)s
ORDER BY at DESC, dead_letter_id
LIMIT %(limit)s
""",
    _given,
    whom=For.marketing,
)

DEAD_LETTER = Question(
    "dead-letter",
    """
-- One message that could not be used, whole.
SELECT origin, payload FROM dead_letters FINAL WHERE dead_letter_id = %(dead_letter_id)s
""",
    _given,
    whom=For.marketing,
)

FAILURES = Question(
    "delivery-failures",
    """
-- What could not be delivered to the team's reps, may not have been, or came back.
SELECT rep_id, channel, target, kind, reason, at, attempts
FROM outcomes FINAL
WHERE kind IN ('failed', 'uncertain', 'bounced') AND rep_id IN %(team)s AND toDate(at) BETWEEN %(first)s AND %(last)s
ORDER BY at DESC, outcome_id
LIMIT %(limit)s
""",
    _given,
    whom=For.leads,
)

QUESTIONS = (DEAD_LETTERS, DEAD_LETTER, FAILURES)


def health_page(asked: Asked) -> Response:
    """Show how the system is."""
    lags, away = _lags(asked)
    letters = asked.ask(DEAD_LETTERS) if asked.sight.is_among(DEAD_LETTERS.whom) else None
    return asked.page(
        "health.html.j2",
        tab="health",
        lags=lags,
        away=away,
        letters=letters,
        repeatable={row["dead_letter_id"] for row in letters or () if place_of(row["origin"])},
        failures=asked.ask(FAILURES),
        said=asked.text("again"),
    )


def try_again(asked: Asked) -> Response:
    """Put a dead letter's message back where it came from: it is used once more, and once more changes nothing else."""
    found = asked.ask(DEAD_LETTER)
    place = place_of(found[0]["origin"]) if found else None
    if not found or place is None or asked.web.publish is None:
        raise not_found()
    topic, partition = place
    payload = base64.b64decode(found[0]["payload"])
    said = "sent"
    try:
        asked.web.publish(topic.name, key_of(topic, payload), payload, partition)
    except UnavailableError as error:
        _log.warning("dead_letter_not_sent_again", reason=str(error))
        said = "away"
    else:
        _log.info("dead_letter_sent_again", origin=found[0]["origin"])
    return asked.go(f"/health?{urlencode({'again': said})}")


def place_of(origin: str) -> tuple[Topic, int] | None:
    """Return the topic and the partition that a dead letter came from; None if it can't be given again."""
    found = _ORIGIN.match(origin)
    return (_AGAIN[found["topic"]], int(found["partition"])) if found and found["topic"] in _AGAIN else None


def key_of(topic: Topic, payload: bytes) -> bytes | None:
    """Return the key that a message of a topic has: the field of this name; None if there is none."""
    try:
        said = json.loads(payload)
    except ValueError:
        return None
    key = said.get(topic.key) if isinstance(said, dict) else None
    return key.encode() if isinstance(key, str) else None


def _lags(asked: Asked) -> tuple[list[Lag], bool]:
    if asked.web.lags is None:
        return [], False
    try:
        return list(asked.web.lags()), False
    except UnavailableError:
        return [], True


ROUTES = (
    PageRoute("/health", health_page, whom=For.leads),
    PageRoute("/health/try-again", try_again, "POST", For.marketing),
)
