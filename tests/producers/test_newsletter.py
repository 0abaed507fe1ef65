"""A newsletter in the markup of each builder, link by link; and that nothing else of it changes."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from producers.email_tokens import read_recipient, read_target
from producers.mailings import MERGE_TAGS, Campaign, MergeTags, contacts_in, prepare_mail, token_for, tokens_csv
from producers.newsletter import MAX_BYTES, Left, Tracking, links_of, prepare
from schemas.addresses import ADDRESS_PURPOSE, address_id
from schemas.errors import InputError
from schemas.settings import Settings
from tests.producers.collector_process import SECRET, SITES

FOLDER = Path(__file__).parent / "newsletters"
BUILDERS = ("mailchimp", "mjml", "stripo", "hubspot", "word")
BASE = "https://mail.example.com"
NOW_MS = 1_790_000_000_000
SETTINGS = Settings(secret=SECRET, sites=SITES, collector_url=BASE, email_link_hosts=("partner.example",))
CAMPAIGN = Campaign(SETTINGS, "www", "spring", NOW_MS)
WWW = "https://www.example.com"

# Each link in its order: where it leads once prepared, or why it is left as it is.
EXPECTED: dict[str, list[tuple[str, Left | str]]] = {
    "mailchimp": [
        ("*|ARCHIVE|*", Left.merge_tag),
        (f"{WWW}/?utm_source=mc&utm_campaign=spring&mc_eid=[UNIQID]", ""),
        (f"{WWW}/pricing#plans", "See pricing"),
        ("https://www.facebook.com/example", Left.foreign),
        ("mailto:hello@example.com", Left.other),
        ("tel:+4930123456", Left.other),
        ("*|UPDATE_PROFILE|*", Left.merge_tag),
        ("*|UNSUB|*", Left.merge_tag),
    ],
    "mjml": [
        ("#top", Left.anchor),
        ("https://shop.example.com/", Left.foreign),
        (f"{WWW}/demo?a=1&b=2", ""),
        (f"{WWW}/demo?a=1&b=2", "Book a demo"),
        (f"{WWW}/guide", "guide"),
        (f"{WWW}/blog", "blog"),
        ("https://WWW.EXAMPLE.COM/team", "team"),
        (f"{WWW}/unsubscribe?id=5", Left.unsubscribe),
    ],
    "stripo": [
        ('https://partner.example/offer?x="y"', Left.odd),
        (f"{WWW}/preise?stufe=groß", "Preise ansehen"),
        (f"{WWW}/preise?stufe=groß", ""),
        (f"{WWW}/preise?stufe=groß", ""),
        (f"{WWW}/karte", "Karte"),
        (f"{WWW}/newsletter/ende", Left.unsubscribe),
        ("", Left.anchor),
        ("https://partner.example/offer", "Partner"),
    ],
    "hubspot": [
        (f"{WWW}/case-study?hsCtaTracking=1&_hsenc=p2&_hsmi=7", "Case study"),
        ("{{view_as_page_url}}", Left.merge_tag),
        (f"{WWW}/p/{{{{ contact.id }}}}", Left.merge_tag),
        ("{{unsubscribe_link}}", Left.merge_tag),
        ("{{unsubscribe_link_all}}", Left.merge_tag),
        (f"{WWW}/legal", Left.skipped),
        (f"{WWW}/imprint", Left.skipped),
        ("javascript:alert(1)", Left.other),
        ("//www.example.com/relative-scheme", Left.other),
        ("/relative", Left.other),
    ],
    "word": [
        (f"{WWW}/pricing", "Preise f\udcfcr Sie"),
        ("mailto:vertrieb@example.com", Left.other),
        (f"{WWW}/guide", "Leitfaden"),
        ("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.example.com%2Fa&data=05", Left.foreign),
        (f"{WWW}/broken>kaputt</a> <a href=", Left.odd),
        (f"{WWW}/open", ""),
    ],
}


class Hrefs(HTMLParser):
    """Another reader of HTML: the links outside of comments, and of other elements the addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, value or "") for name, value in attrs if name in {"href", "src"}]


def content(builder: str) -> bytes:
    return (FOLDER / f"{builder}.html").read_bytes()


@pytest.mark.parametrize("builder", BUILDERS)
def test_each_link_leads_where_it_led_or_is_left_for_a_reason(builder: str) -> None:
    prepared = prepare_mail(content(builder), CAMPAIGN, "TOKEN")
    rewritten, left = iter(prepared.rewritten), iter(prepared.left)
    for url, outcome in EXPECTED[builder]:
        if isinstance(outcome, Left):
            assert next(left) == (url, outcome)
            continue
        was, made = next(rewritten)
        target, _, token = made.removeprefix(f"{BASE}/l/").partition("/")
        read = read_target(SETTINGS, target, now_ms=NOW_MS)
        assert (was, read.url, read.campaign_id, token) == (url, url, "spring", "TOKEN")
        if outcome and outcome.isprintable():
            assert read.link == outcome
    assert [*rewritten, *left] == []


@pytest.mark.parametrize("builder", BUILDERS)
def test_all_but_the_values_stays_byte_for_byte(builder: str) -> None:
    before = content(builder)
    signs = Tracking(link=lambda *_: "@@", allowed=lambda url: url.startswith(WWW), own=BASE)
    after = prepare(before, signs).data
    kept = [re.escape(part) for part in after.split(b"@@")]
    assert re.fullmatch(b"[^<>]*?".join(kept), before, re.DOTALL)
    assert after.count(b"@@") == len(prepare(before, signs).rewritten) > 0


@pytest.mark.parametrize("builder", ["mailchimp", "mjml", "stripo", "hubspot"])
def test_another_reader_finds_the_same_links_in_the_same_places(builder: str) -> None:
    before = Hrefs(content(builder).decode()).found
    after = Hrefs(prepare_mail(content(builder), CAMPAIGN, "TOKEN").data.decode()).found
    assert [tag for tag, _ in after[:-2]] == [tag for tag, _ in before]
    assert [tag for tag, _ in after[-2:]] == ["a", "img"]  # the hidden link, and the picture
    for (tag, was), (_, now) in zip(before, after, strict=False):
        if now != was:
            assert tag in {"a", "area"}
            target = now.removeprefix(f"{BASE}/l/").partition("/")[0]
            assert read_target(SETTINGS, target, now_ms=NOW_MS).url == was.replace("HTTPS", "https")


def test_the_hidden_link_is_a_trap_and_the_picture_asks_for_the_same_token() -> None:
    prepared = prepare_mail(b"<p>Hello</p>", CAMPAIGN, "TOKEN").data.decode()
    (_, trap), (_, picture) = Hrefs(prepared).found
    target = read_target(SETTINGS, trap.removeprefix(f"{BASE}/l/").partition("/")[0], now_ms=NOW_MS)
    assert target.trap
    assert picture == f"{BASE}/o/TOKEN"
    without = prepare_mail(b"<p>Hello</p>", Campaign(SETTINGS, "www", "spring", NOW_MS, trap=False), "TOKEN")
    assert len(Hrefs(without.data.decode()).found) == 1


@pytest.mark.parametrize("sender", list(MergeTags))
def test_a_senders_merge_tag_stands_where_the_token_goes_and_preparing_again_changes_nothing(sender: MergeTags) -> None:
    tag = MERGE_TAGS[sender]
    once = prepare_mail(b'<body><a href="https://www.example.com/a">a</a></body>', CAMPAIGN, tag).data
    assert once.count(tag.encode()) == 3
    again = prepare_mail(once, CAMPAIGN, tag)
    assert again.data == once
    assert again.rewritten == ()
    token = token_for("dana", CAMPAIGN)
    filled = once.replace(tag.encode(), token.encode())
    assert filled == prepare_mail(b'<body><a href="https://www.example.com/a">a</a></body>', CAMPAIGN, token).data


@pytest.mark.parametrize(
    "markup",
    [
        b"<a href",
        b"<a href=",
        b'<a href="https://www.example.com/a',
        b"<a",
        b"<a " * 20_000,
        b"<script>" * 20_000,
        b"<!--" * 20_000,
        b'<a href="' * 20_000,
        b"<a href='https://www.example.com/\xff\xfe'>x</a>",
        b"<a/href=https://www.example.com/a/>x</a>",
        b"",
    ],
)
def test_broken_markup_is_survived(markup: bytes) -> None:
    assert prepare_mail(markup, CAMPAIGN, "TOKEN").data.startswith(markup[:2])


def test_what_is_no_html_is_refused() -> None:
    for data in (b"x" * (MAX_BYTES + 1), "<p>".encode("utf-16"), b"\0"):
        with pytest.raises(InputError):
            prepare_mail(data, CAMPAIGN, "TOKEN")


def test_the_first_of_two_addresses_counts_and_entities_are_read() -> None:
    (link,) = links_of('<a href="https://www.example.com/?a=1&#38;b=2&amp;c" HREF="https://evil.example">x</a>')
    assert link.url == "https://www.example.com/?a=1&b=2&c"


def test_a_contacts_file_gets_tokens_by_id_or_by_address() -> None:
    text = '\ufeffcontact_id,Email,Name\r\ndana,dana@acme.example,Dana\r\n,Eve@acme.example,"Eve, too"\r\n'
    made = tokens_csv(contacts_in(text, SETTINGS), CAMPAIGN).splitlines()
    assert made[0] == "contact_id,Email,Name,rb_token"
    tokens = [line.rpartition(",")[2] for line in made[1:]]
    contacts = [read_recipient(SETTINGS, token, now_ms=NOW_MS).recipient.contact_id for token in tokens]
    assert contacts == ["dana", address_id(SETTINGS.signing_key(ADDRESS_PURPOSE), "eve@acme.example")]
    assert '"Eve, too"' in made[2]


@pytest.mark.parametrize("text", ["name\nDana\n", "email\n\n \n", "", "contact_id\n<b>\n", "email\nnobody at all\n"])
def test_a_contacts_file_that_names_nobody_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        tokens_csv(contacts_in(text, SETTINGS), CAMPAIGN)


def test_an_unknown_site_is_refused() -> None:
    with pytest.raises(InputError, match="no configured site"):
        prepare_mail(b"<a>", Campaign(SETTINGS, "blog", "spring", NOW_MS), "TOKEN")
