"""Each chat service's own markup: within its limits, nothing active from outside, and what is cut is counted."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sinks.delivery.channels import dingtalk, feishu, slack, teams, wecom
from sinks.delivery.channels.cutting import cut
from sinks.delivery.channels.texts import encoded
from sinks.delivery.document import MessageDocument
from tests.sinks.documents import HOSTILE, a_document

Payload = Callable[[MessageDocument], dict[str, Any]]
LIMITS: dict[str, tuple[Payload, Callable[[dict[str, Any]], int], int]] = {
    "slack": (slack.payload, lambda made: len(encoded(made).decode()), slack.MAX_CHARACTERS),
    "teams": (teams.payload, lambda made: len(encoded(made)), teams.MAX_BYTES),
    "wecom": (wecom.payload, lambda made: len(made["markdown"]["content"].encode()), 4096),
    "dingtalk": (dingtalk.payload, lambda made: len(encoded(made)), 20_000),
    "feishu": (feishu.payload, lambda made: len(encoded(made)), 20_000),
}
CJK = "采购总监把定价页读到底两次" * 30
TEXTS = ((CJK,), ("<&#_*[" * 80,), ("\U0001f600" * 300, "b"))


def strings(value: Any) -> Iterator[str]:
    match value:
        case dict():
            for each in value.values():
                yield from strings(each)
        case list():
            for each in value:
                yield from strings(each)
        case str():
            yield value


@pytest.mark.parametrize("texts", TEXTS)
@pytest.mark.parametrize(("briefs", "lines"), [(1, 3), (1, 80), (30, 2)])
@pytest.mark.parametrize("service", LIMITS)
def test_a_message_of_any_size_is_within_the_limit(
    service: str, briefs: int, lines: int, texts: tuple[str, ...]
) -> None:
    payload, size, limit = LIMITS[service]
    made = payload(a_document(texts=texts, briefs=briefs, lines=lines, headline=texts[0]))
    assert size(made) <= limit
    json.loads(encoded(made))


@pytest.mark.parametrize("service", LIMITS)
def test_what_matters_less_goes_first_by_whole_lines_and_is_counted(service: str) -> None:
    payload, _, _ = LIMITS[service]
    text = "\n".join(strings(payload(a_document(texts=("定价" * 60,), lines=80))))
    kept = {rank: len(set(re.findall(rf"{rank} (\d+)", text))) for rank in ("rank2", "detail", "rank5")}
    assert "rank1" in text
    assert 0 < kept["rank2"] <= 80
    assert kept["rank5"] == 0 or kept["detail"] == kept["rank2"] == 80
    missing = 80 * 3 - sum(kept.values())
    assert f"{missing} more lines on the account" in text
    assert len(re.findall(r"(?:定价)+", text)) == text.count("rank") + text.count("detail")
    assert all(len(run) == 120 for run in re.findall(r"(?:定价)+", text))


@pytest.mark.parametrize("service", LIMITS)
def test_a_short_message_is_whole_and_speaks_of_nothing_missing(service: str) -> None:
    text = "\n".join(strings(LIMITS[service][0](a_document(texts=("ok",), lines=2))))
    assert "more lines" not in text
    assert all(
        part in text
        for part in ("Acme is hot", "rank1 ok", "rank5 1", "useful", "call made", "https://read.example/f/")
    )


@given(budget=st.integers(0, 4000), briefs=st.integers(1, 4), lines=st.integers(0, 6))
@settings(max_examples=25, deadline=None)
def test_a_larger_budget_never_shows_less(budget: int, briefs: int, lines: int) -> None:
    document = a_document(briefs=briefs, lines=lines)

    def shown(limit: int) -> set[str]:
        made = cut(
            document, lambda part, missing: [*lines_of(part), missing], lambda made: sum(map(len, made)) <= limit
        )
        return set(made[:-1])

    assert shown(budget) <= shown(budget + 300)


def lines_of(document: MessageDocument) -> list[str]:
    return [
        f"{brief.brief_id} {line.text}"
        for brief in document.briefs
        for section in brief.sections
        for line in section.lines
    ]


def test_slack_shows_outside_text_as_it_is_in_elements_that_have_no_markup() -> None:
    made = slack.payload(a_document(texts=(HOSTILE,), headline=HOSTILE))
    assert "<" not in made["text"]
    kinds = {element["type"] for element in elements_of(made["blocks"])}
    assert kinds <= {
        "header",
        "plain_text",
        "rich_text",
        "rich_text_section",
        "rich_text_list",
        "text",
        "link",
        "actions",
        "button",
        "context",
    }
    links = {element["url"] for element in elements_of(made["blocks"]) if element["type"] == "link"}
    assert links == {"https://www.example.com/pricing"}
    assert made["unfurl_links"] is made["unfurl_media"] is False


def elements_of(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for each in value:
            yield from elements_of(each)
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            yield value
        for each in value.values():
            yield from elements_of(each)


def test_slack_counts_blocks_too() -> None:
    assert len(slack.payload(a_document(briefs=60, lines=0, texts=("x",)))["blocks"]) <= 50


def test_teams_shows_outside_text_in_runs_alone_which_know_no_markup() -> None:
    card = teams.payload(a_document(texts=(HOSTILE,), headline=HOSTILE))["attachments"][0]["content"]
    kinds = {element["type"] for element in elements_of(card["body"])}
    assert kinds == {"RichTextBlock", "TextRun", "ActionSet", "Action.OpenUrl"}
    assert card["version"] == "1.4"
    assert "entities" not in card["msteams"]
    actions = [each for each in elements_of(card["body"]) if each["type"] == "Action.OpenUrl"]
    assert all(action["url"].startswith(("https://www.example.com/", "https://read.example/f/")) for action in actions)


@pytest.mark.parametrize("service", ["wecom", "dingtalk"])
def test_markdown_without_escapes_lets_no_sign_from_outside_act(service: str) -> None:
    made = LIMITS[service][0](a_document(texts=(HOSTILE,), headline=HOSTILE, briefs=2))
    text = made["markdown"]["content" if service == "wecom" else "text"]
    assert not re.search(r"[<>`\\_~]|@\w|&#?\w+;", re.sub(r"\]\([^)]*\)", "]", text))
    assert set(re.findall(r"\]\((.*?)\)", text)) <= {
        "https://www.example.com/pricing", *re.findall(r"https://read\.example/f/[a-z_]+/t+", text),
    }  # fmt: skip
    assert "https://evil" not in text


def test_feishu_escapes_outside_text_where_it_reads_markdown() -> None:
    card = feishu.payload(a_document(texts=(HOSTILE,), headline=HOSTILE))["card"]
    assert card["header"]["title"]["tag"] == "plain_text"
    marked = [each["text"]["content"] for each in card["elements"] if each["tag"] == "div"]
    assert marked
    for text in marked:
        bare = re.sub(r"\]\(https://www\.example\.com/pricing\)", "]", text)
        assert not re.search(r"[<>`]|@\w|&(?!#\d+;)|\]\(|https://evil", bare)


def test_dingtalks_single_brief_is_a_card_with_buttons_and_its_digest_is_markdown() -> None:
    card = dingtalk.payload(a_document(texts=("x",)))
    assert [each["title"] for each in card["actionCard"]["btns"]][:2] == ["useful", "not useful"]
    digest = dingtalk.payload(a_document(texts=("x",), briefs=2))
    assert digest["markdown"]["title"]
    assert digest["at"] == {"isAtAll": False}
    assert "[useful](https://read.example/f/useful/" in digest["markdown"]["text"]


def test_signatures_are_the_services_own() -> None:
    assert dingtalk.signature("SEC123", 1_700_000_000_000) == (
        "timestamp=1700000000000&sign=lkcPI1uoxBY1gUnCnnPH1Kkru0Hqjo7rFpA3haIVhEQ%3D"
    )
    assert feishu.signed({"a": 1}, "demo", 1_599_360_473_000) == {
        "timestamp": "1599360473", "sign": "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=", "a": 1,
    }  # fmt: skip
