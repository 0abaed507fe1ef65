"""What an account's state holds, what is told of it, and what a brief says."""

from schemas.activity import Activity, ActivityItem, Told
from schemas.brief import TriggerKind
from schemas.decision import Rule
from schemas.directory import Account, Contact, Content, Function, Rep, Stage
from schemas.events import Click, Identify, IdentifyMethod, PageProgress, SectionAttention
from schemas.interest import Temperature
from schemas.playbook import ObjectionPlay, OutboxRules, Playbook, TemperatureRules, TopicPlay, TriggerRules
from streams.account_state import AccountState, take_in
from streams.accounts import advance
from streams.interest import summarise
from tests.streams.journeys import SITE, START_MS, directory, envelope

DAY_MS = 86_400_000
PLAYBOOK = Playbook(
    company="Example",
    topics={
        "sensors": TopicPlay(
            name={"en": "Sensors", "de": "Sensoren"},
            stress=({"en": "Accuracy", "de": "Genauigkeit"},),
            ask=("How many machines?",),
            objections=(ObjectionPlay(says={"en": "Too dear", "de": "Zu teuer"}, answer="Pays back"),),
            expert="Mara",
        )
    },
    concerns={Function.executive: ("Return on investment",)},
    references={"robotics": ("Bolt AG",)},
    next_steps={Temperature.cold: "Wait", Temperature.warm: {"de": "Besuch anbieten"}},
    triggers=TriggerRules(session_grace_s=10, min_session_active_s=5, high_intent_active_s=8),
    temperature=TemperatureRules(warm_at=2, hot_at=100),
    outbox=OutboxRules(cooldown_s=0),
)


def progress(name: str, path: str, active_s: int, at_ms: int, *, left: bool = True) -> ActivityItem:
    event = PageProgress(
        event_id=f"{name}-{active_s}",
        occurred_ms=at_ms,
        page_view_id=name,
        url=SITE + path,
        active_ms=active_s * 1000,
        depth_pct=70,
        sections=(SectionAttention(key="a", title="Plans", active_ms=active_s * 900),),
        left=left,
    )
    return ActivityItem(contact_id="dana", envelope=envelope("v", at_ms, event))


def state_of(*items: ActivityItem, told: tuple[Told, ...] = ()) -> AccountState:
    return take_in(AccountState(account_id="acme"), Activity(account_id="acme", items=items, told=told), 90)


def test_reads_that_ended_before_the_history_are_dropped_whatever_the_order() -> None:
    old, new = progress("old", "/problem", 9, START_MS), progress("new", "/problem", 9, START_MS + 91 * DAY_MS)
    kept = progress("kept", "/problem", 9, START_MS + 2 * DAY_MS)
    assert set(state_of(old, kept, new).reads) == set(state_of(new, kept, old).reads) == {"kept", "new"}


def test_a_brief_tells_what_no_brief_has_told() -> None:
    first = advance(state_of(progress("a", "/problem", 20, START_MS)), directory(), PLAYBOOK, START_MS + 10_000)
    assert [read.page_view_id for read in first.briefs[0].reads] == ["a"]
    assert first.due_ms is None
    more = Activity(account_id="acme", items=(progress("b", "/solution", 12, START_MS + 60_000),))
    second = advance(take_in(first.state, more, 90), directory(), PLAYBOOK, START_MS + 80_000)
    assert [read.page_view_id for read in second.briefs[0].reads] == ["b"]
    assert second.briefs[0].brief_id != first.briefs[0].brief_id


def test_history_of_one_who_has_just_been_recognised_waits_for_what_they_read_now() -> None:
    known_ms = START_MS + 600_000
    sign = Identify(event_id="i", occurred_ms=known_ms, contact_id="dana", method=IdentifyMethod.email_link)
    recognised = ActivityItem(contact_id="dana", envelope=envelope("v", known_ms, sign))
    state = state_of(recognised, progress("old", "/problem", 20, START_MS))
    step = advance(state, directory(), PLAYBOOK, known_ms + 100)
    assert not step.briefs
    assert step.due_ms == known_ms + 10_000
    assert advance(state, directory(), PLAYBOOK, known_ms + 10_000).briefs


def test_more_of_the_same_page_is_a_brief_of_its_own() -> None:
    first = advance(state_of(progress("a", "/problem", 20, START_MS)), directory(), PLAYBOOK, START_MS + 10_000)
    more = Activity(account_id="acme", items=(progress("a", "/problem", 50, START_MS + 60_000),))
    second = advance(take_in(first.state, more, 90), directory(), PLAYBOOK, START_MS + 80_000)
    assert [brief.reads[0].active_s for step in (first, second) for brief in step.briefs] == [20, 50]
    assert first.briefs[0].brief_id != second.briefs[0].brief_id


def test_the_same_state_makes_the_same_brief_again_whenever_it_is_looked_at() -> None:
    state = state_of(progress("a", "/problem", 20, START_MS))
    soon = advance(state, directory(), PLAYBOOK, START_MS + 10_000).briefs[0]
    later = advance(state, directory(), PLAYBOOK, START_MS + 500_000).briefs[0]
    assert (soon.brief_id, soon.reads, soon.told) == (later.brief_id, later.reads, later.told)


def test_what_was_told_before_a_replay_is_not_told_by_it() -> None:
    mark = Told(brief_id="brief_1", rep_id="rita", decided_ms=START_MS, reads={"a": 20_000})
    told = AccountState(account_id="acme", told=state_of(told=(mark,)).told)
    replayed = take_in(told, Activity(account_id="acme", items=(progress("a", "/problem", 20, START_MS),)), 90)
    assert not advance(replayed, directory(), PLAYBOOK, START_MS + 10_000).briefs


def test_an_account_without_a_rep_keeps_what_is_untold() -> None:
    empty = directory()
    empty.remove("rep:rita")
    state = state_of(progress("a", "/problem", 20, START_MS))
    step = advance(state, empty, PLAYBOOK, START_MS + 10_000)
    assert not step.briefs
    assert (step.state.reads, step.state.told) == (state.reads, state.told)
    assert [decision.rule for decision in step.decisions] == [Rule.no_owner]


def test_a_brief_speaks_the_reps_language_and_falls_back_where_a_text_is_missing() -> None:
    people = directory()
    people.put(people.reps["rita"].model_copy(update={"language": "de-CH"}))
    people.put(people.accounts["acme"].model_copy(update={"industry": "robotics"}))
    people.put(people.contacts["dana"].model_copy(update={"function": Function.executive}))
    step = advance(state_of(progress("a", "/problem", 60, START_MS)), people, PLAYBOOK, START_MS + 10_000)
    advice = step.briefs[0].advice
    assert (advice.topics, advice.stress, advice.ask) == (
        ("problem", "Sensoren"), ("Genauigkeit",), ("How many machines?",),
    )  # fmt: skip
    assert [(one.says, one.answer) for one in advice.objections] == [("Zu teuer", "Pays back")]
    assert (advice.expert, advice.concerns, advice.references) == ("Mara", ("Return on investment",), ("Bolt AG",))
    assert advice.next_step == "Besuch anbieten"


def test_a_price_page_is_told_while_it_is_read_and_its_clicks_with_it() -> None:
    click = Click(
        event_id="c", occurred_ms=START_MS, page_view_id="a", url=f"{SITE}/pricing", element="a", text="Order",
        href=f"{SITE}/order", page_x=0, page_y=0,
    )  # fmt: skip
    clicked = ActivityItem(contact_id="dana", envelope=envelope("v", START_MS, click))
    state = state_of(clicked, progress("a", "/pricing", 9, START_MS, left=False))
    (brief,) = advance(state, directory(), PLAYBOOK, START_MS + 500).briefs
    assert brief.trigger.kind is TriggerKind.high_intent
    assert (brief.reads[0].section, brief.reads[0].section_s, brief.reads[0].clicked) == ("Plans", 8, ("Order",))


def test_reading_longer_than_twice_the_expected_time_counts_no_more() -> None:
    def score(active_s: int) -> float:
        reads = state_of(progress("a", "/problem", active_s, START_MS)).reads.values()
        return summarise("acme", reads, directory(), PLAYBOOK, START_MS).score

    assert score(60) < score(120)
    assert score(120) == score(600)


def test_every_reason_for_the_temperature_names_the_reads_it_rests_on() -> None:
    people = directory()
    state = state_of(progress("a", "/pricing", 30, START_MS), progress("b", "/problem", 30, START_MS + 2 * DAY_MS))
    interest = summarise("acme", state.reads.values(), people, PLAYBOOK, START_MS + 2 * DAY_MS)
    assert {reason.kind for reason in interest.reasons} == {"reading", "high_intent", "returned"}
    assert all(set(reason.page_view_ids) <= {"a", "b"} and reason.page_view_ids for reason in interest.reasons)
    assert [reason.points for reason in interest.reasons] == sorted(
        (reason.points for reason in interest.reasons), reverse=True
    )
    assert sum(reason.points for reason in interest.reasons) == interest.score


def test_entities_are_put_and_removed_by_their_topic_keys() -> None:
    made = directory()
    for entity in (*made.accounts.values(), *made.contacts.values(), *made.reps.values(), *made.contents.values()):
        assert isinstance(entity, Account | Contact | Rep | Content)
        made.remove(entity.entity_id)
    assert made.size() == 0
    assert Stage.price in PLAYBOOK.triggers.high_intent_stages
