"""Who opted out of mails under one account has opted out under every other."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.activity import Activity, ActivityItem
from schemas.directory import Contact, Directory, OptOut, entry_from_bytes
from schemas.emails import Verdict
from schemas.events import EmailAgent, EmailComplaint, EmailOpen, EmailUnsubscribe
from schemas.interest import Interest
from schemas.topics import ACTIVITY, DIRECTORY, INTEREST
from streams.account_stage import AccountStage
from streams.account_state import AccountState
from streams.accounts import advance
from streams.opt_outs import opt_out_key
from streams.records import MemoryTable
from streams.stage import Incoming, Send
from tests.streams.journeys import START_MS
from tests.streams.test_email_interest import HOUR_MS, PLAYBOOK, click, directory, landed, mail, page

OUT = "dana opts out"
MOVED = "dana moves"


class World:
    """Accounts that share a directory, which hears what they tell it as its feed does."""

    def __init__(self) -> None:
        self.directory: Directory = directory()
        self._stage = AccountStage(self.directory, PLAYBOOK, 90)
        self._tables: dict[str, MemoryTable] = {}
        self.told: list[Send] = []
        self.summaries: dict[str, Interest] = {}

    def hear(self, *items: ActivityItem) -> None:
        """Have the account that dana belongs to now hear of something."""
        account_id = self.directory.contacts["dana"].account_id
        table = self._tables.setdefault(account_id, MemoryTable())
        value = Activity(account_id=account_id, items=items).to_bytes()
        work = self._stage.handle([Incoming(ACTIVITY.name, 0, 0, value)], table, START_MS + 30 * HOUR_MS)
        table.apply(work.changes)
        for send in work.sends:
            if send.topic is DIRECTORY:
                self.told.append(send)
                self.directory.put(entry_from_bytes(send.message.to_bytes()))
            if send.topic is INTEREST and isinstance(send.message, Interest):
                self.summaries[account_id] = send.message

    def move(self) -> None:
        self.directory.put(Contact(contact_id="dana", account_id="bolt", name="Dana"))


def came(number: int) -> tuple[ActivityItem, ...]:
    """Return a click in a mail, and the reading that shows that it was a person's."""
    at_ms = (10 + number) * HOUR_MS
    return click(f"click-{number}", at_ms), landed(at_ms + 1000), page(at_ms + 2000)


def opened(number: int) -> tuple[ActivityItem, ...]:
    return (mail(EmailOpen, f"open-{number}", number * HOUR_MS + 7, agent=EmailAgent.browser),)


HEARD = st.permutations(
    [OUT, MOVED, *(came(number) for number in range(3)), *(opened(number) for number in range(3))]
).filter(lambda order: order.index(OUT) < order.index(MOVED))


@given(HEARD, st.sampled_from([EmailComplaint, EmailUnsubscribe]))
def test_whatever_is_reported_of_who_opted_out_elsewhere_they_read_no_mails(order: list[Any], kind: type[Any]) -> None:
    world = World()
    for what in order:
        if what == OUT:
            world.hear(mail(kind, "out", 5))
        elif what == MOVED:
            world.move()
        else:
            world.hear(*what)
    world.hear(*came(9))  # under the new account, whatever there was
    said = world.summaries["bolt"]
    assert said.email
    assert (said.email.readers, said.email.mails, said.email.health.unsubscribed) == ((), (), ("dana",))
    assert "email_click" not in {reason.kind for reason in said.reasons}
    assert [send.key for send in world.told] == [f"opt_out:{opt_out_key('dana')}"]
    assert "dana" not in str(world.told)


def test_who_only_moved_reads_mails_as_before() -> None:
    world = World()
    world.hear(*opened(1))
    world.move()
    world.hear(*came(9))
    said = world.summaries["bolt"]
    assert said.email
    assert said.email.readers == ("dana",)
    assert said.email.mails[0].clicks[0].verdict is Verdict.human
    assert world.told == []


def test_what_an_account_remembers_of_those_who_left_is_told_once() -> None:
    known = AccountState(account_id="acme", opted_out={opt_out_key("gone"): START_MS})
    there = directory()
    (told,) = advance(known, there, PLAYBOOK, START_MS).opt_outs
    assert told.who == opt_out_key("gone")
    there.put(told)
    assert advance(known, there, PLAYBOOK, START_MS).opt_outs == ()


def test_an_opt_out_is_no_entity_that_an_import_could_take_away() -> None:
    there = directory()
    before = [entity.entity_id for entity in there.entities()]
    told = OptOut(who=opt_out_key("dana"), at_ms=START_MS)
    there.put(entry_from_bytes(told.to_bytes()))
    assert there.opt_outs == {told.who: START_MS}
    assert [entity.entity_id for entity in there.entities()] == before
    there.remove(told.entity_id)
    assert there.opt_outs == {}
