"""The weekly meeting's page, as it is mailed: marketing sees all of it, others what is their team's."""

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

from starlette.responses import HTMLResponse, Response

from schemas.errors import InputError
from sinks.report.page import weekly_page
from sinks.report.sending import weekly_of
from sinks.report.week import Week, week_before, week_named
from sinks.report.weekly import Weekly
from sinks.web.access import Sight
from sinks.web.asked import Asked, not_found
from sinks.web.routing import PageRoute

# The page is made for mail programs: its styles stand in its tags. It has no script, and is shown inside our own alone.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
_DAY_MS = 86_400_000


def week_page(asked: Asked) -> Response:
    """Show the frame around a week's page."""
    week = _week(asked)
    zone = ZoneInfo(asked.web.settings.report_time_zone)
    later = week_before(week.until_ms + 8 * _DAY_MS, zone)
    return asked.page(
        "week.html.j2",
        tab="week",
        week=week,
        last=week.monday + timedelta(days=6),
        before=week_before(week.since_ms + _DAY_MS, zone).name,
        after=later.name if later.until_ms <= asked.now_ms else "",
    )


def week_inside(asked: Asked) -> Response:
    """Show the page itself."""
    week = _week(asked)
    playbook = asked.web.playbook()
    with asked.web.store.client() as client:
        page = of_sight(weekly_of(client, week, playbook), asked.sight)
    shown = weekly_page(page, asked.words.language, playbook, with_queries=True)
    return HTMLResponse(shown.html, headers={"content-security-policy": _POLICY, "x-frame-options": "SAMEORIGIN"})


def of_sight(page: Weekly, sight: Sight) -> Weekly:
    """Return the page without the accounts and reps that a viewer may not see; counts over all readers stay."""
    if sight.marketing:
        return page
    names = {account.name for account in sight.accounts.values()}
    heard = (
        replace(line, heard=tuple(one for one in line.heard if one.rep_id in sight.team)) for line in page.objections
    )
    return replace(
        page,
        movers=tuple(replace(one, names=tuple(name for name in one.names if name in names)) for one in page.movers),
        objections=tuple(line for line in heard if line.heard),
        reps=tuple(rep for rep in page.reps if rep.rep_id in sight.team),
        ownerless=tuple(one for one in page.ownerless if one.account_id in sight.accounts),
    )


def _week(asked: Asked) -> Week:
    zone = ZoneInfo(asked.web.settings.report_time_zone)
    name = asked.request.path_params.get("week")
    if name is None:
        return week_before(asked.now_ms, zone)
    try:
        return week_named(name, zone)
    except InputError as error:
        raise not_found() from error


ROUTES = (
    PageRoute("/week", week_page),
    PageRoute("/week/{week}", week_page),
    PageRoute("/week/{week}/page", week_inside),
)
