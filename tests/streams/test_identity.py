"""Who is this visitor?"""

from schemas.activity import Identified
from schemas.envelope import Bundle, Envelope
from schemas.events import EmailClick, Identify, IdentifyMethod, PageView
from schemas.topics import EVENTS
from streams.identity import VisitorState, observe
from streams.stages import Incoming, VisitorStage
from tests.streams.journeys import CONTACTS, START_MS, directory, envelope

NOBODY = VisitorState(visitor_id="v")


def opened(at: int, name: str = "pv") -> Envelope:
    url = "https://www.example.com/problem"
    return envelope("v", at, PageView(event_id=f"{name}-{at}", occurred_ms=at, page_view_id=name, url=url))


def told(at: int, contact_id: str) -> Envelope:
    sign = Identify(event_id=f"id-{at}", occurred_ms=at, contact_id=contact_id, method=IdentifyMethod.email_link)
    return envelope("v", at, sign)


def spans(identified: tuple[Identified, ...]) -> list[tuple[str, int, int | None]]:
    return [(one.contact_id, one.from_ms, one.until_ms) for one in identified]


def test_an_anonymous_visitor_leaves_neither_activity_nor_state() -> None:
    seen = observe(NOBODY, [opened(START_MS)], CONTACTS.get, 0, 0)
    assert not seen.changed
    assert not seen.activity
    assert not seen.identified


def test_a_newly_known_visitor_is_announced_once_with_its_whole_past() -> None:
    seen = observe(NOBODY, [told(START_MS, "dana")], CONTACTS.get, 3, 17)
    assert spans(seen.identified) == [("dana", 0, None)]
    assert (seen.identified[0].partition, seen.identified[0].offset) == (3, 17)
    again = observe(seen.state, [told(START_MS, "dana"), told(START_MS + 9, "dana")], CONTACTS.get, 3, 18)
    assert not again.identified


def test_later_evidence_wins_for_later_reads_and_earlier_ones_stay() -> None:
    seen = observe(NOBODY, [told(START_MS, "dana"), told(START_MS + 100, "fay")], CONTACTS.get, 0, 0)
    assert spans(seen.identified) == [("dana", 0, START_MS + 100), ("fay", START_MS + 100, None)]
    after = observe(seen.state, [opened(START_MS + 50), opened(START_MS + 150)], CONTACTS.get, 0, 1)
    assert [(account, item.contact_id) for account, item in after.activity] == [("acme", "dana"), ("bolt", "fay")]


def test_what_happened_before_the_evidence_is_marked_newly_known() -> None:
    seen = observe(NOBODY, [opened(START_MS - 5), told(START_MS, "dana"), opened(START_MS + 5)], CONTACTS.get, 0, 0)
    assert [item.known for _, item in seen.activity] == [False, True, True]


def test_the_order_of_evidence_does_not_matter() -> None:
    signs = [told(START_MS, "dana"), told(START_MS + 100, "fay"), told(START_MS + 200, "dana")]
    forward, backward = NOBODY, NOBODY
    for one, other in zip(signs, reversed(signs), strict=True):
        forward = observe(forward, [one], CONTACTS.get, 0, 0).state
        backward = observe(backward, [other], CONTACTS.get, 0, 0).state
    assert forward == backward


def test_a_contact_missing_from_the_directory_is_announced_when_it_appears() -> None:
    seen = observe(NOBODY, [told(START_MS, "newcomer")], CONTACTS.get, 0, 0)
    assert not seen.identified
    accounts = {**CONTACTS, "newcomer": "acme"}
    later = observe(seen.state, [opened(START_MS + 5)], accounts.get, 0, 1)
    assert spans(later.identified) == [("newcomer", 0, None)]
    assert len(later.activity) == 1


def test_a_mail_names_its_recipient_itself() -> None:
    click = EmailClick(
        event_id="e", occurred_ms=START_MS, contact_id="eli", campaign_id="spring", url="https://www.example.com/"
    )
    seen = observe(NOBODY, [envelope("v", START_MS, click)], CONTACTS.get, 0, 0)
    assert [(account, item.contact_id) for account, item in seen.activity] == [("acme", "eli")]
    assert not seen.changed


def test_a_machine_is_nobody_whatever_it_presents() -> None:
    def work(*, automated: bool) -> tuple[int, int]:
        seen = [each.model_copy(update={"automated": automated}) for each in (told(START_MS, "dana"), opened(START_MS))]
        bundle = Bundle(envelopes=tuple(seen)).to_bytes()
        done = VisitorStage(directory()).handle(Incoming(EVENTS.name, 0, 0, bundle), {}, START_MS)
        return len(done.sends), len(done.writes)

    assert work(automated=True) == (0, 0)
    assert work(automated=False) == (2, 1)
