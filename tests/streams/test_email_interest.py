"""What mails make of an account: the same in any order, never from opens alone, and nothing of who opted out."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import Activity, ActivityItem
from schemas.brief import TriggerKind
from schemas.directory import Contact, Directory
from schemas.emails import MailFact, Mailing, MailKind, Verdict
from schemas.events import (
    EmailAgent,
    EmailBounce,
    EmailClick,
    EmailComplaint,
    EmailDelivered,
    EmailOpen,
    EmailUnsubscribe,
    Event,
    Identify,
    IdentifyMethod,
    PageProgress,
)
from schemas.interest import Interest, Temperature
from schemas.playbook import Playbook, TemperatureRules
from streams.account_records import changes_between, state_of
from streams.account_state import AccountState, take_in
from streams.accounts import advance
from streams.opt_outs import MAX_OPT_OUTS, with_opt_outs
from streams.records import MemoryTable
from tests.streams import journeys
from tests.streams.journeys import SITE, START_MS, envelope

PLAYBOOK = Playbook(company="Example", temperature=TemperatureRules(warm_at=1.5))
PRICE = SITE + "/pricing"
HOUR_MS = 3_600_000


def directory(*gone: str) -> Directory:
    made = journeys.directory()
    for contact_id in ("dana", "eve", "carl"):
        if contact_id not in gone:
            made.put(Contact(contact_id=contact_id, account_id="acme", name=contact_id.title()))
    for contact_id in gone:
        made.contacts.pop(contact_id, None)
    return made


def item(event: Event, contact: str = "dana", visitor: str = "mail-1") -> ActivityItem:
    return ActivityItem(contact_id=contact, envelope=envelope(visitor, event.occurred_ms, event))


def mail(kind: type[Any], name: str, at_ms: int, contact: str = "dana", **said: Any) -> ActivityItem:
    event: Event = kind(event_id=name, occurred_ms=START_MS + at_ms, contact_id=contact, campaign_id="spring", **said)
    return item(event, contact)


def click(name: str = "click-1", at_ms: int = HOUR_MS, **said: Any) -> ActivityItem:
    return mail(EmailClick, name, at_ms, **{"url": PRICE, "agent": EmailAgent.browser, **said})


def page(at_ms: int, active_ms: int = 20_000, url: str = PRICE) -> ActivityItem:
    event = PageProgress(
        event_id=f"page-{at_ms}", occurred_ms=START_MS + at_ms, page_view_id="pv-1", url=url,
        active_ms=active_ms, depth_pct=80, left=True,
    )  # fmt: skip
    return item(event, visitor="v1")


def landed(at_ms: int) -> ActivityItem:
    event = Identify(
        event_id="landed", occurred_ms=START_MS + at_ms, contact_id="dana", method=IdentifyMethod.email_link,
        campaign_id="spring",
    )  # fmt: skip
    return item(event, visitor="v1")


def state(*items: ActivityItem) -> AccountState:
    return take_in(AccountState(account_id="acme"), Activity(account_id="acme", items=items), 90)


def interest(*items: ActivityItem) -> Interest:
    said = advance(state(*items), directory(), PLAYBOOK, START_MS + 2 * HOUR_MS).interest
    assert said
    return said


def test_an_open_alone_never_warms() -> None:
    said = interest(*(mail(EmailOpen, f"o{n}", n * HOUR_MS // 10, agent=EmailAgent.gmail_proxy) for n in range(9)))
    assert (said.temperature, said.score) == (Temperature.cold, 0)


def test_a_click_counts_once_a_person_is_seen_and_the_summary_follows_when_the_verdict_changes() -> None:
    pending = interest(click())
    assert (pending.score, pending.temperature) == (0, Temperature.cold)
    seen = interest(click(), landed(HOUR_MS + 1000), page(HOUR_MS + 2000))
    assert seen.email
    (link,) = seen.email.mails[0].clicks
    assert (link.verdict, link.counted, link.page_view_ids) == (Verdict.human, 1, ("pv-1",))
    assert seen.email.readers == ("dana",)
    assert "email_click" in {reason.kind for reason in seen.reasons}
    assert seen.temperature is Temperature.warm
    trap = click("trap-1", HOUR_MS + 3000, url=SITE + "/", trap=True)
    caught = interest(click(), landed(HOUR_MS + 1000), page(HOUR_MS + 2000), trap)
    assert caught.email
    assert (caught.score, caught.temperature, caught.contents, caught.email.readers) == (0, Temperature.cold, (), ())


def test_a_click_where_nobody_can_be_seen_counts_in_part() -> None:
    said = interest(click(url="https://partner.example/offer", snippet=False))
    assert said.email
    (link,) = said.email.mails[0].clicks
    assert (link.verdict, link.counted) == (Verdict.unconfirmed, 0.5)
    assert said.score == PLAYBOOK.temperature.points_email_click / 2


def test_one_click_told_twice_counts_once() -> None:
    twice = interest(click(), click("click-2", HOUR_MS + 200), page(HOUR_MS + 2000))
    once = interest(click("click-2", HOUR_MS + 200), page(HOUR_MS + 2000))
    assert twice.score == once.score


def test_health_reaches_the_summary_and_who_opted_out_is_no_reader_again() -> None:
    out = mail(EmailUnsubscribe, "u", 10)
    said = interest(
        out,
        click(),
        landed(HOUR_MS + 1000),
        page(HOUR_MS + 2000),
        mail(EmailBounce, "b", 5, "eve"),
        mail(EmailComplaint, "c", 6, "carl"),
    )
    assert said.email
    assert said.email.health.unsubscribed == ("dana",)
    assert said.email.health.bounced == ("eve",)
    assert said.email.health.complained == ("carl",)
    assert said.email.readers == ()
    assert "dana" not in {one.contact_id for one in said.email.mails}
    later = take_in(state(out), Activity(account_id="acme", items=(click(at_ms=300 * 24 * HOUR_MS),)), 90)
    much_later = advance(later, directory(), PLAYBOOK, START_MS + 301 * 24 * HOUR_MS).interest
    assert much_later
    assert much_later.email
    assert (much_later.email.readers, much_later.email.mails) == ((), ())


def test_an_address_that_takes_mail_again_has_come_back_no_more() -> None:
    bounced, spring = mail(EmailBounce, "b", 5), mail(EmailDelivered, "d", 4)
    for items in ((bounced, spring), (spring, bounced)):
        said = interest(*items)
        assert said.email
        assert said.email.health.bounced == ("dana",)
    after = interest(bounced, spring, mail(EmailDelivered, "d2", 6))
    assert after.email
    assert after.email.health.bounced == ()


def test_of_a_contact_who_is_gone_no_mail_is_kept_or_told() -> None:
    before = state(click(), mail(EmailBounce, "b", 5, "eve"))
    step = advance(before, directory("dana"), PLAYBOOK, START_MS + 2 * HOUR_MS, before)
    assert [one.contact_id for one in step.state.mailings.values()] == ["eve"]
    assert step.changed
    assert step.interest
    assert step.interest.email
    assert [one.contact_id for one in step.interest.email.mails] == ["eve"]


def gone_and_back(*items: ActivityItem) -> AccountState:
    """Have dana leave the directory after some mails, and come back."""
    before = state(*items)
    left = advance(before, directory("dana"), PLAYBOOK, START_MS + HOUR_MS, before).state
    assert left.mailings == {}
    return advance(left, directory(), PLAYBOOK, START_MS + 2 * HOUR_MS, left).state


@pytest.mark.parametrize("kind", [EmailUnsubscribe, EmailComplaint])
def test_who_opted_out_stays_out_when_they_leave_the_directory_and_come_back(kind: type[Any]) -> None:
    kept = gone_and_back(mail(kind, "u", 10))
    assert "dana" not in kept.to_bytes().decode()  # they may have been forgotten
    later = (click(at_ms=9 * HOUR_MS), landed(9 * HOUR_MS + 1000), page(9 * HOUR_MS + 2000))
    after = take_in(AccountState.from_bytes(kept.to_bytes()), Activity(account_id="acme", items=later), 90)
    said = advance(after, directory(), PLAYBOOK, START_MS + 10 * HOUR_MS).interest
    assert said
    assert said.email
    assert (said.email.readers, said.email.mails, said.email.health.unsubscribed) == ((), (), ("dana",))
    assert "email_click" not in {reason.kind for reason in said.reasons}


def test_who_did_not_opt_out_reads_mails_again_after_they_came_back() -> None:
    kept = gone_and_back(click())
    later = (click(at_ms=9 * HOUR_MS), landed(9 * HOUR_MS + 1000), page(9 * HOUR_MS + 2000))
    after = take_in(kept, Activity(account_id="acme", items=later), 90)
    said = advance(after, directory(), PLAYBOOK, START_MS + 10 * HOUR_MS).interest
    assert said
    assert said.email
    assert said.email.readers == ("dana",)


opt_outs = st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 5_000)), max_size=40)


@given(opt_outs, st.randoms())
def test_opt_outs_are_the_same_in_any_order_and_bounded(told: list[tuple[int, int]], random: random.Random) -> None:
    def kept(order: list[tuple[int, int]]) -> dict[str, int]:
        known: dict[str, int] = {}
        for contact, at_ms in order:
            fact = MailFact(event_id=f"e-{contact}-{at_ms}", kind=MailKind.unsubscribed, at_ms=at_ms)
            one = Mailing(contact_id=f"c{contact}", campaign_id="spring", facts={fact.event_id: fact})
            known = dict(with_opt_outs(known, [one, one]))
        return known

    shuffled = list(told)
    random.shuffle(shuffled)
    assert kept(told) == kept(shuffled)
    assert len(kept(told)) == len({contact for contact, _ in told})


def test_of_too_many_opt_outs_the_latest_stay() -> None:
    facts = [MailFact(event_id=f"e{n}", kind=MailKind.complained, at_ms=n) for n in range(MAX_OPT_OUTS + 50)]
    mails = [Mailing(contact_id=f"c{n}", campaign_id="s", facts={one.event_id: one}) for n, one in enumerate(facts)]
    kept = with_opt_outs({}, mails)
    assert len(kept) == MAX_OPT_OUTS
    assert min(kept.values()) == 50


@pytest.mark.parametrize("is_back", [False, True])
@pytest.mark.parametrize("opted_out", [False, True])
def test_clicks_of_contacts_who_opted_out_bring_no_campaign_and_no_trigger(*, opted_out: bool, is_back: bool) -> None:
    out = (mail(EmailUnsubscribe, "u", 10),) if opted_out else ()
    before = gone_and_back(*out) if is_back else state(*out)
    plain = SITE + "/problem"
    came = (click(at_ms=9 * HOUR_MS, url=plain), landed(9 * HOUR_MS + 1000), page(9 * HOUR_MS + 2000, url=plain))
    after = take_in(before, Activity(account_id="acme", items=came), 90)
    plain_rules = Playbook(company="Example")  # whose limits one page does not reach
    (brief,) = advance(after, directory(), plain_rules, START_MS + 12 * HOUR_MS).briefs
    assert [read.page_view_id for read in brief.reads] == ["pv-1"]  # what they read on the site is told all the same
    campaign = "" if opted_out else "spring"
    assert (brief.reads[0].campaign_id, brief.trigger.campaign_id) == (campaign, campaign)
    assert (brief.trigger.kind is TriggerKind.campaign_click) is not opted_out
    clicked = "email_click" in {reason.kind for reason in brief.interest.reasons}
    assert clicked is not opted_out
    assert bool(brief.interest.email and brief.interest.email.readers) is not opted_out


def test_a_click_that_is_a_machines_by_itself_brings_nobody_by_a_campaign() -> None:
    robot = click("robot")
    robot = robot.model_copy(update={"envelope": robot.envelope.model_copy(update={"automated": True})})
    after = state(click("person"), robot)
    assert list(after.clicks) == ["person"]
    assert {key for one in after.mailings.values() for key in one.facts} == {"person", "robot"}


SOME = (
    mail(EmailDelivered, "d", 0),
    mail(EmailOpen, "o", HOUR_MS, agent=EmailAgent.gmail_proxy),
    click(),
    click("click-2", HOUR_MS + 300, url=SITE + "/problem"),
    click("click-3", 3000, head=True),
    click("trap", 2 * HOUR_MS, url=SITE + "/", trap=True),
    landed(HOUR_MS + 1000),
    page(HOUR_MS + 2000, 5_000),
    page(HOUR_MS + 9000, 12_000),
    mail(EmailUnsubscribe, "u", HOUR_MS, "eve"),
)


@given(st.lists(st.sampled_from(SOME), min_size=1, max_size=14), st.randoms(), st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_any_order_duplication_and_splitting_gives_the_same_summary_and_records(
    items: list[ActivityItem], chance: random.Random, parts: int
) -> None:
    whole = state(*items)
    shuffled = chance.sample(items, len(items))
    split = AccountState(account_id="acme")
    table = MemoryTable()
    for number in range(parts):
        records = table.get("acme")
        before = state_of("acme", records)
        assert before.mailings == split.mailings
        split = take_in(before, Activity(account_id="acme", items=tuple(shuffled[number::parts])), 90)
        table.apply(changes_between(before, split, records))
    assert split.mailings == whole.mailings
    now_ms = START_MS + 3 * HOUR_MS
    said = [advance(each, directory(), PLAYBOOK, now_ms).interest for each in (whole, split)]
    assert said[0] == said[1]
