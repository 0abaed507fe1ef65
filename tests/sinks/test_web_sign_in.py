"""Signing in: by a link that works once, for whom the directory knows, and for nobody else."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import structlog

from sinks.web.process import mail_sender
from sinks.web.rates import Rates
from sinks.web.sessions import new_link, new_session, read_session
from sinks.web.sign_in import own_path
from sinks.web.spent import spend_one_of
from sinks.web.store import Store
from tests.sinks.delivery_servers import mail_server
from tests.sinks.web_world import MARKETER, NOW_MS, Pages, address


def asked(pages: Pages, who: str) -> tuple[int, str]:
    with pages.client() as client:
        answer = client.post("/sign-in", data={"address": who, "to": "/accounts/acme"})
    return answer.status_code, answer.text


def link_for(pages: Pages, who: str) -> str:
    pages.mails.clear()
    pages.mailed.clear()
    assert asked(pages, who)[0] == 200
    assert pages.mailed.wait(20)
    ((to, mail),) = pages.mails
    assert to == who
    found = re.search(r"http://\S+", mail.get_content())
    assert found
    return found[0]


def sent_off() -> None:
    for thread in threading.enumerate():
        if thread.name == "sign-in-mail":
            thread.join(60)


def test_a_link_signs_its_reader_in_once_and_leads_to_where_they_wanted(pages: Pages) -> None:
    link = link_for(pages, address("ann"))
    with pages.client() as client:
        assert client.get(link).status_code == 200  # a scanner's look uses nothing up
        entered = client.post(link)
        assert (entered.status_code, entered.headers["location"]) == (303, "/accounts/acme")
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert "Acme Pumps" in client.get("/accounts").text
    with pages.client() as another:
        assert another.post(link).status_code == 410
        assert another.get("/accounts").status_code == 303


def test_the_answer_does_not_tell_who_is_known(pages: Pages) -> None:
    pages.mails.clear()
    assert asked(pages, "nobody@elsewhere.example") == asked(pages, address("ann"))


def test_a_mail_server_that_refuses_is_told_to_the_log_alone(pages: Pages) -> None:
    sent_off()
    before = pages.web.send
    with mail_server() as server, pages.client() as client, structlog.testing.capture_logs() as logs:
        server.rcpt_answers.append("550 5.1.1 no such mailbox")
        pages.web.send = mail_sender(pages.web.settings.model_copy(update={"smtp_port": server.port}))
        try:
            known = client.post("/sign-in", data={"address": address("cleo")})
            unknown = client.post("/sign-in", data={"address": "nobody@elsewhere.example"})
            sent_off()
        finally:
            pages.web.send = before
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text)
    (line,) = [line for line in logs if line["event"] == "sign_in_mail_failed"]
    assert line["reason"] == "the mail server refused the recipient: 550 5.1.1"
    assert "cleo" not in str(logs)
    assert server.mails == []


def test_a_forged_or_old_link_lets_nobody_in(pages: Pages) -> None:
    settings = pages.web.settings
    old = new_link(settings, address("ann"), "/", now_ms=NOW_MS - settings.web_link_minutes * 60_000 - 2000)
    for token in (old, "made-up", new_session(settings, address("ann"), now_ms=NOW_MS)):
        with pages.client() as client:
            assert client.post(f"/sign-in/{token}").status_code == 410


def test_of_many_processes_that_spend_at_once_no_more_are_let_than_one_would(pages: Pages) -> None:
    stores = [Store(pages.web.settings) for _ in range(4)]
    try:
        with ThreadPoolExecutor(8) as pool:
            heard = list(pool.map(lambda n: spend_one_of(stores[n % 4], "x", 5, 900_000, NOW_MS + n), range(24)))
        assert sum(heard) <= 5
        assert not spend_one_of(stores[0], "x", 5, 900_000, NOW_MS + 1000)
        assert spend_one_of(stores[0], "another", 5, 900_000, NOW_MS)
        assert spend_one_of(stores[0], "x", 5, 900_000, NOW_MS + 901_000)
    finally:
        for store in stores:
            store.close()


def test_links_are_sent_to_one_address_a_few_times_only(pages: Pages) -> None:
    pages.web.links_by_client = Rates(100, 900)
    pages.mails.clear()
    for process in range(3):
        pages.web.links_by_address = Rates(5, 900)  # each process counts anew; the store counts for all
        for _ in range(4):
            asked(pages, address("eve"))
            sent_off()
        assert len(pages.mails) == min(5, 4 * (process + 1))
    pages.web.links_by_client = Rates(3, 900)
    assert [asked(pages, address("bo"))[0] for _ in range(5)] == [200, 200, 200, 429, 429]
    pages.web.links_by_client = Rates(100, 900)


def test_a_session_ends_when_its_reader_signs_out_or_leaves_the_directory(pages: Pages) -> None:
    with pages.client(address("dan")) as client:
        shown = client.get("/accounts").text
        token = re.search(r'name="csrf" value="(\w+)"', shown)
        assert token
        kept = dict(client.cookies)
        assert client.post("/sign-out", data={"csrf": token[1]}).status_code == 303
    with httpx.Client(base_url=pages.url, cookies=kept) as thief:
        assert thief.get("/accounts").status_code == 303
    with pages.client("gone@nordhaven.example") as client:
        assert client.get("/accounts").status_code == 303


def test_a_session_does_not_outlive_its_hours(pages: Pages) -> None:
    settings = pages.web.settings
    cookie = new_session(settings, MARKETER, now_ms=NOW_MS)
    hours_ms = settings.web_session_hours * 3_600_000
    assert read_session(settings, cookie, now_ms=NOW_MS + hours_ms)
    assert read_session(settings, cookie, now_ms=NOW_MS + hours_ms + 2000) is None


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_a_form_from_elsewhere_changes_nothing(pages: Pages, origin: str) -> None:
    with pages.client(address("ann")) as client:
        token = re.search(r'name="csrf" value="(\w+)"', client.get("/accounts").text)
        assert token
        client.headers.pop("origin")
        headers = {"Origin": origin} if origin else {}
        assert client.post("/sign-out", data={"csrf": token[1]}, headers=headers).status_code == 403
        assert client.post("/sign-out", data={"csrf": "0" * 48}, headers={"Origin": pages.url}).status_code == 403
        assert client.get("/accounts").status_code == 200


@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\n", "x", ""])
def test_after_signing_in_nobody_is_led_elsewhere(path: str) -> None:
    assert own_path(path) == "/"
    assert own_path("/accounts/acme?days=7") == "/accounts/acme?days=7"
