"""Runs stored activity through changed rules: who would have been told what and when, against what was. Sends nothing.

It reads ClickHouse as a replay does. What had been told, and what waited or had left the outboxes, is known up to the
first day; from there on the rules decide. The directory is today's, for all of the time.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from readbrief.replay import OUTBOX_MEMORY_DAYS, UNOPENED_DAYS
from readbrief.telling import Difference, Kind, Telling, compared, per_rep_and_day, tellings
from schemas.activity import Activity, Identified, told_by
from schemas.brief import Brief
from schemas.delivery import Delivery, Outcome
from schemas.directory import Directory
from schemas.envelope import Envelope
from schemas.playbook import Playbook
from schemas.rep_mail import Released, RepMail
from schemas.settings import Settings
from schemas.topics import DAY_MS
from sinks.clickhouse import queries
from sinks.clickhouse.client import connect
from sinks.clickhouse.stitching import activities, extent_ms
from streams.rehearsal import Known, Rehearsal

SAY_EVERY_S = 2.0

Say = Callable[[str], None]


class Backtest(NamedTuple):
    """What a backtest found."""

    start_ms: int
    until_ms: int
    events: int
    differences: list[Difference]
    was: list[Telling]
    would: list[Telling]
    directory: Directory

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, ordered, the same for the same store and rules."""
        counts = {kind.value: sum(each.kind is kind for each in self.differences) for kind in Kind}
        was, would = (per_rep_and_day(told, self.directory) for told in (self.was, self.would))
        return {
            "start_ms": self.start_ms,
            "until_ms": self.until_ms,
            "events": self.events,
            "counts": counts,
            "differences": [_plain(each) for each in self.differences],
            "per_rep_and_day": [
                {"rep_id": rep, "day": day, "was": was.get((rep, day), 0), "would": would.get((rep, day), 0)}
                for rep, day in sorted({*was, *would})
            ],
        }


def backtest(settings: Settings, playbook: Playbook, start_ms: int, until_ms: int, say: Say) -> Backtest:
    """Run the events received between two moments (Unix ms) through a playbook's rules.

    Raises:
        UnavailableError: ClickHouse does not answer.
    """
    client = connect(settings)
    try:
        directory = Directory()
        for entity in queries.directory_entries(client):
            directory.put(entity)
        memory_ms = start_ms - max(OUTBOX_MEMORY_DAYS, settings.history_days) * DAY_MS
        deliveries = list(queries.deliveries(client, memory_ms))
        answers = list(queries.answers(client, memory_ms))
        known = known_at(list(queries.told_briefs(client, memory_ms)), deliveries, start_ms, answers)
        heard = [one for one in answers if start_ms <= one.at_ms < until_ms]
        run = Rehearsal(directory, playbook, settings.history_days, stitching(settings.history_days))
        since_ms = start_ms - settings.history_days * DAY_MS
        stored = _Stored(queries.known_visitors_events(client, since_ms), known, heard)
        events = _run(run, stored, start_ms, until_ms, say)
    finally:
        client.disconnect()
    was = tellings(one for one in deliveries if start_ms <= one.released_ms < until_ms)
    earlier = {brief.brief_id for one in deliveries if one.released_ms < start_ms for brief in one.briefs}
    was = [one for one in was if one.brief.brief_id not in earlier]
    would = tellings(one for one in run.deliveries if one.released_ms < until_ms)
    return Backtest(start_ms, until_ms, events, compared(was, would), was, would, directory)


def known_at(
    told: Sequence[Brief], deliveries: Sequence[Delivery], start_ms: int, answers: Sequence[Outcome] = ()
) -> Known:
    """Return what had been told and answered before the start, and what each outbox had let go and held then."""
    gone: dict[str, dict[str, Released]] = defaultdict(dict)
    for delivery in deliveries:
        if delivery.released_ms < start_ms:
            for brief in delivery.briefs:
                gone[delivery.rep_id] |= {mark.brief_id: mark for mark in _marks(brief, delivery.released_ms, start_ms)}
    said: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in answers:
        if outcome.at_ms < start_ms:
            said[outcome.rep_id].append(outcome)
    left = {brief_id for marks in gone.values() for brief_id in marks}
    told = [brief for brief in told if brief.decided_ms < start_ms]
    # What was never released in the outbox's memory is not waiting, but lost with an account or a rep.
    waiting = [brief for brief in told if brief.brief_id not in left and _is_recent(brief.decided_ms, start_ms)]
    outboxes = [
        RepMail(rep_id=rep_id, released=tuple(gone[rep_id].values()), outcomes=tuple(said[rep_id]))
        for rep_id in dict.fromkeys((*gone, *said))
    ]
    outboxes += [RepMail(rep_id=brief.rep_id, briefs=(brief,)) for brief in waiting]
    marks = [Activity(account_id=brief.account_id, told=(told_by(brief),)) for brief in told]
    return Known(marks, outboxes)


def _marks(brief: Brief, released_ms: int, start_ms: int) -> list[Released]:
    """Return that a brief had left, and those that were merged into it, as a replay tells an outbox."""
    watched = released_ms > start_ms - UNOPENED_DAYS * DAY_MS and not brief.escalates and not brief.corrects
    gone = Released(brief_id=brief.brief_id, account_id=brief.account_id, at_ms=released_ms)
    parts = [gone.model_copy(update={"brief_id": name, "within": brief.brief_id}) for name in brief.merges]
    return [gone.model_copy(update={"unopened": brief}) if watched else gone, *parts]


def _is_recent(decided_ms: int, start_ms: int) -> bool:
    return decided_ms >= start_ms - OUTBOX_MEMORY_DAYS * DAY_MS


class _Stored(NamedTuple):
    """What the store has of the events, of the start, and of the answers after it."""

    chunks: Iterator[list[Envelope]]
    known: Known
    heard: Sequence[Outcome]


def _run(run: Rehearsal, stored: _Stored, start_ms: int, until_ms: int, say: Say) -> int:
    """Go through events in the order in which they were received; return how many lay in the window."""
    before: list[list[Envelope]] = []
    inside: list[Envelope] = []
    for chunk in stored.chunks:
        before.append([one for one in chunk if one.received_ms < start_ms])
        inside = [one for one in chunk if one.received_ms >= start_ms]
        if inside:
            break
    run.begin((chunk for chunk in before if chunk), stored.known, start_ms)
    rest = chain(inside, chain.from_iterable(stored.chunks))
    events, said_s = 0, time.monotonic()
    for events in run.run((one for one in rest if one.received_ms < until_ms), until_ms, stored.heard):
        if time.monotonic() > said_s + SAY_EVERY_S:
            said_s = time.monotonic()
            say(f"{events:,} events gone through, {len(run.deliveries):,} deliveries would have been made")
    return events


def stitching(history_days: int) -> Callable[[Identified, Sequence[Envelope]], Iterable[Activity]]:
    """Return how history is stitched: as the ClickHouse sink does it."""

    def stitch(said: Identified, history: Sequence[Envelope]) -> Iterable[Activity]:
        since_ms, before_ms = extent_ms(said, history[-1].received_ms, history_days)
        wanted = (
            one for one in history if since_ms <= one.occurred_ms and (before_ms is None or one.occurred_ms < before_ms)
        )
        return activities(said, wanted)

    return stitch


def _plain(each: Difference) -> dict[str, Any]:
    brief = each.stands.brief
    return {
        "kind": each.kind.value,
        "account_id": brief.account_id,
        "rep_id": each.stands.rep_id,
        "trigger": brief.trigger.kind.value,
        "url": brief.trigger.url,
        "was_trigger": each.was.brief.trigger.kind.value if each.was else None,
        "was_ms": each.was.at_ms if each.was else None,
        "would_ms": each.would.at_ms if each.would else None,
    }
