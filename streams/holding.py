"""May a brief reach its rep now? If not, which rule holds it, and until when; and which of several comes first."""

from datetime import date
from typing import NamedTuple

from schemas.brief import Brief
from schemas.decision import Rule
from schemas.directory import Rep
from schemas.message import Model
from schemas.playbook import OutboxRules
from schemas.rep_mail import Released
from streams.working_hours import OpenSpan, open_day, open_spans

DAY_MS = 86_400_000


class Answers(Model):
    """What a rep has said of the briefs on one account: the last moment of each, in Unix milliseconds; 0: never."""

    not_useful_ms: int = 0
    useful_ms: int = 0
    snoozed_ms: int = 0


NOTHING_SAID = Answers()


class Hold(NamedTuple):
    """A rule that holds a brief back, and when to look again."""

    rule: Rule
    until_ms: int


class Desk:
    """One rep's working day at a moment: open or not, how much of the cap is used, who has been told of what."""

    def __init__(
        self,
        rep: Rep,
        rules: OutboxRules,
        released: tuple[Released, ...],
        answers: dict[str, Answers],
        now_ms: int,
    ) -> None:
        """Take the rep, the rules, what has left and what the rep said of it, and the moment."""
        self._rep, self._rules, self._answers, self._now_ms = rep, rules, answers, now_ms
        self._last: dict[str, int] = {}
        for gone in released:
            self._last[gone.account_id] = max(gone.at_ms, self._last.get(gone.account_id, 0))
        spans = open_spans(rep, now_ms)
        self._next = next(spans, OpenSpan(date.max, now_ms + DAY_MS, now_ms + DAY_MS))
        messages = {gone.at_ms for gone in released if gone.at_ms > now_ms - 3 * DAY_MS}
        self._capped = sum(open_day(at_ms, rep) == self._next.day for at_ms in messages) >= rep.daily_cap
        self._after_ms = (
            next((span.from_ms for span in spans if span.day != self._next.day), now_ms + DAY_MS)
            if self._capped
            else self._next.from_ms
        )

    def hold(self, brief: Brief) -> Hold | None:
        """Return what holds a brief now, None if it may go."""
        rules, kind, said = self._rules, brief.trigger.kind, self._answers.get(brief.account_id, NOTHING_SAID)
        hurried = kind in rules.must_not_wait
        wakes_ms = said.snoozed_ms + round(rules.snooze_days * DAY_MS) if said.snoozed_ms else 0
        if wakes_ms > self._now_ms and not hurried:
            return Hold(Rule.snoozed, wakes_ms)
        if self._next.from_ms > self._now_ms and (hurried or not self._capped):
            return Hold(Rule.quiet_hours, self._next.from_ms)
        if self._capped and not hurried:
            return Hold(Rule.daily_cap, self._after_ms)
        if hurried or kind in rules.at_once or brief.corrects:
            return None
        if self._is_lowered(brief) and (morning_ms := self._morning_after(brief)) > self._now_ms:
            return Hold(Rule.not_useful, morning_ms)
        free_ms = self._last[brief.account_id] + round(rules.cooldown_s * 1000) if brief.account_id in self._last else 0
        return Hold(Rule.cooldown, free_ms) if free_ms > self._now_ms else None

    def worth(self, brief: Brief) -> float:
        """Return what ranks a brief in a digest: its account's points and its trigger's, less if it is lowered."""
        points = brief.interest.score + self._rules.trigger_points.get(brief.trigger.kind, 0)
        return points * (self._rules.not_useful_share if self._is_lowered(brief) else 1)

    def is_urgent(self, brief: Brief) -> bool:
        """Tell whether a brief goes without regard to the cooldown."""
        return brief.trigger.kind in {*self._rules.at_once, *self._rules.must_not_wait}

    def _is_lowered(self, brief: Brief) -> bool:
        said = self._answers.get(brief.account_id, NOTHING_SAID)
        lasts_ms = round(self._rules.not_useful_days * DAY_MS)
        return said.not_useful_ms > said.useful_ms and said.not_useful_ms > self._now_ms - lasts_ms

    def _morning_after(self, brief: Brief) -> int:
        """Return the first opening after a brief was decided."""
        spans = (span.from_ms for span in open_spans(self._rep, brief.decided_ms) if span.from_ms > brief.decided_ms)
        return next(spans, 0)
