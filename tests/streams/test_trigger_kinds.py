"""What else makes a moment worth telling: forms, campaigns, several functions at once, customers who may leave."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activity import ActivityItem
from schemas.brief import Trigger, TriggerKind
from schemas.directory import Content, Directory, Function, Lifecycle, Stage
from schemas.events import EmailClick, Identify, IdentifyMethod
from schemas.playbook import CommitteeRules, TriggerRules
from schemas.reads import Read
from streams.account_state import AccountState
from streams.campaigns import campaign_of, with_clicks
from streams.signs import functions_together
from tests.streams.journeys import SITE, START_MS, directory, envelope
from tests.streams.test_accounts import progress
from tests.streams.test_ownership import DAY_MS, Account, moved, people
from tests.streams.test_telling_properties import sent_form

RULES = TriggerRules()
FUNCTIONS = (*Function, None)


def triggers(account: Account, *items: ActivityItem) -> list[Trigger]:
    return [brief.trigger for brief in account.reads(*items)]


def test_a_form_is_told_at_once_even_if_nothing_was_read_and_only_once() -> None:
    account = Account(directory())
    (sent,) = triggers(account, sent_form("a", "demo", START_MS))
    assert (sent.kind, sent.forms) == (TriggerKind.form_sent, ("demo",))
    assert triggers(account, sent_form("a", "demo", START_MS)) == []


def test_a_second_form_on_the_same_page_is_a_brief_of_its_own() -> None:
    account = Account(directory())
    first, second = sent_form("a", "demo", START_MS), sent_form("a", "quote", START_MS + 1)
    briefs = [*account.reads(first), *account.reads(second)]
    assert [brief.trigger.forms for brief in briefs] == [("demo",), ("quote",)]
    assert len({brief.brief_id for brief in briefs}) == 2


def landing(at_ms: int, campaign: str = "spring") -> ActivityItem:
    event = Identify(
        event_id=f"i{at_ms}",
        occurred_ms=at_ms,
        contact_id="dana",
        method=IdentifyMethod.email_link,
        campaign_id=campaign,
    )
    return ActivityItem(contact_id="dana", envelope=envelope("v", at_ms, event))


def clicked(at_ms: int) -> ActivityItem:
    event = EmailClick(event_id="c", occurred_ms=at_ms, contact_id="dana", campaign_id="autumn", url=f"{SITE}/problem")
    return ActivityItem(contact_id="dana", envelope=envelope("mail_1", at_ms, event))


@pytest.mark.parametrize(("click", "campaign"), [(landing(START_MS), "spring"), (clicked(START_MS), "autumn")])
def test_a_campaigns_click_is_told_once_a_human_reads_whoever_reported_it(click: ActivityItem, campaign: str) -> None:
    account = Account(directory())
    assert triggers(account, click) == []  # a scanner clicks, and reads nothing
    (brought,) = triggers(account, progress("a", "/problem", 12, START_MS + 15_000))
    assert (brought.kind, brought.campaign_id) == (TriggerKind.campaign_click, campaign)
    (later,) = triggers(account, progress("b", "/problem", 12, START_MS + 2 * 3_600_000))
    assert (later.kind, later.campaign_id) == (TriggerKind.session_end, "")


def test_a_glance_does_not_confirm_a_click() -> None:
    clicks = with_clicks({}, [landing(START_MS)]).values()
    read = Read(
        page_view_id="a", visitor_id="v", site="docs", contact_id="dana", url=SITE, started_ms=START_MS,
        last_ms=START_MS, active_ms=RULES.campaign_active_s * 1000,
    )  # fmt: skip
    assert campaign_of(read, clicks, RULES) == "spring"
    assert campaign_of(read.model_copy(update={"active_ms": read.active_ms - 1}), clicks, RULES) == ""
    assert campaign_of(read.model_copy(update={"visitor_id": "w"}), clicks, RULES) == ""


@settings(max_examples=50)
@given(st.permutations([landing(START_MS + at, f"c{at}") for at in range(60)]), st.integers(1, 60))
def test_the_clicks_that_are_kept_do_not_depend_on_their_order(items: list[ActivityItem], size: int) -> None:
    known = AccountState(account_id="acme").clicks
    for start in range(0, len(items), size):
        known = with_clicks(known, items[start : start + size])
    assert sorted(click.at_ms - START_MS for click in known.values()) == list(range(10, 60))


LEAVING = Content(url=f"{SITE}/bye", title="Bye", topics=("leaving",))


@pytest.mark.parametrize("path", ["/renew", "/bye", "/account/cancel-plan"])
@pytest.mark.parametrize(("lifecycle", "is_told"), [(Lifecycle.use, True), (Lifecycle.opportunity, False)])
def test_a_customer_who_reads_of_renewing_or_leaving_is_told_at_once(
    path: str, lifecycle: Lifecycle, *, is_told: bool
) -> None:
    made = moved(people(lifecycle), lifecycle)
    made.put(LEAVING)
    made.put(Content(url=f"{SITE}/renew", title="Renew", stage=Stage.renewal))
    account = Account(made)
    found = account.reads(progress("a", path, RULES.high_intent_active_s, START_MS, left=False))
    account.now_ms = START_MS + 120_000
    assert [brief.trigger.kind for brief in found] == ([TriggerKind.renewal_or_leaving] if is_told else [])
    assert [brief.trigger.kind for brief in account.reads()] == ([] if is_told else [TriggerKind.session_end])


def committee(*functions: Function | None) -> Directory:
    made = directory()
    dana = made.contacts["dana"]
    for number, function in enumerate(functions):
        made.put(dana.model_copy(update={"contact_id": f"c{number}", "function": function}))
    return made


def read_by(number: int, reader: int, day: float, active_ms: int) -> Read:
    at_ms = START_MS + round(day * DAY_MS)
    return Read(
        page_view_id=f"pv-{number}", visitor_id=f"v{reader}", site="docs", contact_id=f"c{reader}", url=SITE,
        started_ms=at_ms - active_ms, last_ms=at_ms, active_ms=active_ms,
    )  # fmt: skip


rows = st.tuples(st.integers(0, 3), st.integers(0, 20), st.sampled_from((0, 20_000)), st.sampled_from((0, 1, 20_000)))


@settings(max_examples=400)
@given(st.lists(st.sampled_from(FUNCTIONS), min_size=4, max_size=4), st.lists(rows, max_size=8), st.integers(2, 3))
def test_functions_are_together_if_the_news_brings_one_that_had_not_read_that_week(
    functions: list[Function | None], table: list[tuple[int, int, int, int]], least: int
) -> None:
    rules, seats = RULES.model_copy(update={"functions_at_least": least}), CommitteeRules()
    reads = [read_by(number, reader, day, active) for number, (reader, day, active, _) in enumerate(table)]
    told = {read.page_view_id: row[3] for read, row in zip(reads, table, strict=True) if row[3]}
    fresh = [read for read in reads if read.active_ms > told.get(read.page_view_id, 0)]
    found = functions_together(reads, fresh, told, committee(*functions), rules, seats)
    # The slow way: a table of days by function, old and new.
    as_seated = [seats.counts_for.get(one, one) if one else None for one in functions]
    last_day = max((row[1] for row in table if row[2] > row[3]), default=None)
    days: dict[Function | None, set[str]] = defaultdict(set)
    for reader, day, active, said in table:
        if last_day is not None and active and day >= last_day - 7:
            days[as_seated[reader]].add("new" if not said else "old")
    present = {one for one in days if one in seats.functions}
    expected = present if len(present) >= least and any(days[one] == {"new"} for one in present) else set()
    assert set(found) == expected
    assert list(found) == [one for one in seats.functions if one in expected]


def test_a_second_function_within_a_week_is_told_by_both_names() -> None:
    made = committee(Function.executive, Function.purchaser)
    account = Account(made)

    def by(contact: str, name: str, at_ms: int) -> ActivityItem:
        item = progress(name, "/problem", 12, at_ms)
        apart = item.envelope.model_copy(update={"visitor_id": contact})
        return item.model_copy(update={"contact_id": contact, "envelope": apart})

    (alone,) = triggers(account, by("c0", "a", START_MS))
    (joined,) = triggers(account, by("c1", "b", START_MS + DAY_MS))
    (same,) = triggers(account, by("c1", "c", START_MS + 2 * DAY_MS))
    assert alone.functions == same.functions == ()
    assert joined.kind is TriggerKind.several_functions
    assert joined.functions == (Function.executive, Function.purchasing_head)
