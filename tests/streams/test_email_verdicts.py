"""People and machines in mails: the corpus, and that no order of evidence makes a difference."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.emails import MailFact, Mailing, MailKind, Verdict
from schemas.events import EmailAgent
from schemas.reads import Read
from streams.email_interest import mails_of
from streams.email_verdicts import Judgement, judge
from tests.streams.email_cases import SENT_MS, Case, clicked, mailing, read
from tests.streams.email_corpus import CORPUS

LETTERS = {Verdict.human: "H", Verdict.machine: "M", Verdict.unconfirmed: "U"}


def verdicts(case: Case) -> str:
    judged = judge(mailing(case), case.reads)
    hits = [one for one in case.facts if one.kind in {MailKind.opened, MailKind.clicked}]
    return "".join(LETTERS[judged[one.event_id].verdict] for one in sorted(hits, key=lambda one: one.at_ms))


@pytest.mark.parametrize("case", CORPUS, ids=[case.law.replace(" ", "-") for case in CORPUS])
def test_a_sequence_gets_its_verdicts(case: Case) -> None:
    assert len({one.event_id for one in case.facts}) == len(case.facts)
    assert verdicts(case) == case.verdicts
    assert case.source


def test_the_corpus_is_large_and_no_machine_passes_for_a_person() -> None:
    found = Counter(zip("".join(case.verdicts for case in CORPUS), "".join(map(verdicts, CORPUS)), strict=True))
    print(f"{len(CORPUS)} sequences; right verdict and given one: {dict(found)}")
    assert len(CORPUS) >= 40
    assert sum(number for (right, given_), number in found.items() if given_ == "H" != right) == 0


def test_every_verdict_has_a_reason() -> None:
    for case in CORPUS:
        assert all(one.reasons for one in judge(mailing(case), case.reads).values()), case.law


hits = st.builds(
    MailFact,
    event_id=st.sampled_from([f"e{number}" for number in range(8)]),
    kind=st.sampled_from(list(MailKind)),
    at_ms=st.integers(SENT_MS, SENT_MS + 90_000),
    url=st.sampled_from(["https://www.example.com/pricing", "https://www.example.com/guide"]),
    agent=st.sampled_from(list(EmailAgent)),
    head=st.booleans(),
    data_center=st.booleans(),
    trap=st.booleans(),
    visitor_id=st.sampled_from(["v1", "v2"]),
)
pages = st.builds(
    read,
    st.integers(0, 90_000),
    st.sampled_from(["https://www.example.com/pricing", "https://www.example.com/guide"]),
    st.integers(0, 40_000),
    st.integers(0, 100),
    st.sampled_from(["v1", "v2"]),
)


@given(st.lists(hits, max_size=8, unique_by=lambda one: one.event_id), st.lists(pages, max_size=4), st.randoms())
@settings(max_examples=150, deadline=None)
def test_no_order_of_evidence_makes_a_difference(
    facts: list[MailFact], reads: list[Read], chance: random.Random
) -> None:
    def judged(facts: list[MailFact], reads: list[Read]) -> dict[str, Judgement]:
        return judge(
            Mailing(contact_id="dana", campaign_id="spring", facts={one.event_id: one for one in facts}), reads
        )

    first = judged(facts, reads)
    assert judged(chance.sample(facts, len(facts)), chance.sample(reads, len(reads))) == first


@given(st.lists(hits, max_size=8, unique_by=lambda one: one.event_id), st.lists(pages, max_size=4))
@settings(max_examples=150, deadline=None)
def test_nobody_is_a_person_without_a_page_or_gmails_proxy(facts: list[MailFact], reads: list[Read]) -> None:
    one = Mailing(contact_id="dana", campaign_id="spring", facts={each.event_id: each for each in facts})
    for event_id, judgement in judge(one, reads).items():
        if judgement.verdict is Verdict.human and one.facts[event_id].kind is MailKind.clicked:
            seen = [each for each in reads if each.page_view_id in judgement.page_view_ids]
            assert seen
            assert all(each.active_ms >= 2_000 for each in seen)
            assert not one.facts[event_id].head


def test_a_verdict_changes_as_evidence_comes_in() -> None:
    click = clicked(3_600_000)
    alone = Mailing(contact_id="dana", campaign_id="spring", facts={click.event_id: click})
    page = read(3_601_000)
    assert judge(alone, ())[click.event_id].verdict is Verdict.unconfirmed
    assert judge(alone, (page,))[click.event_id].verdict is Verdict.human
    trap = clicked(3_602_000, "https://www.example.com/", trap=True)
    caught = alone.model_copy(update={"facts": {**alone.facts, trap.event_id: trap}})
    assert judge(caught, (page,))[click.event_id].verdict is Verdict.machine
    assert mails_of({"m": caught}, (page,)).machine_reads == {page.page_view_id}
