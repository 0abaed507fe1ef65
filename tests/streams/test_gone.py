"""What the stages do when an account, a contact or a rep has gone from the directory."""

from collections.abc import Collection, Iterable
from itertools import permutations

from schemas.activity import Activity, Told
from schemas.decision import Decision, Rule, Verdict
from schemas.directory import Account, Directory, Lifecycle, Rep
from schemas.interest import Interest
from schemas.message import Message
from schemas.playbook import Playbook
from schemas.rep_mail import RepMail
from schemas.topics import ACTIVITY, BRIEFS, DECISIONS, DELIVERIES, Topic
from streams.account_stage import AccountStage
from streams.account_state import AccountState, take_in
from streams.accounts import advance
from streams.outbox import OutboxState
from streams.records import HEAD, MemoryTable
from streams.rep_stage import RepStage
from streams.stage import Incoming, Work
from tests.streams.journeys import START_MS, directory
from tests.streams.test_accounts import PLAYBOOK as BRIEFING
from tests.streams.test_accounts import progress
from tests.streams.test_outbox import brief, ms, rep

NIGHT, MORNING = ms(2, 3), ms(2, 9)
PLAYBOOK = Playbook(company="Example")
ACME = Account(account_id="acme", name="Acme", rep_id="rita")


def named(rep_id: str, manager_id: str | None = None) -> Rep:
    return rep().model_copy(update={"rep_id": rep_id, "manager_id": manager_id})


def incoming(topic: Topic, message: Message) -> Incoming:
    return Incoming(topic.name, 0, 0, message.to_bytes())


class Outbox:
    """One rep's outbox, with the directory it looks into."""

    def __init__(self, *entities: Account | Rep) -> None:
        self.directory = Directory()
        for entity in entities:
            self.directory.put(entity)
        self.stage = RepStage(self.directory, PLAYBOOK)
        self.table = MemoryTable()

    def _take(self, work: Work) -> Work:
        self.table.apply(work.changes)
        return work

    def post(self, at_ms: int, *names: str) -> Work:
        mail = RepMail(rep_id="rita", briefs=tuple(brief(name) for name in names))
        return self._take(self.stage.handle([incoming(BRIEFS, mail)], self.table, at_ms))

    def wake(self, at_ms: int) -> Work:
        return self._take(self.stage.handle([], self.table, at_ms, ["rita"]))

    @property
    def pending(self) -> list[str]:
        return [each.brief_id for each in OutboxState.from_bytes(self.table.keys["rita"][HEAD]).pending]


def handed(work: Work) -> list[tuple[str, str, str]]:
    mails = [send.message for send in work.sends if send.topic is BRIEFS]
    return [(m.rep_id, one.brief_id, one.rep_id) for m in mails if isinstance(m, RepMail) for one in m.briefs]


def test_what_waits_for_a_rep_who_is_gone_goes_to_the_accounts_new_owner() -> None:
    box = Outbox(named("rita", manager_id="boss"), named("nina"), named("boss"), ACME)
    box.post(NIGHT, "b1")
    box.directory.put(ACME.model_copy(update={"rep_id": "nina"}))
    box.directory.remove("rep:rita")
    assert handed(box.wake(MORNING)) == [("nina", "b1", "nina")]
    assert box.pending == []
    assert box.wake(MORNING).sends == []


def test_the_owner_of_the_accounts_stage_comes_before_its_rep() -> None:
    acme = ACME.model_copy(update={"owners": {Lifecycle.won: "otto"}, "rep_id": "nina", "lifecycle": Lifecycle.won})
    box = Outbox(named("rita"), named("nina"), named("otto"), acme)
    box.post(NIGHT, "b1")
    box.directory.remove("rep:rita")
    assert handed(box.wake(MORNING)) == [("otto", "b1", "otto")]


def test_without_a_new_owner_it_goes_to_the_manager_the_rep_had() -> None:
    box = Outbox(named("rita", manager_id="boss"), named("boss"), ACME)
    box.post(NIGHT, "b1")
    box.directory.remove("rep:rita")
    assert handed(box.wake(MORNING)) == [("boss", "b1", "boss")]


def test_with_nobody_to_go_to_it_stays_and_is_looked_at_again() -> None:
    box = Outbox(named("rita"), ACME)
    box.post(NIGHT, "b1")
    box.directory.remove("rep:rita")
    work = box.wake(MORNING)
    assert work.sends == []
    assert box.pending == ["b1"]
    assert work.due["rita"] == MORNING + 60_000


def test_a_brief_for_a_rep_this_worker_has_not_heard_of_yet_waits_instead_of_going_to_another() -> None:
    box = Outbox(named("nina"), ACME.model_copy(update={"rep_id": "nina"}))
    assert box.post(MORNING, "b1").sends == []
    assert box.pending == ["b1"]
    box.directory.put(named("rita"))
    sends = [*box.wake(MORNING + 60_000).sends, *box.wake(MORNING + 60_000).sends]
    assert [send.topic for send in sends if send.topic is not DECISIONS] == [DELIVERIES, DELIVERIES]


def test_what_waits_about_an_account_that_is_gone_is_not_told() -> None:
    box = Outbox(named("rita"), ACME)
    box.post(NIGHT, "b1")
    box.directory.remove("account:acme")
    (said,) = box.wake(MORNING).sends
    assert isinstance(said.message, Decision)
    assert (said.message.verdict, said.message.rule) == (Verdict.withheld, Rule.account_gone)
    assert box.pending == []


def activity(name: str, at_ms: int) -> Activity:
    return Activity(account_id="acme", items=(progress(name, "/problem", 30, at_ms),))


def state_after(messages: Iterable[Activity]) -> AccountState:
    state = AccountState(account_id="acme")
    for message in messages:
        state = take_in(state, message, 90)
    return state


def test_an_account_made_again_begins_anew_in_whatever_order_its_past_arrives() -> None:
    deleted = Activity(account_id="acme", emptied_ms=START_MS + 1000)
    told = Activity(
        account_id="acme", told=(Told(brief_id="b", rep_id="rita", decided_ms=START_MS, reads={"old": 30_000}),)
    )
    past = (activity("old", START_MS), told, deleted, activity("new", START_MS + 2000))
    states = {state_after(order).model_dump_json(exclude={"told"}) for order in permutations(past)}
    assert len(states) == 1
    assert set(state_after(past).reads) == {"new"}


def test_an_account_that_is_gone_gets_no_brief_and_its_summary_is_empty() -> None:
    stage, table = AccountStage(known := directory(), BRIEFING, 90), MemoryTable()

    def handle(at_ms: int, *messages: Activity, due: Collection[str] = ()) -> Work:
        work = stage.handle([incoming(ACTIVITY, message) for message in messages], table, at_ms, due)
        table.apply(work.changes)
        return work

    assert handle(START_MS, activity("old", START_MS)).due["acme"]
    known.remove("account:acme")
    gone = Activity(account_id="acme", emptied_ms=START_MS + 1000)
    (news,) = handle(START_MS + 1000, gone, activity("old", START_MS + 500)).sends
    assert isinstance(news.message, Interest)
    assert (news.message.readers, news.message.score) == ((), 0)
    woken = handle(START_MS + 60_000, due=["acme"])
    assert (woken.sends, woken.due) == ([], {"acme": None})


def test_reads_of_a_contact_that_is_gone_stay_with_the_account_and_name_nobody() -> None:
    known = directory()
    state = state_after([activity("old", START_MS)])
    known.remove("contact:dana")
    (brief_now,) = advance(state, known, BRIEFING, START_MS + 60_000).briefs
    assert [(read.page_view_id, read.contact_id) for read in brief_now.reads] == [("old", "")]
