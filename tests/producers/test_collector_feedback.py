"""The links of a brief against a running collector: what counts with GET, and what needs a button."""

import re
import time
import uuid
from collections.abc import Iterator

import httpx
import pytest

from producers.feedback_links import feedback_link
from schemas.channel import ChannelKind
from schemas.delivery import Outcome, OutcomeKind
from schemas.feedback import ANSWERS, FeedbackKind, FeedbackRef
from schemas.topics import OUTCOMES
from tests.producers.collector_process import RunningCollector
from tests.producers.kafka_topics import TopicReader, reading

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
PAGE = "https://www.example.com/pricing?plan=pro"


@pytest.fixture(scope="module")
def outcomes(topics: str) -> Iterator[TopicReader]:
    with reading(topics, OUTCOMES.name) as reader:
        yield reader


class Rep:
    """A rep of one's own for each test, with links sent an hour ago."""

    def __init__(self, collector: RunningCollector, outcomes: TopicReader) -> None:
        self._collector = collector
        self._outcomes = outcomes
        self.rep_id = f"rep-{uuid.uuid4().hex}"

    def link(self, kind: FeedbackKind, url: str = "", *, age_s: float = 3600) -> str:
        about = FeedbackRef(
            delivery_id=f"delivery-of-{self.rep_id}", rep_id=self.rep_id, channel=ChannelKind.chat, language="en",
            brief_ids=("brief_1",), account_ids=("acme",),
        )  # fmt: skip
        signed_ms = time.time_ns() // 1_000_000 - int(age_s * 1000)
        return feedback_link(self._collector.settings, kind, about, url, signed_ms)

    def told(self, count: int) -> list[Outcome]:
        """Return the rep's outcomes; of none, that none came before one that was asked for afterwards."""
        if not count:
            httpx.get(self.link(FeedbackKind.opened), headers=BROWSER)
            found = self._of(1)
            return [each for each in found if each.kind is not OutcomeKind.opened]
        return self._of(count)

    def _of(self, count: int) -> list[Outcome]:
        key = self.rep_id.encode()
        seen = 0

        def enough(got: bytes | None, _value: bytes | None) -> bool:
            nonlocal seen
            seen += got == key
            return seen >= count

        self._outcomes.find(enough)
        return [Outcome.from_bytes(value or b"") for _, got, value in self._outcomes.read if got == key]


@pytest.fixture
def rep(running_collector: RunningCollector, outcomes: TopicReader) -> Rep:
    return Rep(running_collector, outcomes)


def pressed(page: httpx.Response, **fields: str) -> httpx.Response:
    form = re.search(r'name="form" value="([^"]+)"', page.text)
    assert form
    return httpx.post(str(page.url), data={"form": form[1], **fields}, headers=BROWSER)


@pytest.mark.parametrize("kind", ANSWERS)
def test_looking_at_an_answers_page_says_nothing_and_pressing_its_button_says_it_once(
    kind: FeedbackKind, rep: Rep
) -> None:
    link = rep.link(kind)
    page = httpx.get(link, headers=BROWSER)
    httpx.head(link)
    assert page.status_code == 200
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert rep.told(0) == []
    done = [pressed(page, text="Too dear\r\n<b>and</b> \x00late") for _ in range(2)]
    assert [each.status_code for each in done] == [200, 200]
    answers = [each for each in rep.told(3) if each.kind is not OutcomeKind.opened]
    assert {each.kind for each in answers} == {kind.outcome}
    assert len({each.outcome_id for each in answers}) == 1
    assert answers[0].account_ids == ("acme",)
    assert answers[0].text == ("Too dear\n<b>and</b> late" if kind is FeedbackKind.objection else "")


def test_a_post_from_elsewhere_without_the_pages_form_says_nothing(rep: Rep) -> None:
    link = rep.link(FeedbackKind.useful)
    other = httpx.get(rep.link(FeedbackKind.snooze), headers=BROWSER)
    form = re.search(r'name="form" value="([^"]+)"', other.text)
    assert form
    for fields in ({}, {"form": "x"}, {"form": form[1]}):
        assert httpx.post(link, data=fields).status_code == 400
    assert httpx.post(link, content=b"\xff&" * 9000).status_code == 413
    assert rep.told(0) == []


def test_an_objection_needs_words(rep: Rep) -> None:
    page = httpx.get(rep.link(FeedbackKind.objection), headers=BROWSER)
    assert pressed(page, text=" \n ").status_code == 400
    assert rep.told(0) == []
    assert pressed(page, text="x" * 5000).status_code == 200
    assert max(len(each.text) for each in rep.told(2)) == 1000


def test_opening_and_clicking_count_once_each_and_lead_on(rep: Rep) -> None:
    for _ in range(2):
        picture = httpx.get(rep.link(FeedbackKind.opened), headers=BROWSER)
        click = httpx.get(rep.link(FeedbackKind.clicked, PAGE), headers=BROWSER)
    assert picture.headers["content-type"] == "image/gif"
    assert (click.status_code, click.headers["location"]) == (302, PAGE)
    told = rep.told(2)
    assert sorted((each.kind, each.url, each.suspected) for each in told) == [
        (OutcomeKind.clicked, PAGE, False), (OutcomeKind.opened, "", False),
    ]  # fmt: skip


def test_what_a_machine_does_is_suspected(rep: Rep) -> None:
    httpx.get(rep.link(FeedbackKind.clicked, PAGE), headers={"user-agent": "Slackbot-LinkExpanding 1.0"})
    httpx.get(rep.link(FeedbackKind.opened, age_s=1), headers=BROWSER)
    assert [each.suspected for each in rep.told(2)] == [True, True]


def test_a_mail_program_ends_digests_with_one_request_and_the_page_takes_it_back(rep: Rep) -> None:
    link = rep.link(FeedbackKind.unsubscribe)
    done = httpx.post(link, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    assert pressed(done, again="1").status_code == 200
    assert [each.kind for each in rep.told(2)] == [OutcomeKind.unsubscribed, OutcomeKind.subscribed]


def test_a_link_that_is_no_good_shows_a_page_or_an_empty_picture(running_collector: RunningCollector) -> None:
    url = running_collector.url
    assert httpx.get(f"{url}/f/useful/forged").status_code == 400
    assert httpx.get(f"{url}/f/clicked/forged").status_code == 400
    assert httpx.get(f"{url}/f/opened/forged").headers["content-type"] == "image/gif"
    assert httpx.get(f"{url}/f/nothing/forged").status_code == 404
