"""Nobody sees another's accounts: every page is asked for every account by everybody."""

import re
from collections.abc import Iterable, Iterator

import pytest

from schemas.channel import ChannelKind
from schemas.delivery import Outcome, OutcomeKind
from schemas.directory import Channel, Directory, Rep
from schemas.rep_mail import RepMail
from sinks.web.access import For, sight_of
from sinks.web.app import PAGES
from sinks.web.question_list import QUESTIONS
from tests.sinks.store_samples import brief
from tests.sinks.web_world import MARKETER, NOW_MS, REPS, Pages, Told, address, directory
from tests.sinks.web_world import PAGES as CONTENTS

OWN = {
    "ann": {"acme", "anvil", "quarry"},
    "bo": {"bolt"},
    "dan": {"bolt", "dairy"},
    "eve": {"secret"},
    "cleo": {"acme", "anvil", "quarry", "bolt", "dairy"},
}
TEAMS = {"ann": {"ann"}, "bo": {"bo"}, "dan": {"dan", "bo"}, "eve": {"eve"}, "cleo": {"cleo", "ann", "dan", "bo"}}


def filled(path: str) -> Iterator[str]:
    """Give every address that a route serves, with whatever an address can name."""
    choices: dict[str, Iterable[str]] = {
        "account_id": REPS,
        "rep_id": OWN,
        "name": QUESTIONS,
        "week": ["2026-W47"],
        "path": CONTENTS,
    }
    found = re.search(r"{(\w+)}", path)
    if not found:
        yield path
        return
    for each in choices.get(found[1], ["x"]):
        yield from filled(path.replace(found[0], each))


ADDRESSES = sorted(
    {one for page in PAGES if page.method == "GET" and page.whom is not For.anyone for one in filled(page.path)}
)
ONE_OF_EACH = {next(filled(page.path)) for page in PAGES} | {f"/queries/{name}" for name in QUESTIONS}


@pytest.mark.parametrize("who", ["ann", "eve"])
def test_no_address_shows_anything_of_an_account_that_is_not_ones_own(pages: Pages, who: str) -> None:
    hidden = set(REPS) - OWN[who]
    with pages.client(address(who)) as client:
        for path in ADDRESSES:
            hidden_now = hidden if path in ONE_OF_EACH else set[str]()
            for more in ("", *(f"?account={account}" for account in hidden_now), "?rep=cleo&days=365"):
                answer = client.get(path + more)
                named = {account for account in hidden if account in path + more}
                assert answer.status_code == 404 if named or "cleo" in more else answer.status_code in (200, 404)
                told = {account for account in hidden if account in answer.text.lower()}
                assert not told - named_by_the_viewer(path + more), (path + more, told)
                if answer.status_code == 404 and named:
                    assert "Reader 0" not in answer.text


def named_by_the_viewer(address_asked: str) -> set[str]:
    """Return the ids that a page may repeat: they stand in its address, which the language links hold."""
    return {account for account in REPS if account in address_asked}


def test_the_guard_notices_an_account_that_shows(pages: Pages) -> None:
    with pages.client(MARKETER) as client:
        assert "secretive steel" in client.get("/accounts").text.lower()
        assert client.get("/accounts/secret").status_code == 200


def test_an_account_that_is_not_ones_own_looks_like_one_that_is_not_there(pages: Pages) -> None:
    with pages.client(address("ann")) as client:
        anothers, none = client.get("/accounts/secret"), client.get("/accounts/none")
    assert anothers.status_code == none.status_code == 404
    assert anothers.text.replace("secret", "none") == none.text


def test_every_page_asks_who_is_there(pages: Pages) -> None:
    with pages.client() as client:
        for path in ADDRESSES:
            assert client.get(path).headers["location"].startswith("/sign-in"), path


def test_a_manager_sees_the_team_through_all_levels_and_marketing_all() -> None:
    known = directory()
    for who, accounts in OWN.items():
        sight = sight_of(address(who).upper(), [MARKETER], known)
        assert (set(sight.accounts), set(sight.team)) == (accounts, TEAMS[who])
        assert sight.leads == (who in {"cleo", "dan"})
    assert set(sight_of(MARKETER, [MARKETER], known).accounts) == set(REPS)
    assert not sight_of("nobody@elsewhere.example", [MARKETER], known).accounts


def test_managers_who_manage_each_other_see_each_others_accounts_and_the_question_ends() -> None:
    circle = Directory()
    for rep_id, manager in (("a", "b"), ("b", "a")):
        channels = (Channel(kind=ChannelKind.email, target=address(rep_id)),)
        circle.put(Rep(rep_id=rep_id, name=rep_id, manager_id=manager, channels=channels))
    assert sight_of(address("a"), [], circle).team == {"a", "b"}


def test_a_mail_that_came_back_is_a_failure_and_no_brief_that_the_rep_has_had(pages: Pages) -> None:
    def told(kind: OutcomeKind, delivery_id: str, minute: int, reason: str = "") -> None:
        outcome = Outcome(
            outcome_id=f"{kind}-{delivery_id}", delivery_id=delivery_id, rep_id="eve", channel=ChannelKind.email,
            brief_ids=("b-returned",), account_ids=("secret",), kind=kind, reason=reason,
            at_ms=NOW_MS + minute * 60_000,
        )  # fmt: skip
        with pages.web.store.client() as client:
            Told(client).message("outcomes", "eve", outcome)

    made = brief("b-returned", NOW_MS).model_copy(update={"rep_id": "eve", "account_id": "secret"})
    with pages.web.store.client() as client:
        Told(client).message("briefs", "eve", RepMail(rep_id="eve", briefs=(made,)))
    told(OutcomeKind.sent, "dl-returned", 0)
    told(OutcomeKind.bounced, "dl-returned", 1, "5.1.1, there is no such mailbox")
    with pages.client(MARKETER) as client:
        page, health = client.get("/reps/eve").text, client.get("/health").text
        assert 'class="tag bad">the mail came back' in page
        assert page.count(">delivered<") == 1  # the other brief's
        assert "0 of 5</b> briefs today" in page
        assert "the mail came back: 5.1.1, there is no such mailbox" in health
        told(OutcomeKind.sent, "bounced-dl-returned", 2)
        page = client.get("/reps/eve").text
        assert page.count(">delivered<") == 2
        assert "1 of 5</b> briefs today" in page


def test_what_is_not_for_everybody_is_there_for_those_alone_whom_it_is_for(pages: Pages) -> None:
    """Every route and query that names no account and no rep is walked by a rep, a manager and marketing."""
    for_leads = {"GET /health", "GET /queries/delivery-failures"}
    for_marketing = {"POST /health/try-again", "GET /queries/dead-letters", "GET /queries/dead-letter"}
    walked = [f"GET {path}" for path in ADDRESSES if path in ONE_OF_EACH]
    walked += [f"POST {page.path}" for page in PAGES if page.method == "POST" and page.whom is not For.anyone]
    walked = sorted(
        one for one in set(walked) - {"POST /sign-out"} if not re.search(r"/(accounts|reps)/|account-", one)
    )
    with pages.client(MARKETER) as client:
        letter = re.search(r'name="dead_letter_id" value="([^"]+)"', client.get("/health").text)
        assert letter
    found = dict[str, set[str]]()
    for who in (address("ann"), address("dan"), MARKETER):
        with pages.client(who) as client:
            token = re.search(r'name="csrf" value="(\w+)"', client.get("/accounts").text)
            assert token
            form = {"dead_letter_id": letter[1], "csrf": token[1]}
            for one in walked:
                method, _, path = one.partition(" ")
                answer = client.get(path) if method == "GET" else client.post(path, data=form)
                if answer.status_code in (200, 303):
                    found.setdefault(who, set()).add(one)
    everybodys = found[MARKETER] - for_leads - for_marketing
    assert found == {
        address("ann"): everybodys, address("dan"): everybodys | for_leads,
        MARKETER: everybodys | for_leads | for_marketing,
    }  # fmt: skip
    assert len(pages.published) == 1  # marketing's


def test_a_manager_sees_how_the_system_is_but_no_letter_of_anybodys(pages: Pages) -> None:
    with pages.client(address("cleo")) as client:
        of_manager = client.get("/health").text
    with pages.client(MARKETER) as client:
        of_marketing = client.get("/health").text
    assert "readbrief-visitors" in of_manager
    assert "dead_letter_id" in of_marketing
    assert "/queries/dead-letters" in of_marketing
    assert "dead" not in of_manager.lower()
