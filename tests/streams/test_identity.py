"""Who is this visitor?"""

from schemas.activity import Identified
from schemas.addresses import address_id
from schemas.certainty import CONFIDENCE
from schemas.directory import Account, Contact, Directory, Membership
from schemas.envelope import Bundle, Envelope
from schemas.events import EmailClick, Identify, IdentifyMethod, PageView, Withdraw
from schemas.topics import EVENTS
from streams.evidence import MAX_EVIDENCE, MAX_SIGHTINGS
from streams.identity import VisitorState, observe
from streams.records import MemoryTable
from streams.stage import Incoming
from streams.visitor_stage import VisitorStage
from tests.streams.journeys import START_MS, directory, envelope

NOBODY = VisitorState(visitor_id="v")


def opened(at: int, name: str = "pv") -> Envelope:
    url = "https://www.example.com/problem"
    return envelope("v", at, PageView(event_id=f"{name}-{at}", occurred_ms=at, page_view_id=name, url=url))


def told(at: int, contact_id: str) -> Envelope:
    sign = Identify(event_id=f"id-{at}", occurred_ms=at, contact_id=contact_id, method=IdentifyMethod.email_link)
    return envelope("v", at, sign)


def taken_back(at: int, **which: str) -> Envelope:
    said = Withdraw(event_id=f"back-{at}-{'-'.join(which.values())}", occurred_ms=at, reason="wrong person", **which)
    return envelope("v", at, said)


def spans(identified: tuple[Identified, ...]) -> list[tuple[str, int, int | None]]:
    return [(one.contact_id, one.from_ms, one.until_ms) for one in identified]


def test_an_anonymous_visitor_leaves_neither_activity_nor_state() -> None:
    seen = observe(NOBODY, [opened(START_MS)], directory(), 0, 0)
    assert not seen.changed
    assert not seen.activity
    assert not seen.identified


def test_a_newly_known_visitor_is_announced_once_with_its_whole_past() -> None:
    seen = observe(NOBODY, [told(START_MS, "dana")], directory(), 3, 17)
    assert spans(seen.identified) == [("dana", 0, None)]
    assert (seen.identified[0].partition, seen.identified[0].offset) == (3, 17)
    again = observe(seen.state, [told(START_MS, "dana"), told(START_MS + 9, "dana")], directory(), 3, 18)
    assert not again.identified


def test_later_evidence_wins_for_later_reads_and_earlier_ones_stay() -> None:
    seen = observe(NOBODY, [told(START_MS, "dana"), told(START_MS + 100, "fay")], directory(), 0, 0)
    assert spans(seen.identified) == [("dana", 0, START_MS + 100), ("fay", START_MS + 100, None)]
    after = observe(seen.state, [opened(START_MS + 50), opened(START_MS + 150)], directory(), 0, 1)
    assert [(account, item.contact_id) for account, item in after.activity] == [
        ("acme", "dana"),
        ("bolt", ""),
        ("acme", ""),
        ("bolt", "fay"),
    ]
    assert [one.contact_id for one in after.owners["acme"].spans] == ["dana"]
    assert [one.contact_id for one in after.owners["bolt"].spans] == ["fay"]


def test_every_account_concerned_hears_of_each_change_in_rising_rank() -> None:
    first = observe(NOBODY, [told(START_MS, "dana")], directory(), 0, 5)
    second = observe(first.state, [told(START_MS + 100, "fay")], directory(), 0, 6)
    third = observe(second.state, [taken_back(START_MS + 200, contact_id="dana")], directory(), 0, 7)
    quiet = observe(third.state, [opened(START_MS + 300)], directory(), 0, 8)
    assert [sorted(seen.owners) for seen in (first, second, third, quiet)] == [
        ["acme"],
        ["acme", "bolt"],
        ["acme", "bolt"],
        ["bolt"],
    ]
    assert third.owners["acme"].spans == ()
    assert [(one.from_ms, one.until_ms) for one in third.owners["bolt"].spans] == [(0, None)]
    ranks = [seen.owners["bolt"].rank for seen in (second, third, quiet)]
    assert ranks[0] < ranks[1] == ranks[2]


def test_news_that_only_the_directory_has_outranks_what_was_said_before() -> None:
    first = observe(NOBODY, [told(START_MS, "dana")], directory(), 0, 5)
    moved = directory()
    moved.put(Contact(contact_id="dana", account_id="bolt", name="Dana"))
    again = observe(first.state, [opened(START_MS)], moved, 0, 5)  # the same bundle, after a crash
    assert again.owners["acme"].spans == ()
    assert again.owners["acme"].rank > first.owners["acme"].rank


def test_what_a_contact_read_before_they_changed_account_stays_with_the_earlier_one() -> None:
    moved = directory()
    earlier = (Membership(account_id="acme", until_ms=START_MS + 50),)
    moved.put(Contact(contact_id="dana", account_id="bolt", name="Dana", earlier=earlier))
    seen = observe(NOBODY, [told(START_MS, "dana"), told(START_MS + 100, "eli")], moved, 0, 0)
    assert [(one.account_id, one.contact_id, one.from_ms, one.until_ms) for one in seen.state.announced] == [
        ("acme", "dana", 0, START_MS + 50),
        ("bolt", "dana", START_MS + 50, START_MS + 100),
        ("acme", "eli", START_MS + 100, None),
    ]


def test_what_a_contact_read_before_they_were_deleted_stays_unnamed_with_the_account() -> None:
    known = directory()
    first = observe(NOBODY, [told(START_MS, "dana")], known, 0, 5)
    known.remove("contact:dana")
    later = observe(first.state, [opened(START_MS + 100)], known, 0, 6)
    (span,) = later.owners["acme"].spans
    assert (span.contact_id, span.from_ms, span.until_ms) == ("", 0, START_MS + 100)
    assert observe(later.state, [opened(START_MS + 200)], known, 0, 7).owners["acme"].spans == (span,)
    known.put(Contact(contact_id="dana", account_id="acme", name="Dana"))
    back = observe(later.state, [opened(START_MS + 300)], known, 0, 8)
    assert [(one.contact_id, one.until_ms) for one in back.owners["acme"].spans] == [("dana", None)]
    known.remove("contact:dana")
    known.remove("account:acme")
    assert observe(back.state, [opened(START_MS + 400)], known, 0, 9).owners["acme"].spans == ()


def test_an_account_gets_a_visitors_history_once_and_again_after_it_was_let_go() -> None:
    first = observe(NOBODY, [told(START_MS, "dana")], directory(), 0, 5)
    second = observe(first.state, [told(START_MS + 100, "eli")], directory(), 0, 6)
    third = observe(second.state, [taken_back(START_MS + 200)], directory(), 0, 7)
    fourth = observe(third.state, [told(START_MS + 300, "dana")], directory(), 0, 8)
    assert [
        [one.stitch for one in seen.identified if not one.withdrawn] for seen in (first, second, third, fourth)
    ] == [
        [True],
        [False, False],
        [],
        [True],
    ]
    assert [(one.contact_id, one.from_ms) for one in third.identified if one.withdrawn] == [
        ("dana", 0),
        ("eli", START_MS + 100),
    ]
    assert fourth.identified[0].ownership == fourth.owners["acme"]


def test_a_withdrawal_takes_back_what_was_told_before_it_and_nothing_later() -> None:
    signs = [told(START_MS, "dana"), told(START_MS + 100, "fay"), told(START_MS + 200, "dana")]
    for back, left in (
        (taken_back(START_MS + 150, contact_id="dana"), [("fay", 0), ("dana", START_MS + 200)]),
        (taken_back(START_MS + 150), [("dana", 0)]),
        (taken_back(START_MS, evidence_id=f"id-{START_MS + 200}"), [("dana", 0), ("fay", START_MS + 100)]),
    ):
        for order in ([*signs, back], [back, *signs]):
            seen = observe(NOBODY, order, directory(), 0, 0)
            assert [(one.contact_id, one.from_ms) for one in seen.state.announced] == left


def test_what_happened_before_the_evidence_is_marked_newly_known() -> None:
    seen = observe(NOBODY, [opened(START_MS - 5), told(START_MS, "dana"), opened(START_MS + 5)], directory(), 0, 0)
    assert [item.known for _, item in seen.activity] == [False, True, True]


def test_the_order_of_evidence_does_not_matter() -> None:
    signs = [told(START_MS, "dana"), told(START_MS + 100, "fay"), told(START_MS + 200, "dana")]
    forward, backward = NOBODY, NOBODY
    for one, other in zip(signs, reversed(signs), strict=True):
        forward = observe(forward, [one], directory(), 0, 0).state
        backward = observe(backward, [other], directory(), 0, 0).state
    assert forward == backward


def test_a_contact_missing_from_the_directory_is_announced_when_it_appears() -> None:
    seen = observe(NOBODY, [told(START_MS, "newcomer")], directory(), 0, 0)
    assert not seen.identified
    grown = directory()
    grown.put(Contact(contact_id="newcomer", account_id="acme", name="New"))
    later = observe(seen.state, [opened(START_MS + 5)], grown, 0, 1)
    assert spans(later.identified) == [("newcomer", 0, None)]
    assert len(later.activity) == 1


def test_a_mail_names_its_recipient_itself() -> None:
    click = EmailClick(
        event_id="e", occurred_ms=START_MS, contact_id="eli", campaign_id="spring", url="https://www.example.com/"
    )
    seen = observe(NOBODY, [envelope("v", START_MS, click)], directory(), 0, 0)
    assert [(account, item.contact_id) for account, item in seen.activity] == [("acme", "eli")]
    assert not seen.changed


KEY = b"key of addresses"


def claimed(at: int, name: str, method: IdentifyMethod = IdentifyMethod.segment) -> Envelope:
    return envelope("v", at, Identify(event_id=f"claim-{at}-{name}", occurred_ms=at, contact_id=name, method=method))


def dana_by(email: str | None) -> Directory:
    made = Directory(KEY)
    made.put(Account(account_id="acme", name="Acme", rep_id="rita", domains=("acme.example",)))
    made.put(Contact(contact_id="dana", account_id="acme", name="Dana", email=email))
    return made


def test_a_claim_by_address_is_the_contact_who_has_it() -> None:
    named = dana_by("dana@acme.example")
    sign = claimed(START_MS, address_id(KEY, "Dana@Acme.example"))
    seen = observe(NOBODY, [sign, opened(START_MS + 5)], named, 0, 0)
    assert spans(seen.identified) == [("dana", 0, None)]
    assert {item.contact_id for _, item in seen.activity} == {"dana"}


def test_a_claim_that_names_nobody_does_not_cut_off_the_past_of_one_that_does() -> None:
    named = dana_by(None)
    seen = observe(NOBODY, [claimed(START_MS, "user-77"), claimed(START_MS + 9, "dana")], named, 0, 0)
    assert spans(seen.identified) == [("dana", 0, None)]


def test_a_claim_counts_once_the_directory_learns_the_address() -> None:
    sign = claimed(START_MS, address_id(KEY, "dana@acme.example"))
    seen = observe(NOBODY, [sign], dana_by("old@acme.example"), 0, 0)
    assert not seen.identified
    later = observe(seen.state, [opened(START_MS)], dana_by("dana@acme.example"), 0, 1)
    assert spans(later.identified) == [("dana", 0, None)]


def by_domain(at: int, address: str, domain: str | None) -> Envelope:
    sign = Identify(
        event_id=f"form-{at}",
        occurred_ms=at,
        contact_id=address_id(KEY, address),
        method=IdentifyMethod.form,
        domain=domain,
    )
    return envelope("v", at, sign)


def test_an_address_that_names_no_contact_gives_the_account_by_its_domain_until_it_does() -> None:
    sign = by_domain(START_MS, "new@acme.example", "acme.example")
    seen = observe(NOBODY, [sign, opened(START_MS + 1)], dana_by(None), 0, 0)
    (span,) = seen.owners["acme"].spans
    assert (span.contact_id, span.method, span.confidence) == ("", IdentifyMethod.domain, CONFIDENCE[span.method])
    later = observe(seen.state, [opened(START_MS + 2)], dana_by("new@acme.example"), 0, 1)
    (span,) = later.owners["acme"].spans
    assert (span.contact_id, span.method, span.confidence) == ("dana", IdentifyMethod.form, CONFIDENCE[span.method])


def test_a_domain_of_no_account_or_of_two_is_no_evidence() -> None:
    two = dana_by(None)
    two.put(Account(account_id="bolt", name="Bolt", rep_id="rita", domains=("eu.acme.example",)))
    sign = by_domain(START_MS, "new@acme.example", "acme.example")
    assert not observe(NOBODY, [sign, opened(START_MS)], two, 0, 0).activity
    other = by_domain(START_MS, "new@else.example", "else.example")
    assert not observe(NOBODY, [other, opened(START_MS)], dana_by(None), 0, 0).activity


def test_somebody_of_an_account_of_which_a_contact_is_named_is_that_contact() -> None:
    for at in (START_MS, START_MS + 100, START_MS + 200):  # before, in the same call, and after
        signs = [by_domain(at, "new@acme.example", "acme.example"), told(START_MS + 100, "dana")]
        seen = observe(NOBODY, signs, dana_by(None), 0, 0)
        assert spans(seen.identified) == [("dana", 0, None)]


def from_network(network: str, at: int, *, automated: bool = False) -> Envelope:
    return opened(at).model_copy(update={"client_network": network, "automated": automated})


def acme_in(*networks: str) -> Directory:
    made = directory()
    made.put(made.accounts["acme"].model_copy(update={"networks": networks}))
    return made


def test_an_anonymous_visitor_from_an_accounts_network_is_somebody_of_it() -> None:
    seen = observe(NOBODY, [from_network("203.0.113.0/24", START_MS)], acme_in("203.0.113.64/26"), 0, 0)
    (span,) = seen.owners["acme"].spans
    assert (span.contact_id, span.method, span.confidence) == ("", IdentifyMethod.network, CONFIDENCE[span.method])
    assert [account for account, _ in seen.activity] == ["acme"]
    assert not observe(NOBODY, [from_network("203.0.114.0/24", START_MS)], acme_in("203.0.113.0/24"), 0, 0).changed


def test_a_link_in_a_mail_followed_from_an_accounts_network_is_no_reader_of_it() -> None:
    url = "https://www.example.com/"
    click = EmailClick(event_id="e", occurred_ms=START_MS, contact_id="fay", campaign_id="spring", url=url)
    scanned = envelope("v", START_MS, click, "203.0.113.0/24")
    seen = observe(NOBODY, [scanned], acme_in("203.0.113.0/24"), 0, 0)
    assert [account for account, _ in seen.activity] == ["bolt"]
    assert not seen.changed


def test_any_evidence_wins_over_a_network_whichever_came_first() -> None:
    home = from_network("203.0.113.0/24", START_MS + 50)
    for order in ([home, told(START_MS, "fay")], [told(START_MS, "fay"), home]):
        state = NOBODY
        for one in order:
            state = observe(state, [one], acme_in("203.0.113.0/24"), 0, 0).state
        assert [(one.account_id, one.contact_id) for one in state.announced] == [("bolt", "fay")]


def test_a_withdrawn_network_stays_withdrawn() -> None:
    home = from_network("203.0.113.0/24", START_MS)
    people = acme_in("203.0.113.0/24")
    gone = observe(observe(NOBODY, [home], people, 0, 0).state, [taken_back(START_MS + 9)], people, 0, 1)
    assert gone.owners["acme"].spans == ()
    again = observe(gone.state, [from_network("203.0.113.0/24", START_MS + 99)], people, 0, 2)
    assert not again.activity


def test_a_visitor_on_many_networks_leaves_a_bounded_state_that_comes_to_rest() -> None:
    people = acme_in("10.0.0.0/8")
    visits = [from_network(f"10.0.{number}.0/24", START_MS + number) for number in range(3 * MAX_SIGHTINGS)]
    state = observe(NOBODY, visits, people, 0, 0).state
    assert len(state.sightings) == MAX_SIGHTINGS
    assert not observe(state, visits, people, 0, 1).changed


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
        state = observe(state, [told(at, "dana" if at == START_MS else "eli")], directory(), 0, 0).state
    seen = observe(state, [told(START_MS + 5000, "fay")], directory(), 0, 1)
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
