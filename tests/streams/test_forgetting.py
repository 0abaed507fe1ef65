"""Who is forgotten was never there: nothing of them stays in a state, is put right, or goes out any more."""

from schemas.activity import Activity, Forgotten
from schemas.brief import Brief
from schemas.rep_mail import RepMail
from schemas.topics import ACTIVITY, INTEREST
from streams.account_records import state_of
from streams.account_stage import AccountStage
from streams.outbox import OutboxState, receive
from streams.records import MemoryTable
from streams.stage import Incoming, Work
from tests.streams.journeys import START_MS, directory
from tests.streams.test_accounts import PLAYBOOK, progress
from tests.streams.test_outbox import EMPTY, brief, ms, post

TOLD_MS = START_MS + 60_000


class Account:
    """One account's stage, with what it has written."""

    def __init__(self) -> None:
        self.table = MemoryTable()
        self._stage = AccountStage(directory(), PLAYBOOK, 90)

    def take(self, at_ms: int, *messages: Activity, wake: bool = False) -> Work:
        incoming = [Incoming(ACTIVITY.name, 0, 0, message.to_bytes()) for message in messages]
        work = self._stage.handle(incoming, self.table, at_ms, ["acme"] if wake else ())
        self.table.apply(work.changes)
        return work

    @property
    def written(self) -> str:
        return str({key: dict(records) for key, records in self.table.keys.items()})


def reads(name: str, active_s: int, at_ms: int = START_MS) -> Activity:
    return Activity(account_id="acme", items=(progress(name, "/problem", active_s, at_ms),))


def forget(**who: object) -> Activity:
    return Activity(account_id="acme", forgotten=Forgotten.model_validate(who))


def briefs(work: Work) -> list[Brief]:
    return [one for send in work.sends if isinstance(send.message, RepMail) for one in send.message.briefs]


def test_an_account_keeps_nothing_of_a_forgotten_visitor_and_puts_nothing_right() -> None:
    account = Account()
    account.take(START_MS, reads("theirs", 40))
    assert len(briefs(account.take(TOLD_MS, wake=True))) == 1
    assert "theirs" in account.written
    work = account.take(TOLD_MS + 1, forget(visitors=["v"], contacts=["dana"]))
    assert [send.topic for send in work.sends] == [INTEREST]
    for trace in ("theirs", "dana", ':"v"'):
        assert trace not in account.written, trace
    later = account.take(TOLD_MS + 3_600_000, wake=True)
    assert briefs(later) == []


def test_page_views_that_briefs_told_go_by_their_names_though_their_reads_have_left() -> None:
    account = Account()
    account.take(START_MS, reads("theirs", 40), reads("others", 40))
    account.take(TOLD_MS, wake=True)
    account.take(TOLD_MS + 1, forget(page_views=["theirs"]))
    assert "theirs" not in account.written
    assert "others" in account.written


def test_what_comes_after_is_another_matter_even_in_the_same_batch() -> None:
    account = Account()
    account.take(START_MS, reads("before", 40), forget(visitors=["v"]), reads("after", 40, START_MS + 1))
    assert set(state_of("acme", account.table.keys["acme"]).reads) == {"after"}


def test_of_a_forgotten_account_no_record_is_left() -> None:
    account = Account()
    account.take(START_MS, reads("theirs", 40))
    work = account.take(START_MS + 1, forget(account=True))
    assert (account.table.keys, work.sends, work.due) == ({}, [], {"acme": None})


def test_a_brief_that_waits_and_names_somebody_forgotten_does_not_go_out() -> None:
    night = ms(2, 3)
    waiting = post(EMPTY, night, brief("b1"), brief("b2", "bolt"), brief("b3", "cord")).state
    mail = RepMail(rep_id="rita", forgotten=("b1",), forgotten_accounts=("bolt",))
    after = receive(waiting, mail, night).state
    assert [one.brief_id for one in after.pending] == ["b3"]
    assert receive(after, RepMail.from_bytes(mail.to_bytes()), night).state == after
    assert OutboxState.from_bytes(after.to_bytes()) == after


def test_a_brief_that_has_left_is_known_by_its_id_alone() -> None:
    sent = post(EMPTY, ms(2, 10), brief("b1")).state
    watched = sent.released[0].model_copy(update={"unopened": brief("b1")})
    state = sent.model_copy(update={"released": (watched,), "leaving": ()})
    after = receive(state, RepMail(rep_id="rita", forgotten=("b1",)), ms(2, 10)).state
    assert [(one.brief_id, one.unopened) for one in after.released] == [("b1", None)]
    assert receive(after, RepMail(rep_id="rita", briefs=(brief("b1"),)), ms(2, 11)).state.pending == ()
