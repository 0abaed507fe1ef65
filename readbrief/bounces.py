"""Mails to reps that came back: the outcome is told, and the delivery goes again, by the rep's other channels."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

from clickhouse_driver import Client
from clickhouse_driver.errors import Error

from producers.links import Fault, TokenError
from producers.mail_marks import MARK_MAX_AGE_S, MailMark, read_mail_mark
from producers.mail_reports import NoBounceError, read_report
from producers.publisher import Publisher
from schemas.channel import ChannelKind
from schemas.delivery import Delivery, Outcome, OutcomeKind, Returned
from schemas.errors import TryAgainError, UnavailableError
from schemas.ids import derived_id
from schemas.settings import Settings
from schemas.topics import DELIVERIES, OUTCOMES
from sinks.clickhouse import queries
from sinks.clickhouse.client import connect

STORED_WITHIN_MS = 86_400_000
"""After a day, what is not in the store is not going to be: it was forgotten, or is no longer kept."""

TIMEOUT_S = 30
_DAY_S = 86_400

Say = Callable[[str], None]
Publish = Callable[[str, str, bytes], None]
"""Puts a value on a topic under a key, and returns once it is durable."""


class _CameBack(NamedTuple):
    name: str
    reason: str
    mark: MailMark


def take_reports(settings: Settings, messages: Iterable[tuple[str, bytes]], say: Say, now_ms: int) -> None:
    """Heed what mail servers report, each message with a name to speak of it by; what is no report of ours is said.

    Raises:
        TryAgainError: not all could be done, as a server is away or a delivery is not in the store yet.
    """
    ours = list(_verified(settings, messages, now_ms, say))
    if not ours:
        return
    try:
        with connect(settings) as client, _publishing(settings) as publish:
            early = [one for one in ours if not _heed(one, client, publish, now_ms, say)]
    except (UnavailableError, Error, OSError, EOFError) as error:
        raise TryAgainError(" ".join(str(error).split())[:300]) from error
    if early:
        raise TryAgainError(f"{early[0].mark.delivery_id} is not in the store yet: give the report again in a minute")


def came_back(delivery: Delivery, reason: str, at_ms: int) -> tuple[Delivery, Outcome]:
    """Return the delivery as it goes again, and what is told of the one that came back."""
    again = delivery.model_copy(
        update={
            "delivery_id": derived_id("bounced", delivery.delivery_id),
            "returned": Returned(reason=reason, at_ms=at_ms),
        }
    )
    outcome = Outcome(
        outcome_id=derived_id("outcome", delivery.delivery_id, OutcomeKind.bounced),
        delivery_id=delivery.delivery_id,
        rep_id=delivery.rep_id,
        channel=ChannelKind.email,
        brief_ids=tuple(brief.brief_id for brief in delivery.briefs),
        account_ids=tuple(dict.fromkeys(brief.account_id for brief in delivery.briefs)),
        kind=OutcomeKind.bounced,
        at_ms=at_ms,
        reason=reason,
        target=ChannelKind.email,
    )
    return again, outcome


def _verified(settings: Settings, messages: Iterable[tuple[str, bytes]], now_ms: int, say: Say) -> Iterator[_CameBack]:
    """Yield what is about a mail of ours; no server is asked for the rest, whoever sends it."""
    for name, data in messages:
        try:
            report = read_report(data)
            yield _CameBack(name, report.reason, read_mail_mark(settings, report.mark, now_ms=now_ms))
        except NoBounceError as error:
            say(f"{name}: ignored, as it {error}")
        except TokenError as error:
            expired = f"is older than {MARK_MAX_AGE_S // _DAY_S} days"
            said = expired if error.fault is Fault.expired else "was not made with this READBRIEF_SECRET, or is forged"
            say(f"{name}: ignored, as the mark of its mail {said}")


def _heed(one: _CameBack, client: Client, publish: Publish, now_ms: int, say: Say) -> bool:
    """Publish what follows from a mail that came back; tell whether that is done with."""
    delivery = queries.delivery(client, one.mark.delivery_id)
    if delivery is None:
        if now_ms - one.mark.sent_ms < STORED_WITHIN_MS:
            return False
        say(f"{one.name}: ignored, as {one.mark.delivery_id} is no longer in the store")
        return True
    ends = list(queries.ends(client, delivery.delivery_id))
    if any(end.kind is OutcomeKind.bounced for end in ends):
        say(f"{one.name}: {delivery.delivery_id} was told of before")
        return True
    # A mail of which the server never said that it took it went by the next channel at once.
    has_arrived = any(end.kind is OutcomeKind.sent and end.channel is not ChannelKind.email for end in ends)
    again, outcome = came_back(delivery, one.reason, now_ms)
    if not has_arrived:
        publish(DELIVERIES.name, again.rep_id, again.to_bytes())
    # The outcome says that all is done, so it comes last: what is cut short between the two is done again.
    publish(OUTCOMES.name, outcome.rep_id, outcome.to_bytes())
    goes = "had gone by another channel, too" if has_arrived else "goes by their other channels"
    say(f"{one.name}: {delivery.delivery_id} to rep {delivery.rep_id} came back ({one.reason}); it {goes}")
    return True


@contextmanager
def _publishing(settings: Settings) -> Iterator[Publish]:
    with closing(Publisher(settings.kafka_bootstrap, delivery_timeout_s=TIMEOUT_S)) as publisher:
        publisher.connect(TIMEOUT_S)
        yield lambda topic, key, value: publisher.publish(topic, value, key.encode()) and None
