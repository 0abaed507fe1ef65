"""Who is told follows the lifecycle, and whoever takes an account over is told all of it."""

import pytest

from schemas.activity import Activity, ActivityItem, Told
from schemas.brief import Brief, HandOverReason, TriggerKind
from schemas.delivery import ChannelKind
from schemas.directory import Channel, Directory, Lifecycle, Rep
from schemas.interest import Temperature
from schemas.playbook import HandOverRules, Playbook, TriggerRules
from streams.account_state import AccountState, take_in
from streams.accounts import advance
from streams.ownership import Signs, told_of
from tests.streams.journeys import START_MS, directory
from tests.streams.test_accounts import progress

DAY_MS = 86_400_000
PLAYBOOK = Playbook(company="Example", triggers=TriggerRules(min_session_active_s=5))
OWNERS = {
    Lifecycle.lead: "lea", Lifecycle.opportunity: "omar", Lifecycle.delivery: "dora", Lifecycle.use: "uma",
}  # fmt: skip
COLD, WARM = Signs(Temperature.cold, high_intent=False), Signs(Temperature.warm, high_intent=False)
MEANS_IT = Signs(Temperature.cold, high_intent=True)


def people(lifecycle: Lifecycle, owners: dict[Lifecycle, str] | None = None) -> Directory:
    made = directory()
    for name in ("lea", "omar", "dora", "uma", "mark"):
        email = Channel(kind=ChannelKind.email, target=f"{name}@example.com")
        made.put(Rep(rep_id=name, name=name.title(), channels=(email,)))
    return moved(made, lifecycle, owners)


def moved(made: Directory, lifecycle: Lifecycle, owners: dict[Lifecycle, str] | None = None) -> Directory:
    made.put(made.accounts["acme"].model_copy(update={"lifecycle": lifecycle, "owners": owners or {}}))
    return made


def owner(lifecycle: Lifecycle, signs: Signs, owners: dict[Lifecycle, str] | None = None) -> str | None:
    made = people(lifecycle, owners)
    rep = told_of(made.accounts["acme"], signs, None, made, HandOverRules())
    return rep.rep_id if rep else None


class Account:
    """One account that reads, is looked at, and remembers."""

    def __init__(self, made: Directory, playbook: Playbook = PLAYBOOK) -> None:
        self.directory, self.playbook = made, playbook
        self.state = AccountState(account_id="acme")
        self.now_ms = START_MS

    def reads(self, *items: ActivityItem, told: tuple[Told, ...] = ()) -> list[Brief]:
        before, activity = self.state, Activity(account_id="acme", items=items, told=told)
        self.now_ms = max([self.now_ms, *(item.envelope.occurred_ms + 10_000 for item in items)])
        step = advance(take_in(before, activity, 90), self.directory, self.playbook, self.now_ms, before)
        self.state = step.state
        return list(step.briefs)


@pytest.mark.parametrize("lifecycle", [Lifecycle.visitor, Lifecycle.lead])
def test_a_lead_is_marketings_until_it_is_ripe_and_then_its_reps(lifecycle: Lifecycle) -> None:
    assert owner(lifecycle, COLD) is None
    assert owner(lifecycle, COLD, OWNERS) is None
    assert owner(lifecycle, WARM) == "rita"
    assert owner(Lifecycle.lead, WARM, OWNERS) == "lea"


def test_an_opportunity_is_its_owners_whatever_its_temperature() -> None:
    assert owner(Lifecycle.opportunity, COLD) == "rita"
    assert owner(Lifecycle.opportunity, COLD, OWNERS) == "omar"
    assert owner(Lifecycle.qualified_lead, COLD, OWNERS) == "rita"


def test_a_customer_is_customer_successs() -> None:
    assert owner(Lifecycle.use, COLD, OWNERS) == "uma"
    assert owner(Lifecycle.won, COLD, OWNERS) == "dora"
    assert owner(Lifecycle.referral, COLD) == "rita"


def test_a_lost_deal_is_marketings_until_it_reads_high_intent_pages_again() -> None:
    assert owner(Lifecycle.lost, WARM) is None
    assert owner(Lifecycle.lost, WARM, OWNERS) == "lea"
    assert owner(Lifecycle.lost, WARM, OWNERS | {Lifecycle.lost: "mark"}) == "mark"
    assert owner(Lifecycle.lost, MEANS_IT, OWNERS) == "omar"
    assert owner(Lifecycle.lost, MEANS_IT) == "rita"


def test_an_owner_whom_the_directory_does_not_know_gives_way_to_the_accounts_rep() -> None:
    assert owner(Lifecycle.opportunity, COLD, {Lifecycle.opportunity: "nobody"}) == "rita"


def test_a_lead_that_has_become_ripe_is_handed_over_with_all_it_has_read() -> None:
    account = Account(people(Lifecycle.lead))
    assert account.reads(progress("a", "/problem", 20, START_MS)) == []
    (brief,) = account.reads(progress("b", "/solution", 120, START_MS + DAY_MS))
    assert (brief.trigger.kind, brief.rep_id, brief.lifecycle) == (TriggerKind.hand_over, "rita", Lifecycle.lead)
    assert brief.hand_over
    assert (brief.hand_over.from_rep_id, brief.hand_over.reason) == ("", HandOverReason.ripe)
    assert [read.page_view_id for read in brief.reads] == ["a", "b"]
    (later,) = account.reads(progress("c", "/problem", 30, START_MS + 2 * DAY_MS))
    assert later.trigger.kind is not TriggerKind.hand_over
    assert [read.page_view_id for read in later.reads] == ["c"]


def test_a_leads_price_page_is_told_at_once_and_as_a_hand_over() -> None:
    account = Account(people(Lifecycle.lead))
    (brief,) = account.reads(progress("a", "/pricing", 12, START_MS, left=False))
    assert brief.trigger.kind is TriggerKind.hand_over
    assert brief.trigger.met_ms == START_MS


def test_every_lead_is_told_where_the_playbook_says_that_cold_is_ripe() -> None:
    playbook = PLAYBOOK.model_copy(update={"hand_over": HandOverRules(lead_ripe_at=Temperature.cold)})
    assert Account(people(Lifecycle.lead), playbook).reads(progress("a", "/problem", 20, START_MS))


def test_a_lead_that_is_qualified_in_the_directory_comes_to_the_rep_from_marketing() -> None:
    account = Account(people(Lifecycle.lead))
    assert account.reads(progress("a", "/problem", 20, START_MS)) == []
    moved(account.directory, Lifecycle.qualified_lead)
    (brief,) = account.reads()
    assert brief.hand_over
    assert (brief.hand_over.from_rep_id, brief.hand_over.reason) == ("", HandOverReason.lifecycle)
    assert account.reads() == []


def test_a_won_deal_goes_to_customer_success_without_waiting_for_its_next_reading() -> None:
    account = Account(people(Lifecycle.opportunity, OWNERS))
    (first,) = account.reads(progress("a", "/problem", 20, START_MS))
    assert first.hand_over is None
    moved(account.directory, Lifecycle.won, OWNERS)
    (brief,) = account.reads()
    assert (brief.trigger.kind, brief.rep_id) == (TriggerKind.hand_over, "dora")
    assert brief.hand_over
    assert (brief.hand_over.from_rep_id, brief.hand_over.reason) == ("omar", HandOverReason.lifecycle)
    assert [read.page_view_id for read in brief.reads] == ["a"]
    assert account.reads() == []


def test_another_rep_of_the_same_stage_takes_over_by_a_brief_too() -> None:
    account = Account(people(Lifecycle.opportunity))
    account.reads(progress("a", "/problem", 20, START_MS))
    moved(account.directory, Lifecycle.opportunity, OWNERS)
    (brief,) = account.reads()
    assert brief.hand_over
    assert (brief.hand_over.from_rep_id, brief.hand_over.reason) == ("rita", HandOverReason.owner)


def test_an_account_that_has_not_read_for_long_is_handed_over_with_its_next_reading_only() -> None:
    account = Account(people(Lifecycle.opportunity))
    account.reads(progress("a", "/problem", 20, START_MS))
    moved(account.directory, Lifecycle.opportunity, OWNERS)
    account.now_ms += 31 * DAY_MS
    assert account.reads() == []
    (brief,) = account.reads(progress("b", "/problem", 20, account.now_ms + DAY_MS))
    assert brief.trigger.kind is TriggerKind.hand_over


def test_a_lost_deal_comes_back_to_the_rep_when_it_reads_the_price_again_and_stays() -> None:
    account = Account(people(Lifecycle.opportunity))
    account.reads(progress("a", "/pricing", 30, START_MS))
    moved(account.directory, Lifecycle.lost)
    assert account.reads(progress("b", "/problem", 30, START_MS + DAY_MS)) == []
    (brief,) = account.reads(progress("c", "/pricing", 30, START_MS + 2 * DAY_MS))
    assert brief.hand_over
    assert brief.hand_over.reason is HandOverReason.revived
    (later,) = account.reads(progress("d", "/problem", 30, START_MS + 3 * DAY_MS))
    assert later.trigger.kind is TriggerKind.session_end


def test_a_hand_over_that_is_worked_through_again_is_the_same_brief() -> None:
    account = Account(people(Lifecycle.opportunity))
    account.reads(progress("a", "/problem", 20, START_MS))
    moved(account.directory, Lifecycle.won, OWNERS)
    before = account.state
    (first,) = account.reads()
    account.state, account.now_ms = before, account.now_ms + 5_000
    (again,) = account.reads()
    assert first.brief_id == again.brief_id


def test_whom_a_brief_told_is_known_again_after_a_replay() -> None:
    account = Account(people(Lifecycle.opportunity))
    (brief,) = account.reads(progress("a", "/problem", 20, START_MS))
    replayed = Account(people(Lifecycle.won, OWNERS))
    from_store = Told(brief_id=brief.brief_id, rep_id="omar", decided_ms=brief.decided_ms, reads=brief.told)
    assert replayed.reads(told=(from_store,)) == []
    (handed,) = replayed.reads(progress("a", "/problem", 20, START_MS))
    assert handed.hand_over
    assert handed.hand_over.from_rep_id == "omar"


def test_a_deal_that_was_lost_and_is_an_opportunity_again_comes_to_its_rep_from_marketing() -> None:
    account = Account(people(Lifecycle.opportunity))
    account.reads(progress("a", "/problem", 30, START_MS))
    moved(account.directory, Lifecycle.lost)
    assert account.reads(progress("b", "/problem", 30, START_MS + DAY_MS)) == []
    moved(account.directory, Lifecycle.opportunity)
    (brief,) = account.reads()
    assert brief.hand_over
    assert (brief.rep_id, brief.hand_over.from_rep_id, brief.hand_over.reason) == ("rita", "", HandOverReason.lifecycle)
