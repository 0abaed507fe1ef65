"""Why an account was told of, and why not: what was decided and what came of it, in plain sentences of a language."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.brief import Brief
from schemas.decision import Decision, Verdict
from schemas.delivery import Outcome
from sinks.web.words import Words


class Entry(NamedTuple):
    """One thing that happened: when, of which brief, in words, and the record that says so."""

    at_ms: int
    brief_id: str
    says: str
    record: dict[str, Any]


@dataclass(frozen=True)
class Teller:
    """Says what happened: in words of a language, with reps and moments as its reader knows them."""

    words: Words
    rep: Callable[[str], str]
    moment: Callable[[int], str]

    def timeline(
        self, briefs: Iterable[Brief], decisions: Iterable[Decision], outcomes: Iterable[Outcome]
    ) -> list[Entry]:
        """Return what the records say, in order; of one moment, the brief, what was decided, what came of it."""
        made = {brief.brief_id: brief for brief in briefs}
        entries = [self._made(brief) for brief in made.values()]
        entries += [self._decided(one) for one in decisions]
        entries += [self._became(one, brief_id) for one in outcomes for brief_id in one.brief_ids if brief_id in made]
        return sorted(entries, key=lambda entry: entry.at_ms)

    def _say(self, key: str, **facts: object) -> str:
        return self.words.say(f"explain.{key}", **facts)

    def _made(self, brief: Brief) -> Entry:
        kind = brief.trigger.kind
        rep = self.rep(brief.rep_id)
        if brief.corrects:
            says = self._say("made.correction", rep=rep, other=brief.corrects)
        elif brief.escalates:
            says = self._say("made.escalation", rep=rep, from_rep=self.rep(brief.escalated_from), other=brief.escalates)
        else:
            says = self._say("made", rep=rep, moment=self._say(f"moment.{kind}"), trigger=kind.value)
        return Entry(brief.decided_ms, brief.brief_id, says, {"kind": "brief", "trigger": kind.value})

    def _decided(self, one: Decision) -> Entry:
        until = self.moment(one.until_ms) if one.until_ms else self._say("later")
        facts = {"rep": self.rep(one.rep_id), "until": until, "other": one.with_brief_id, "rule": one.rule.value}
        key = f"{one.verdict}.{one.rule}"
        if one.verdict in (Verdict.merged, Verdict.escalated):
            key = one.verdict.value
        elif not self.words.has(f"explain.{key}"):
            key = "sent.free" if one.verdict is Verdict.sent else f"{one.verdict}.other"
        record = {"kind": "decision", **one.model_dump(mode="json", exclude={"v", "at_ms", "brief_id", "account_id"})}
        return Entry(one.at_ms, one.brief_id, self._say(key, **facts), record)

    def _became(self, outcome: Outcome, brief_id: str) -> Entry:
        key = f"outcome.{outcome.kind}"
        says = self._say(key) if self.words.has(f"explain.{key}") else outcome.kind.replace("_", " ")
        end = "ended" if outcome.kind.is_end else "answered"
        said = self._say(end, says=says, channel=outcome.channel.value, rep=self.rep(outcome.rep_id))
        if outcome.suspected:
            said = self._say("perhaps", says=said)
        return Entry(outcome.at_ms, brief_id, said, {"kind": "outcome", "outcome": outcome.kind.value})
