"""From a week's numbers, or the playbook, to a page: HTML for browser and mail, and plain text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from schemas.playbook import Playbook, Text
from sinks.delivery.outside_text import one_line
from sinks.report.queries import Query, as_run
from sinks.report.weekly import Weekly
from sinks.report.words import Words, words_for
from sinks.templating import environment

_SHADES = (
    "#f1f5f9", "#e6f4f1", "#d5eeea", "#bfe6df", "#a4dbd2", "#84cec3", "#5fbfb2", "#0f8a7e", "#0d7a70", "#0b6a62",
    "#0a5a53",
)  # fmt: skip
_PILLS = {
    "hot": "background-color:#fee2e2;color:#991b1b",
    "warm": "background-color:#fef3c7;color:#78350f",
    "cold": "background-color:#dbeafe;color:#1e40af",
}
_CJK = {
    "zh-Hant": "'PingFang TC','Microsoft JhengHei','Noto Sans CJK TC'",
    "zh-Hans": "'PingFang SC','Microsoft YaHei','Noto Sans CJK SC'",
}


@dataclass(frozen=True)
class Page:
    """One page in every form."""

    title: str
    html: str
    text: str


_HTML, _TEXT = environment("sinks.report"), environment("sinks.report", escape=False)
_HTML.globals["line"] = _TEXT.globals["line"] = one_line


def weekly_page(page: Weekly, language: str, playbook: Playbook, *, with_queries: bool) -> Page:
    """Return a week's page; with the queries folded in under each part, or, for a mail, without."""
    words = words_for(language)
    monday = date.fromisoformat(page.monday)
    names = {rep.rep_id: rep.name for rep in page.reps}
    given: dict[str, Any] = {
        "page": page,
        "title": words.say("title", week=page.week),
        "days": words.days(monday, monday + timedelta(days=6)),
        "queries": queries_of(page) if with_queries else dict.fromkeys((query.value for query in Query), ""),
        "topic": lambda slug: playbook.say(playbook.topics[slug].name, language) if slug in playbook.topics else slug,
        "rep": lambda rep_id: names.get(rep_id, rep_id),
        "pills": _PILLS,
        "shades": _SHADES,
    }
    return _filled("weekly", words, given)


def colleague_page(playbook: Playbook, language: str) -> Page:
    """Return what every colleague should be able to say, from the playbook; what it does not have is left out."""
    words = words_for(language)

    def said(text: Text) -> str:
        return playbook.say(text, language)

    more = playbook.company_page
    products = [
        {"name": said(one.name), "does": said(one.does), "suits": words.listed(tuple(map(said, one.suits)))}
        for one in playbook.products.values()
    ]
    customers = [
        (said(more.industries.get(slug, slug)), [said(text) for text in texts])
        for slug, texts in playbook.references.items()
    ]
    experts = [(one.name, one.reach, words.listed(tuple(map(said, one.knows)))) for one in playbook.experts.values()]
    given: dict[str, Any] = {
        "title": words.say("new.title", company=playbook.company),
        "pitch": [said(text) for text in playbook.in_30_seconds],
        "products": products,
        "customers": customers,
        "experts": experts,
        "lists": [
            (words.say(f"new.{name}"), [said(text) for text in texts])
            for name, texts in (("public", more.public), ("internal", more.internal), ("reach", more.reach))
            if texts
        ],
    }
    return _filled("colleague", words, given)


def queries_of(page: Weekly) -> Mapping[str, str]:
    """Return every query behind a page, as it was run."""
    return {query.value: as_run(query, page.since_ms, page.until_ms) for query in Query}


def _filled(template: str, words: Words, given: Mapping[str, Any]) -> Page:
    common = {"words": words, "cjk": _CJK.get(words.language, _CJK["zh-Hans"])}
    html = _HTML.get_template(f"{template}.html.j2").render(**common, **given)
    text = _TEXT.get_template(f"{template}.txt.j2").render(**common, **given)
    return Page(str(given["title"]), html, text)
