"""What interests them? From activity to interest summaries and briefs."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from schemas.directory import Directory
from schemas.playbook import Playbook
from schemas.rep_mail import RepMail
from schemas.topics import BRIEFS, DECISIONS, DIRECTORY, INTEREST
from streams.account_records import changes_between, state_of
from streams.account_state import AccountState, joined_in, too_late, within_history
from streams.accounts import AccountStep, advance
from streams.activity_news import News, in_turn, news_in
from streams.backlog import put_off
from streams.forgetting import without
from streams.metrics import TOO_LATE
from streams.records import Change, Table
from streams.stage import Incoming, Send, Work

_ONE_PARTITION = 0  # the directory's topic has no more


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
        heard: dict[str, list[News]] = defaultdict(list)
        for message in messages:
            news = news_in(message.value)
            heard[news.account_id].append(news)
        for key in due:
            heard[key]  # with nothing new: it is looked at
        work = Work()
        looked_at = set(due)
        for key, new in heard.items():
            self._advance(work, key, new, table, now_ms, is_due=key in looked_at)
        return work

    def _advance(self, work: Work, key: str, new: list[News], table: Table, now_ms: int, *, is_due: bool) -> None:
        records = table.get(key)
        before = state_of(key, records)
        state = before
        for news in in_turn(new):
            state = without(state, news.forgotten) if news.forgotten else state
            state = joined_in(state, news)
        TOO_LATE.inc(len(too_late(state, new, self._history_days, now_ms)))
        if not is_due and (later := put_off(state, new, now_ms)):
            work.changes += changes_between(before, later.state, records)
            work.due[key], work.decoded[key] = later.due_ms, later.state
            work.put_off.add(key)
            return
        if new or state.unsaid_ms:
            state = within_history(state, self._history_days)
        step = advance(state, self._directory, self._playbook, now_ms, before)
        is_forgotten = any(one.forgotten and one.forgotten.account for one in new)
        if is_forgotten and step.state == AccountState(account_id=key):
            work.changes += [Change(key, name, None) for name in records or ()]
            work.due[key] = None
            return
        work.sends += _sends(key, step)
        if step.changed:
            work.changes += changes_between(before, step.state, records)
        work.due[key] = step.due_ms
        work.decoded[key] = step.state


def _sends(key: str, step: AccountStep) -> Iterator[Send]:
    """Yield what others are told of what follows."""
    for brief in step.briefs:
        yield Send(BRIEFS, brief.rep_id, RepMail(rep_id=brief.rep_id, briefs=(brief,)))
    for decision in step.decisions:
        yield Send(DECISIONS, key, decision)
    for opt_out in step.opt_outs:
        yield Send(DIRECTORY, opt_out.entity_id, opt_out, _ONE_PARTITION)
    if step.interest:
        yield Send(INTEREST, key, step.interest)
