"""What interests them? From activity to interest summaries and briefs."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from schemas.activity import Activity
from schemas.directory import Directory
from schemas.playbook import Playbook
from schemas.rep_mail import RepMail
from schemas.topics import BRIEFS, DECISIONS, INTEREST
from streams.account_records import changes_between, state_of
from streams.accounts import AccountState, advance, take_in
from streams.forgetting import without
from streams.records import Change, Table
from streams.stage import Incoming, Send, Work


class AccountStage:
    """The stage with one state per account."""

    def __init__(self, directory: Directory, playbook: Playbook, history_days: int) -> None:
        """Take the living directory, marketing's playbook, and how many days of reads count."""
        self._directory = directory
        self._playbook = playbook
        self._history_days = history_days

    def use(self, playbook: Playbook) -> None:
        """Decide by another playbook from the next batch on."""
        self._playbook = playbook

    def handle(self, messages: Sequence[Incoming], table: Table, now_ms: int, due: Collection[str] = ()) -> Work:
        """Join accounts' activity, look at those that are due, and tell what follows."""
        activities: dict[str, list[Activity]] = defaultdict(list)
        for message in messages:
            activity = Activity.from_bytes(message.value)
            activities[activity.account_id].append(activity)
        for key in due:
            activities[key]  # with nothing new: it is looked at
        work = Work()
        for key, new in activities.items():
            self._advance(work, key, new, table, now_ms)
        return work

    def _advance(self, work: Work, key: str, new: list[Activity], table: Table, now_ms: int) -> None:
        records = table.get(key)
        before = state_of(key, records)
        state = before
        for activity in _in_turn(key, new):
            state = without(state, activity.forgotten) if activity.forgotten else state
            state = take_in(state, activity, self._history_days)
        step = advance(state, self._directory, self._playbook, now_ms, before)
        if any(one.forgotten and one.forgotten.account for one in new) and step.state == AccountState(account_id=key):
            work.changes += [Change(key, name, None) for name in records or ()]
            work.due[key] = None
            return
        mails = [RepMail(rep_id=brief.rep_id, briefs=(brief,)) for brief in step.briefs]
        work.sends += [Send(BRIEFS, mail.rep_id, mail) for mail in mails]
        work.sends += [Send(DECISIONS, key, decision) for decision in step.decisions]
        if step.interest:
            work.sends.append(Send(INTEREST, key, step.interest))
        if step.changed:
            work.changes += changes_between(before, step.state, records)
        work.due[key] = step.due_ms
        work.decoded[key] = step.state


def _in_turn(account_id: str, activities: list[Activity]) -> list[Activity]:
    """Return activities as one, but for where somebody is forgotten: what comes before is, what comes after is not."""
    runs: list[list[Activity]] = []
    for activity in activities:
        if activity.forgotten or not runs:
            runs.append([])
        runs[-1].append(activity)
    return [_together(account_id, run) for run in runs]


def _together(account_id: str, activities: list[Activity]) -> Activity:
    if len(activities) == 1:
        return activities[0]
    return Activity(
        account_id=account_id,
        items=tuple(item for activity in activities for item in activity.items),
        told=tuple(mark for activity in activities for mark in activity.told),
        emptied_ms=max(activity.emptied_ms for activity in activities),
        owners=tuple(owner for activity in activities for owner in activity.owners),
        forgotten=activities[0].forgotten,
    )
