"""What a brief told, and no longer holds: reads that were others', readers who are known only now.

Each of an account's last briefs remembers whom it named as the reader of what it told. When what is known has been
different for a while, there is one correction; what was told of it then is what the correction says. The id is derived
from the brief, the correction before, and what is known now: whatever order that came in, it is the same correction.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from pydantic import Field

from schemas.activity import Told
from schemas.brief import Correction, CorrectionKind, Trigger
from schemas.directory import Directory
from schemas.ids import derived_id
from schemas.message import Id, Model, Reader, UnixMs
from schemas.playbook import CorrectionRules
from schemas.reads import Read

HOUR_MS = 3_600_000
MAX_KEPT = 5
GONE = "-"
"""In place of a reader: the read is not the account's."""


class Correctable(Model):
    """A brief that may have to be put right: whom it says read what, and which of that has left the account since."""

    brief_id: Id
    rep_id: Id
    decided_ms: UnixMs
    trigger: Trigger
    says: dict[str, str] = Field(default_factory=dict)
    told: dict[str, int] = Field(default_factory=dict)
    urls: dict[str, str] = Field(default_factory=dict)
    left: frozenset[str] = frozenset()
    corrected_by: Reader = ""


class Doubt(Model):
    """What is known differs from what was told, since when."""

    key: str
    since_ms: UnixMs


class Change(NamedTuple):
    """A brief, and who read what it told as is known now."""

    brief: Correctable
    now: dict[str, str]

    @property
    def brief_id(self) -> str:
        """The id of the correction."""
        facts = [f"{page_view_id}={self.now[page_view_id]}" for page_view_id in sorted(self.now)]
        return derived_id("brief", "correction", self.brief.brief_id, self.brief.corrected_by, *facts)

    def correction(self) -> Correction:
        """Return what is put right."""
        says = self.brief.says
        concerned = tuple(sorted(name for name, who in self.now.items() if who != says[name]))
        readers = {self.now[name] for name in concerned}
        known_now = all(not says[name] for name in concerned) and GONE not in readers
        return Correction(
            kind=CorrectionKind.known_now if known_now else CorrectionKind.withdrawn,
            told_ms=self.brief.decided_ms,
            page_view_ids=concerned,
            urls=tuple(dict.fromkeys(self.brief.urls[name] for name in concerned)),
            contact_id=readers.pop() if len(readers) == 1 and GONE not in readers else "",
        )


def with_told(recent: tuple[Correctable, ...], marks: Iterable[Told]) -> tuple[Correctable, ...]:
    """Return the briefs that may have to be put right, with those of marks, and as corrections among them left them."""
    known = {one.brief_id: one for one in recent}
    for mark in sorted(marks, key=lambda mark: (mark.decided_ms, mark.brief_id)):
        if mark.corrects:
            wrong = known.get(mark.corrects)
            if wrong:
                says = {name: mark.said[name].contact_id if name in mark.said else GONE for name in wrong.says}
                known[mark.corrects] = wrong.model_copy(update={"says": says, "corrected_by": mark.brief_id})
        elif mark.trigger and mark.said and mark.brief_id not in known:
            known[mark.brief_id] = Correctable(
                brief_id=mark.brief_id,
                rep_id=mark.rep_id,
                decided_ms=mark.decided_ms,
                trigger=mark.trigger,
                says={name: said.contact_id for name, said in mark.said.items()},
                told={name: mark.reads.get(name, 0) for name in mark.said},
                urls={name: said.url for name, said in mark.said.items()},
            )
    newest = sorted(known.values(), key=lambda one: (-one.decided_ms, one.brief_id))[:MAX_KEPT]
    return tuple(newest)


def with_left(
    recent: tuple[Correctable, ...], left: Collection[str], reads: Mapping[str, Read], emptied_ms: int
) -> tuple[Correctable, ...]:
    """Return the briefs with what has left the account since; what is back has not left.

    What an account read before it was deleted is not put right: it is an account of its own since.
    """
    return tuple(
        one.model_copy(update={"left": frozenset(_left(one, left, reads))})
        for one in recent
        if one.decided_ms >= emptied_ms
    )


def _left(brief: Correctable, left: Collection[str], reads: Mapping[str, Read]) -> Iterable[str]:
    return (name for name in brief.says if name not in reads and (name in brief.left or name in left))


def changes_of(
    recent: tuple[Correctable, ...],
    reads: Mapping[str, Read],
    directory: Directory,
    rules: CorrectionRules,
    now_ms: int,
) -> list[Change]:
    """Return what must be put right: within the window, and of more reading than a trifle."""
    changes = []
    for brief in recent:
        if now_ms > brief.decided_ms + rules.within_h * HOUR_MS:
            continue
        now = {name: _reader_now(name, said, brief, reads, directory) for name, said in brief.says.items()}
        concerned_ms = sum(brief.told[name] for name, who in now.items() if who != brief.says[name])
        if concerned_ms >= rules.min_active_s * 1000:
            changes.append(Change(brief, now))
    return changes


def doubt_of(changes: Iterable[Change], doubt: Doubt | None, now_ms: int) -> Doubt | None:
    """Return since when what is known has been as it is, and differs from what was told; None if it does not."""
    key = " ".join(change.brief_id for change in changes)
    if not key:
        return None
    return doubt if doubt and doubt.key == key else Doubt(key=key, since_ms=now_ms)


def _reader_now(name: str, said: str, brief: Correctable, reads: Mapping[str, Read], directory: Directory) -> str:
    """Return who read a page view as is known now; what was said, if that can't be told."""
    if name not in reads:
        return GONE if name in brief.left else said
    if said not in {"", GONE} and said not in directory.contacts:
        return said  # deleted: nobody is told who they were not
    contact_id = reads[name].contact_id
    return contact_id if contact_id in directory.contacts else ""
