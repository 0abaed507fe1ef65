"""Who of those who take part in buying has read what, and who is missing?"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from schemas.directory import Contact, Directory, Function, Stage
from schemas.interest import Committee, FunctionCoverage
from schemas.playbook import CommitteeRules
from streams.weighing import Weighed

MAX_TOPICS = 5
MAX_UNREAD = 50
STAGES = tuple(Stage)


@dataclass
class _Seat:
    """One function: the people known, and what they have read."""

    contacts: list[str] = field(default_factory=list)
    readers: set[str] = field(default_factory=set)
    active_ms: int = 0
    topics: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    stages: set[Stage] = field(default_factory=set)

    def take(self, one: Weighed) -> None:
        self.readers.add(one.reader)
        self.active_ms += one.read.active_ms
        if one.content:
            for topic in one.content.topics:
                self.topics[topic] += one.weight_ms
            if one.content.stage:
                self.stages.add(one.content.stage)

    def coverage(self, function: Function) -> FunctionCoverage:
        heaviest = sorted(self.topics, key=lambda topic: (-self.topics[topic], topic))[:MAX_TOPICS]
        return FunctionCoverage(
            function=function,
            contacts=len(self.contacts),
            readers=len(self.readers),
            unread_contacts=tuple(name for name in self.contacts if name not in self.readers)[:MAX_UNREAD],
            active_ms=self.active_ms,
            topics=tuple(heaviest),
            stages=tuple(stage for stage in STAGES if stage in self.stages),
        )


@cache
def _nobody(function: Function) -> FunctionCoverage:
    return FunctionCoverage(function=function, contacts=0)


def committee_of(account_id: str, weighed: Sequence[Weighed], directory: Directory, rules: CommitteeRules) -> Committee:
    """Return the coverage of the committee's functions in the playbook's order, then of others that are there.

    Somebody whose function counts for another one is found under that, so that a technician covers technology.
    """
    known = directory.contacts_of(account_id)
    seats: dict[Function, _Seat] = defaultdict(_Seat)
    for contact in known:
        if function := _counts_as(contact, rules):
            seats[function].contacts.append(contact.contact_id)
    functions: dict[str, Function | None] = {}
    for one in weighed:
        reader = one.reader
        if reader not in functions:
            functions[reader] = _counts_as(directory.contacts.get(reader), rules)
        if function := functions[reader]:
            seats[function].take(one)
    wanted = tuple(dict.fromkeys(rules.functions))
    extra = sorted(seats.keys() - set(wanted))
    return Committee(
        functions=tuple(
            seats[function].coverage(function) if function in seats else _nobody(function)
            for function in (*wanted, *extra)
        ),
        missing=tuple(function for function in wanted if function not in seats or not seats[function].readers),
        unread_contacts=tuple(contact.contact_id for contact in known if contact.contact_id not in functions)[
            :MAX_UNREAD
        ],
    )


def _counts_as(contact: Contact | None, rules: CommitteeRules) -> Function | None:
    if contact is None or contact.function is None:
        return None
    return rules.counts_for.get(contact.function, contact.function)
