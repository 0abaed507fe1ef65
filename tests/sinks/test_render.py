"""What a rep sees: the right words, in the right order, and nothing that an outsider could make of them."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.brief import Trigger, TriggerKind
from schemas.certainty import CONFIDENCE
from schemas.directory import Account, Contact, Directory
from schemas.events import IdentifyMethod
from schemas.interest import Reason, Temperature
from sinks.delivery.outside_text import clipped, one_line, web_address
from sinks.delivery.render import render
from sinks.delivery.summary import summary
from tests.sinks.delivery_samples import MET_MS, a_brief, a_delivery, a_directory, a_read, an_interest

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7*7 }}{% raw %}",
    "a\r\nBcc: everyone@example.com\r\n\r\nbody",
    "[click](javascript:alert(1)) **bold** `code` <@U123> @everyone",
    "\u202emoc.live\u2028\x00\x1b[31m",
    "{reader.__class__} %s {0}",
]


class Page(HTMLParser):
    """What a browser would make of the HTML: its tags, its links, its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


HEADLINES = {
    "en": "Acme Robotics is hot: its department head read “Pricing” to 92%",
    "de": "Acme Robotics ist heiß: Abteilungsleitung las „Pricing“ bis 92 %",
    "zh": "Acme Robotics 高热度：其部门负责人把“Pricing”读到 92%",
    "zh-TW": "Acme Robotics 高熱度：其部門主管把「Pricing」讀到 92%",
}


@pytest.mark.parametrize("language", HEADLINES)
def test_the_headline_says_what_changed_who_read_what_and_how_far(language: str) -> None:
    rendered = render(a_delivery(briefs=(a_brief(language=language),)), a_directory())
    assert rendered.subject == HEADLINES[language]
    assert " ".join(HEADLINES[language].split()) in Page(rendered.html).text
    assert rendered.text.startswith(HEADLINES[language])


def test_email_and_its_plain_twin_tell_everything_in_the_order_of_use() -> None:
    rendered = render(a_delivery(), a_directory())
    told = [
        "session ended, Sun, Nov 22, 3:05 PM",
        "Next step",
        "Offer a 30-minute pricing workshop",
        "Who",
        "Dana Weiss (VP Operations · department head · decider)",
        "Li Wei (Controls engineer · technician)",
        "What they read",
        "lingered on “Annual plans” for 1 min 20 sec",
        "clicked “Compare plans”",
        "Security and compliance",
        "before we knew them",
        "API reference",
        "and 2 more reads",
        "Focus",
        "Pricing and Security",
        "What to say",
        "One price per site",
        "Which lines should be automated first?",
        "If “Too expensive”: Customers earn it back",
        "Total cost over three years",
        "Globex Logistics",
        "Bring along",
        "Maria Lopez, pricing desk",
        "Read this first",
        "Why hot",
        "read “Pricing”, a high-intent page (+15)",
        "10 min 10 sec of reading in the last 7 days, 1 min 35 sec in the 7 before",
    ]
    page = Page(rendered.html).text
    for whole in (page.replace(" :", ":"), " ".join(rendered.text.split())):
        at = whole.index("session ended")
        for words in told:
            assert words in whole[at:], words
            at = whole.index(words, at)
    for fact in ("2 min 10 sec, to 92%", "lingered on “Annual plans” for 1 min 20 sec", "clicked “Compare plans”"):
        assert fact in page
        assert fact in rendered.text
        assert fact in rendered.chat


def test_a_high_intent_brief_leads_with_the_page_that_triggered_it() -> None:
    trigger = Trigger(kind=TriggerKind.high_intent, met_ms=MET_MS, page_view_id="pv-3", url="https://x.example/")
    rendered = render(a_delivery(briefs=(a_brief(trigger=trigger),)), a_directory())
    assert "its technician read “API reference” to 38%" in rendered.subject
    assert "high-intent page “API reference”" in rendered.text


def test_who_is_not_in_the_directory_gets_a_neutral_phrase() -> None:
    brief = a_brief(
        interest=an_interest().model_copy(update={"reasons": (Reason(kind="returned", points=5, detail="x"),)})
    )
    rendered = render(a_delivery(briefs=(brief,)), Directory())
    assert rendered.subject.startswith("an account is hot: a reader read")
    assert "a reader came back" in rendered.text
    for form in (rendered.html, rendered.text, rendered.chat, rendered.subject):
        assert "dana" not in form.lower()
        assert "acme" not in form.lower()


def test_a_reason_of_a_newer_writer_is_said_by_its_own_name() -> None:
    interest = an_interest().model_copy(update={"reasons": (Reason(kind="sat_up_all_night", points=3),)})
    assert "sat up all night (+3)" in render(a_delivery(briefs=(a_brief(interest=interest),)), a_directory()).text


def test_a_digest_names_its_accounts_and_tells_each_brief() -> None:
    other = a_brief(2, account_id="globex", interest=an_interest("globex", Temperature.warm))
    rendered = render(a_delivery(briefs=(a_brief(1), other)), a_directory())
    assert rendered.subject == "2 accounts: Acme Robotics (hot) and Globex (warm)"
    for form in (Page(rendered.html).text, rendered.text, rendered.chat):
        assert form.index("Acme Robotics is hot") < form.index("Globex is warm")


def test_a_digest_of_one_account_is_headed_by_its_newest_brief() -> None:
    newest = a_brief(2, reads=(a_read(title="Contract terms"),))
    assert "Contract terms" in render(a_delivery(briefs=(a_brief(1), newest)), a_directory()).subject


def test_the_newest_brief_is_the_one_decided_last_wherever_its_worth_puts_it() -> None:
    newest = a_brief(
        2,
        decided_ms=MET_MS + 9_000,
        trigger=a_brief().trigger.model_copy(update={"kind": TriggerKind.form_sent}),
        interest=an_interest("acme", Temperature.warm),
        language="de",
    )
    globex = a_brief(3, account_id="globex", interest=an_interest("globex", Temperature.hot))
    delivery = a_delivery(briefs=(newest, a_brief(1)))
    assert "hat ein Formular gesendet" in render(delivery, a_directory()).subject
    told = summary(delivery, a_directory())
    assert (told["trigger"], told["temperature"], told["language"]) == ("form_sent", "warm", "de")
    both = render(a_delivery(briefs=(newest, globex, a_brief(1))), a_directory())
    assert both.subject.endswith("Acme Robotics (warm) und Globex (heiß)")


def test_a_contacts_number_is_dialled_from_the_mail_and_read_everywhere() -> None:
    directory = a_directory()
    dana = directory.contacts["dana"].model_copy(update={"email": "d@x.example", "phone": "+49305550134;ext=12"})
    directory.put(dana)
    rendered = render(a_delivery(), directory)
    assert "tel:+49305550134;ext=12" in Page(rendered.html).links
    for form in (Page(rendered.html).text, rendered.text):
        assert "d@x.example · +49 30 5550134 ext. 12" in form
    assert "tel:" not in rendered.text
    assert "+49 30 5550134" in rendered.chat


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_from_outside_becomes_markup_a_link_or_a_header(hostile: str) -> None:
    directory = a_directory()
    directory.put(Account(account_id="acme", name=hostile, rep_id="rep-1"))
    directory.put(Contact(contact_id="dana", account_id="acme", name=hostile, title=hostile))
    honest = Page(render(a_delivery(), a_directory()).html)
    read = a_read(title=hostile, section=hostile, clicked=(hostile,), url="javascript:alert(1)")
    rendered = render(a_delivery(briefs=(a_brief(reads=(read,), topics=(hostile,)),)), directory)
    page = Page(rendered.html)
    assert set(page.tags) <= set(honest.tags)
    assert page.links == []
    assert page.handlers == []
    assert one_line(hostile) in page.text
    assert not re.search(r"[\x00-\x1f\x7f\u2028\u2029\u202e]", rendered.subject)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u2028\u2029\u202e]", rendered.text + rendered.chat)
    assert "javascript:alert(1)" not in re.findall(r"\]\((.*?)\)", rendered.chat)
    assert "49" not in page.text.replace(one_line(hostile), "")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example/x",
        "https://google.com@evil.example/",
        "https://evil.example/a b",
        'https://evil.example/"onclick=',
        "ftp://files.example/",
        "https:\\\\evil.example",
        "http://",
        "",
    ],
)
def test_only_plain_web_addresses_become_links(url: str) -> None:
    assert web_address(url) is None
    rendered = render(a_delivery(briefs=(a_brief(reads=(a_read(url=url),)),)), a_directory())
    assert Page(rendered.html).links == []
    assert "](" not in rendered.chat


def test_a_web_address_becomes_a_link_in_every_form() -> None:
    rendered = render(a_delivery(), a_directory())
    assert Page(rendered.html).links[0] == "https://www.example.com/pricing"
    assert "https://www.example.com/pricing\n" in rendered.text
    assert "[Pricing](https://www.example.com/pricing)" in rendered.chat


@given(st.text(max_size=300), st.integers(min_value=1, max_value=50))
def test_clipped_text_is_one_clean_line_within_its_limit(text: str, limit: int) -> None:
    line = clipped(text, limit)
    assert len(line) <= limit
    assert line.splitlines() in ([line], [])
    assert one_line(line) == line


@given(st.text(max_size=200))
def test_any_title_renders_and_keeps_the_subject_one_short_line(title: str) -> None:
    rendered = render(a_delivery(briefs=(a_brief(reads=(a_read(title=title),)),)), a_directory())
    assert len(rendered.subject) <= 200
    assert len(rendered.subject.splitlines()) == 1


def test_the_html_loads_nothing_from_anywhere() -> None:
    rendered = render(a_delivery(briefs=(a_brief(reads=(a_read(bands=(0, 9_000, 1_000) + (0,) * 7),)),)), a_directory())
    assert not re.search(r"<(script|link|iframe|object)\b|url\(|@import", rendered.html)
    assert re.findall(r"<img src=\"([^\"]+)", rendered.html) == [f"cid:{rendered.pictures[0].cid}"]
    assert "read most from 10% to 20% of the page" in rendered.html


def test_the_summary_tells_machines_the_same() -> None:
    told = summary(a_delivery(), a_directory())
    assert told | {"reads": []} == {
        "account": "Acme Robotics",
        "rep": "Jo Müller",
        "channel": "email",
        "language": "en",
        "headline": HEADLINES["en"],
        "reads": [],
        "trigger": "session_end",
        "brief_ids": ["brief-1"],
        "temperature": "hot",
    }
    assert told["reads"][0] == {
        "title": "Pricing",
        "url": "https://www.example.com/pricing",
        "active_s": 130,
        "depth_pct": 92,
        "section": "Annual plans",
    }
    assert len(told["reads"]) == 3


UNKNOWN = {
    ("en", IdentifyMethod.network): "someone at Acme Robotics, by their network",
    ("en", IdentifyMethod.domain): "someone at Acme Robotics, by their email domain",
    ("en", IdentifyMethod.forwarded): "an unknown colleague, by the link sent to Dana Weiss",
    ("en", None): "someone at Acme Robotics",
    ("de", IdentifyMethod.network): "jemand von Acme Robotics, dem Netz nach",
    ("de", IdentifyMethod.forwarded): "jemand Unbekanntes, über den Link an Dana Weiss",
    ("zh", IdentifyMethod.domain): "Acme Robotics的某位员工，据邮箱域名判断",
}


@pytest.mark.parametrize(("language", "method"), UNKNOWN, ids=str)
def test_a_reader_without_a_name_is_said_by_how_they_were_recognised(
    language: str, method: IdentifyMethod | None
) -> None:
    via = "dana" if method is IdentifyMethod.forwarded else ""
    unknown = a_read(1, contact_id="", method=method, via=via, confidence=CONFIDENCE[method] if method else 100)
    sent = render(a_delivery(briefs=(a_brief(language=language, reads=(unknown,)),)), a_directory())
    for form in (Page(sent.html).text, sent.text, sent.chat):
        assert UNKNOWN[language, method] in form
    assert {"en": "someone there", "de": "jemand dort", "zh": "有人"}[language] in sent.subject


def test_a_name_is_said_plainly_only_where_it_is_sure() -> None:
    def subject(confidence: int) -> str:
        read = a_read(1, confidence=confidence, method=IdentifyMethod.form)
        sent = render(a_delivery(briefs=(a_brief(reads=(read,)),)), a_directory())
        assert ("probably Dana Weiss" in sent.text) == ("probably Dana Weiss" in sent.chat)
        return sent.subject

    assert "probably its department head read" in subject(CONFIDENCE[IdentifyMethod.form])
    assert "probably" not in subject(CONFIDENCE[IdentifyMethod.email_link])


def test_unknown_readers_are_told_apart_by_how_they_were_recognised_and_not_by_visit() -> None:
    ways = (IdentifyMethod.network, IdentifyMethod.domain, IdentifyMethod.network)
    reads = tuple(a_read(n, contact_id="", method=way, confidence=CONFIDENCE[way]) for n, way in enumerate(ways))
    text = render(a_delivery(briefs=(a_brief(reads=reads),)), a_directory()).text
    who = text[: text.index("What they read")]
    assert who.count("by their network") == 1
    assert who.count("by their email domain") == 1
