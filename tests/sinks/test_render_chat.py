"""A chat message is short, whole, and plain where it comes from outside."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from schemas.brief import Advice, Objection
from sinks.delivery.chat_text import MAX_CHAT_BYTES, markdown, markdown_link
from sinks.delivery.outside_text import one_line
from sinks.delivery.render import render
from tests.sinks.delivery_samples import a_brief, a_delivery, a_directory, a_read, an_interest


def tokens(source: str) -> list[Any]:
    """All of a Markdown text's tokens, the inner ones too."""
    parsed = MarkdownIt("commonmark").enable(["strikethrough", "table"]).parse(source)
    return [token for block in parsed for token in (block, *(block.children or ()))]


def shown(source: str) -> str:
    """The text that a Markdown reader sees."""
    return "".join(token.content for token in tokens(source) if token.type == "text")


def long_briefs(count: int, script: str) -> tuple[Any, ...]:
    texts = tuple(script * 40 + str(number) for number in range(8))
    advice = Advice(
        stress=texts, ask=texts, objections=(Objection(says=texts[0], answer=texts[1]),) * 5, concerns=texts,
        references=texts, expert=texts[0], next_step=texts[0],
    )  # fmt: skip
    reads = tuple(a_read(number, title=script * 60, section=script * 30) for number in range(10))
    return tuple(
        a_brief(number, account_id=f"account-{number}", advice=advice, reads=reads, language="zh",
                interest=an_interest(f"account-{number}"))
        for number in range(count)
    )  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 10, 50])
@pytest.mark.parametrize("script", ["word ", "价格方案", "*_[<"])
def test_a_chat_message_is_cut_by_bytes_at_whole_items_and_says_how_many_are_missing(count: int, script: str) -> None:
    rendered = render(a_delivery(briefs=long_briefs(count, script)), a_directory())
    whole = f"**{markdown(rendered.subject)}**\n\n{rendered.chat}"
    assert len(whole.encode()) < MAX_CHAT_BYTES
    assert "……另有" in rendered.chat.splitlines()[-1]
    assert all(line.count("**") % 2 == 0 for line in rendered.chat.replace("\\*", "").splitlines())


def test_what_fits_is_not_cut() -> None:
    chat = render(a_delivery(), a_directory()).chat
    assert "more point" not in chat
    assert "Bring along" in chat


def test_the_next_step_outlives_what_matters_less() -> None:
    chat = render(a_delivery(briefs=long_briefs(1, "word ")), a_directory()).chat
    assert "下一步" in chat
    assert "为何是高热度" not in chat


@pytest.mark.parametrize(
    "hostile",
    [
        "**bold** _it_ `code` ~~gone~~",
        "[click](https://evil.example)",
        "![img](https://evil.example/x.png)",
        "<https://evil.example> <b>html</b>",
        "# heading",
        "a&lt;script&gt; &#60;b&#62; &amp;",
        "trailing backslash \\",
        "\\*escaped\\*",
        "](https://evil.example)[",
    ],
)
def test_outside_text_shows_as_it_is_and_is_never_markup(hostile: str) -> None:
    line = f"**label**: {markdown(hostile)}"
    assert {token.type for token in tokens(line)} == {"paragraph_open", "inline", "text", "strong_open",
                                                       "strong_close", "paragraph_close", "text_special"} - (
        {"text_special"} if not any(token.type == "text_special" for token in tokens(line)) else set()
    )  # fmt: skip
    read = shown(line).replace("\u200b", "")
    assert read == f"label: {one_line(hostile)}"


@settings(max_examples=200)
@given(st.text(alphabet="*_[]()<>`~\\&;#!@a1 .:/|-+", max_size=60))
def test_any_outside_text_reads_the_same_after_markdown(text: str) -> None:
    line = "label: " + markdown(text)
    assert shown(line).replace("\u200b", "") == ("label: " + one_line(text)).rstrip()


@pytest.mark.parametrize("mention", ["@everyone", "@here", "<@U0123>", "<!channel>", "@所有人"])
def test_outside_text_mentions_nobody(mention: str) -> None:
    written = markdown(mention)
    assert mention not in written
    assert "@e" not in written
    assert not written.startswith("<")


def test_a_bare_address_in_outside_text_is_no_link() -> None:
    assert "https://evil" not in markdown("see https://evil.example now")
    assert "www.evil" not in markdown("see www.evil.example now")


def test_a_link_leads_where_it_says() -> None:
    url = "https://www.example.com/a_(b)?x=[1]&y=*2*"
    link = next(token for token in tokens(markdown_link("Title ](x) *", url)) if token.type == "link_open")
    assert link.attrs["href"] == "https://www.example.com/a_%28b%29?x=%5B1%5D&y=*2*"


def test_every_heading_stands_in_a_paragraph_of_its_own() -> None:
    chat = render(a_delivery(), a_directory()).chat
    nested = 0
    for token in tokens(chat):
        nested += {"list_item_open": 1, "list_item_close": -1}.get(token.type, 0)
        assert not (token.type == "strong_open" and nested)
