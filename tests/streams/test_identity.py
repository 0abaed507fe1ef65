"""Who is this visitor?"""

from schemas.activity import Identified
from schemas.addresses import address_id
from schemas.directory import Contact, Directory
from schemas.envelope import Bundle, Envelope
from schemas.events import EmailClick, Identify, IdentifyMethod, PageView
from schemas.topics import EVENTS
from streams.identity import MAX_EVIDENCE, VisitorState, observe
from streams.records import MemoryTable
from streams.stage import Incoming
from streams.visitor_stage import VisitorStage
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


KEY = b"key of addresses"


def claimed(at: int, name: str, method: IdentifyMethod = IdentifyMethod.segment) -> Envelope:
    return envelope("v", at, Identify(event_id=f"claim-{at}-{name}", occurred_ms=at, contact_id=name, method=method))


def dana_by(email: str | None) -> Directory:
    made = Directory(KEY)
    made.put(Contact(contact_id="dana", account_id="acme", name="Dana", email=email))
    return made


def test_a_claim_by_address_is_the_contact_who_has_it() -> None:
    named = dana_by("dana@acme.example").contact_named
    sign = claimed(START_MS, address_id(KEY, "Dana@Acme.example"))
    seen = observe(NOBODY, [sign, opened(START_MS + 5)], CONTACTS.get, 0, 0, named)
    assert spans(seen.identified) == [("dana", 0, None)]
    assert {item.contact_id for _, item in seen.activity} == {"dana"}


def test_a_claim_that_names_nobody_does_not_cut_off_the_past_of_one_that_does() -> None:
    named = dana_by(None).contact_named
    seen = observe(NOBODY, [claimed(START_MS, "user-77"), claimed(START_MS + 9, "dana")], CONTACTS.get, 0, 0, named)
    assert spans(seen.identified) == [("dana", 0, None)]


def test_a_claim_counts_once_the_directory_learns_the_address() -> None:
    sign = claimed(START_MS, address_id(KEY, "dana@acme.example"))
    seen = observe(NOBODY, [sign], CONTACTS.get, 0, 0, dana_by("old@acme.example").contact_named)
    assert not seen.identified
    later = observe(seen.state, [opened(START_MS)], CONTACTS.get, 0, 1, dana_by("dana@acme.example").contact_named)
    assert spans(later.identified) == [("dana", 0, None)]


def test_an_address_of_two_contacts_names_neither() -> None:
    shared = dana_by("info@acme.example")
    shared.put(Contact(contact_id="eli", account_id="acme", name="Eli", email="INFO@acme.example"))
    name = address_id(KEY, "info@acme.example")
    assert shared.contact_named(name) is None
    shared.remove("contact:eli")
    assert shared.contact_named(name) == "dana"
    shared.put(Contact(contact_id="dana", account_id="acme", name="Dana", email="dana@acme.example"))
    assert shared.contact_named(name) is None


def test_a_name_repeated_on_every_page_pushes_out_no_other_evidence() -> None:
    state = NOBODY
    for at in [START_MS, *range(START_MS + 1000, START_MS + 1000 + 3 * MAX_EVIDENCE)]:
        state = observe(state, [told(at, "dana" if at == START_MS else "eli")], CONTACTS.get, 0, 0).state
    seen = observe(state, [told(START_MS + 5000, "fay")], CONTACTS.get, 0, 1)
    assert [(one.contact_id, one.from_ms) for one in seen.state.announced] == [
        ("dana", 0),
        ("eli", START_MS + 1000),
        ("fay", START_MS + 5000),
    ]


def test_a_machine_is_nobody_whatever_it_presents() -> None:
    def work(*, automated: bool) -> tuple[int, int]:
        seen = [each.model_copy(update={"automated": automated}) for each in (told(START_MS, "dana"), opened(START_MS))]
        bundle = Bundle(envelopes=tuple(seen)).to_bytes()
        done = VisitorStage(directory()).handle([Incoming(EVENTS.name, 0, 0, bundle)], MemoryTable(), START_MS)
        return len(done.sends), len(done.changes)

    assert work(automated=True) == (0, 0)
    assert work(automated=False) == (2, 1)
