"""What was read: the list of pages, and of each page how far, where it was clicked, by whom, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple
from urllib.parse import urlencode

from clickhouse_driver.util.escape import escape_params
from markupsafe import Markup
from starlette.responses import Response

from schemas.directory import Account, Function
from schemas.interest import TEMPERATURES
from schemas.urls import canonical_url
from sinks.clickhouse import content_queries
from sinks.clickhouse.content_queries import Audience, Curve, Scope
from sinks.web.asked import Asked, not_found
from sinks.web.overlay import overlay_link
from sinks.web.pictures import marks, picture_bytes, picture_for, pictures_of
from sinks.web.plots import scroll_plot
from sinks.web.questions import Given, Question
from sinks.web.routing import PageRoute

DEVICES = ("mobile", "tablet", "desktop")
FUNCTIONS = tuple(each.value for each in Function)
MOST_ACCOUNTS, MOST_CLICKS = 500, 40
MAX_URL = 2000
MAX_DIGITS = 5


class Tenth(NamedTuple):
    """One tenth of a page: shares of all reads that came here and ended here, and the time in it."""

    start: int
    came: float
    stopped: float
    ms: int


@dataclass(frozen=True)
class ContentQuestion(Question):
    """A question whose statement depends on whose reads are meant, not on its values alone."""

    about: content_queries.Question | None = None

    def as_run(self, given: Given) -> str:
        """Return the query with its values filled in, as anybody may run it again."""
        audience = _audience_of(given)
        sql = content_queries.contents_statement(audience)
        if self.about:
            sql = content_queries.statement(self.about, audience)
        filled: dict[str, str] = escape_params(dict(given), None)
        return (sql % filled).strip()


def scope_of(asked: Asked, url: str) -> Scope:
    """Return which page and whose reads are asked for: never more than the viewer may see."""
    reps = None if asked.sight.marketing else tuple(sorted(asked.sight.team))
    device, function = asked.choice("device", ("", *DEVICES)), asked.choice("function", ("", *FUNCTIONS))
    account_id = asked.account.account_id if asked.account else ""
    whose = Audience(reps, account_id, function, device, asked.web.settings.own_accounts)
    return Scope(url, asked.seen["first"], asked.seen["last"], whose)


def content_list(asked: Asked) -> Response:
    """Show the pages that were read, the longest first."""
    scope = scope_of(asked, "")
    with asked.web.store.client() as client:
        lines = content_queries.contents(client, scope.first, scope.last, scope.audience)
    return asked.page(
        "content_list.html.j2", tab="content", lines=lines, accounts=_choices(asked), page_link=partial(_link, asked),
        most=max((each.active_ms for each in lines), default=0),
    )  # fmt: skip


def content_page(asked: Asked) -> Response:
    """Show one page. Nothing tells a page that nobody read from one that there is not."""
    url = _url(asked)
    if not url:
        raise not_found()
    scope = scope_of(asked, url)
    with asked.web.store.client() as client:
        curve = content_queries.curve(client, scope)
        sections = content_queries.sections(client, scope)
        clicks = content_queries.clicks(client, scope)
        readers = content_queries.readers(client, scope)
        moves = content_queries.moves(client, scope)
        picture = picture_for(pictures_of(client, url), scope.audience.viewport)
    tenths = tenths_of(curve)
    stop = _stop(tenths)
    return asked.page(
        "content.html.j2", tab="content", url=url, title=_title(asked, url), curve=curve, sections=sections,
        clicks=clicks[:MOST_CLICKS], readers=readers, moves=moves, tenths=tenths, stop=stop,
        plot=_plot(asked, tenths, stop) if tenths else "", accounts=_choices(asked), devices=DEVICES,
        functions=FUNCTIONS, device=scope.audience.viewport, function=scope.audience.function,
        warmer=_warmer, picture=picture, marks=marks(picture, clicks) if picture else [],
        picture_link="/content/picture?" + urlencode({"url": url, "width": picture.width if picture else 0}),
        overlay=overlay_link(asked.web.settings, scope, asked.words.language, now_ms=asked.now_ms),
    )  # fmt: skip


def content_picture(asked: Asked) -> Response:
    """Give a stored picture of a page."""
    said = asked.text("width")
    width = int(said) if said.isascii() and said.isdigit() and len(said) <= MAX_DIGITS else 0
    with asked.web.store.client() as client:
        found = picture_bytes(client, _url(asked), width)
    if found is None:
        raise not_found()
    return Response(found, media_type="image/jpeg")


def tenths_of(curve: Curve) -> list[Tenth]:
    """Return a page from top to bottom; who came to the end stopped nowhere before it."""
    if not curve.views:
        return []
    came = [count / curve.views for count in curve.reached]
    return [Tenth(n * 10, came[n], came[n] - came[n + 1], curve.band_ms[n]) for n in range(content_queries.TENTHS)]


def _stop(tenths: Sequence[Tenth]) -> Tenth | None:
    worst = max(tenths, key=lambda each: each.stopped, default=None)
    return worst if worst and worst.stopped > 0 else None


def _plot(asked: Asked, tenths: Sequence[Tenth], stop: Tenth | None) -> Markup:
    words = asked.words
    worst = stop.start // 10 if stop else None
    shares = {pct: words.share(pct / 100) for pct in range(0, 101, 10)}
    reached = [*(each.came for each in tenths), tenths[-1].came - tenths[-1].stopped]
    return scroll_plot(reached, [each.ms for each in tenths], worst, shares, words.say("content.scroll"))


def _warmer(before: str, after: str) -> str:
    order = ["", *(each.value for each in TEMPERATURES)]
    if not after or after == before or before not in order or after not in order:
        return "same"
    return "warmer" if order.index(after) > order.index(before) else "cooler"


def _choices(asked: Asked) -> list[Account]:
    own = asked.web.settings.own_accounts
    found = [each for each in asked.sight.accounts.values() if each.account_id not in own]
    return sorted(found, key=lambda each: each.name.casefold())[:MOST_ACCOUNTS]


def _title(asked: Asked, url: str) -> str:
    content = asked.web.directory.contents.get(url)
    return content.title if content else url


def _url(asked: Asked) -> str:
    said = asked.request.query_params.get("url", "")
    try:
        return canonical_url(said) if said and len(said) <= MAX_URL else ""
    except ValueError:
        return ""


def _link(asked: Asked, url: str) -> str:
    """Return where a page's figures are, for the same days and account."""
    kept = {name: asked.request.query_params[name] for name in ("days", "account") if asked.text(name)}
    return "/content/page?" + urlencode({"url": url, **kept})


def _given(asked: Asked) -> Given:
    scope = scope_of(asked, _url(asked))
    return {**scope.given, "everything": int(scope.audience.reps is None)}


def _audience_of(given: Given) -> Audience:
    reps = None if given["everything"] else tuple(given["reps"])
    return Audience(reps, given["account_id"], given["function"], given["viewport"], tuple(given["own"]))


QUESTIONS: tuple[Question, ...] = (
    ContentQuestion("content", "", _given),
    *(ContentQuestion(f"content-{each}", "", _given, about=each) for each in content_queries.Question),
)
ROUTES = (
    PageRoute("/content", content_list),
    PageRoute("/content/page", content_page),
    PageRoute("/content/picture", content_picture),
)
