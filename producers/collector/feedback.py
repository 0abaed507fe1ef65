"""`/f/{kind}/{token}`: what a rep does with a brief comes back as an outcome.

Opening and clicking count with the request. An answer needs a button on a page of ours to be pressed: services that
look into links before people do ask with GET, and must not answer in a rep's name.
"""

import asyncio
from urllib.parse import parse_qs

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from producers.collector.answers import RETRY_AFTER_S, too_many
from producers.collector.bodies import read_body
from producers.collector.clients import is_automated
from producers.collector.email_clicks import redirect
from producers.collector.feedback_pages import HEADERS, MAX_OBJECTION, Note, note, question
from producers.collector.state import Collector
from producers.feedback_links import Feedback, check_form, form_token, read_feedback
from producers.links import Fault, TokenError
from schemas.delivery import Outcome, OutcomeKind
from schemas.errors import ReadbriefError
from schemas.feedback import ANSWERS, FeedbackKind
from schemas.ids import derived_id

_log = structlog.get_logger()

MAX_FORM_BYTES = 16_384
# A person takes longer than this to open what was just sent; scanners and previews do not.
MACHINE_MS = 5_000
_MINUTE_MS = 60_000
_PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)


async def take_feedback(collector: Collector, request: Request) -> Response:
    """Serve one link of a brief."""
    kind = _kind(request.path_params["kind"])
    now_ms = collector.now_ms()
    host = request.client.host if request.client else ""
    if wait_s := collector.client_rates.wait_s(host, now_ms / 1000):
        return too_many(wait_s, {"connection": "close"})
    token = request.path_params["token"]
    try:
        feedback = read_feedback(collector.settings, kind, token, now_ms=now_ms)
    except TokenError as error:
        if kind is FeedbackKind.opened:
            return _pixel()  # a mail shows no broken picture
        return _page(400, note("en", Note.expired if error.fault is Fault.expired else Note.invalid))
    if kind not in ANSWERS:
        return _seen(collector, request, feedback, now_ms)
    if request.method != "POST":
        return _page(200, question(feedback.about.language, kind, form_token(collector.settings, token, now_ms=now_ms)))
    return await _answered(collector, request, feedback, now_ms)


def outcome_of(
    feedback: Feedback, kind: OutcomeKind, at_ms: int, *, text: str = "", suspected: bool = False
) -> Outcome:
    """Return the outcome of a link; the same answer to the same brief is the same outcome, however often it comes."""
    about = feedback.about
    url = feedback.url or ""
    causes = [*about.brief_ids, url, text, "suspected" if suspected else ""]
    if kind in {OutcomeKind.unsubscribed, OutcomeKind.subscribed}:
        causes.append(str(at_ms // _MINUTE_MS))  # it may be changed again and again
    return Outcome(
        outcome_id=derived_id("outcome", about.delivery_id, kind, *causes),
        delivery_id=about.delivery_id,
        rep_id=about.rep_id,
        channel=about.channel,
        brief_ids=about.brief_ids,
        account_ids=about.account_ids,
        kind=kind,
        at_ms=at_ms,
        text=text,
        url=url,
        suspected=suspected,
    )


def _kind(name: str) -> FeedbackKind:
    try:
        return FeedbackKind(name)
    except ValueError as error:
        raise HTTPException(404) from error


def _seen(collector: Collector, request: Request, feedback: Feedback, now_ms: int) -> Response:
    """Note an opening or a click, without letting the rep wait for Kafka, and lead on."""
    if request.method == "POST":
        raise HTTPException(405)
    if request.method == "GET":
        is_early = now_ms - feedback.signed_ms < MACHINE_MS
        suspected = is_automated(request.headers.get("user-agent")) or is_early
        outcome = outcome_of(feedback, feedback.kind.outcome, now_ms, suspected=suspected)
        if collector.first_seen(outcome.outcome_id):
            _in_background(collector, outcome)
    if feedback.kind is FeedbackKind.opened:
        return _pixel()
    if feedback.url is None:
        return _page(400, note(feedback.about.language, Note.invalid))
    return redirect(feedback.url)


async def _answered(collector: Collector, request: Request, feedback: Feedback, now_ms: int) -> Response:
    language, kind, token = feedback.about.language, feedback.kind, request.path_params["token"]
    body = await read_body(request.receive, MAX_FORM_BYTES)
    if len(body) > MAX_FORM_BYTES:
        return _page(413, note(language, Note.invalid))
    fields = _fields(body)
    text = _clean(fields.get("text", "")) if kind is FeedbackKind.objection else ""
    # A mail program ends digests with one request of its own, by RFC 8058.
    is_one_click = kind is FeedbackKind.unsubscribe and fields.get("List-Unsubscribe") == "One-Click"
    fresh = form_token(collector.settings, token, now_ms=now_ms)
    try:
        if not is_one_click:
            check_form(collector.settings, fields.get("form", ""), token, now_ms=now_ms)
    except TokenError:
        return _page(400, question(language, kind, fresh, Note.stale, text))
    if kind is FeedbackKind.objection and not text:
        return _page(400, question(language, kind, fresh, Note.empty))
    again = kind is FeedbackKind.unsubscribe and fields.get("again") == "1"
    outcome = outcome_of(feedback, OutcomeKind.subscribed if again else kind.outcome, now_ms, text=text)
    try:
        await _keep(collector, outcome)
    except ReadbriefError as problem:
        _log.warning("feedback_not_kept", outcome_id=outcome.outcome_id, problem=str(problem))
        return _page(503, question(language, kind, fresh, Note.later, text), {"retry-after": str(RETRY_AFTER_S)})
    if kind is FeedbackKind.unsubscribe:
        return _page(200, note(language, Note.begun) if again else note(language, Note.ended, again=fresh))
    return _page(200, note(language, Note.thanks))


def _fields(body: bytes) -> dict[str, str]:
    try:
        return {
            name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace"), max_num_fields=10).items()
        }
    except ValueError:
        return {}


def _clean(text: str) -> str:
    """Return what a rep wrote, without control characters but its line breaks, at most so long as is kept."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = ("".join(sign for sign in line if sign.isprintable()).rstrip() for line in lines)
    return "\n".join(kept).strip()[:MAX_OBJECTION]


async def _keep(collector: Collector, outcome: Outcome) -> None:
    await collector.keep_outcome(outcome)


def _in_background(collector: Collector, outcome: Outcome) -> None:
    async def keep() -> None:
        try:
            await _keep(collector, outcome)
        except ReadbriefError as problem:
            _log.error("feedback_lost", outcome_id=outcome.outcome_id, problem=str(problem))

    task = asyncio.ensure_future(keep())
    collector.background.add(task)
    task.add_done_callback(collector.background.discard)


def _page(status: int, html: str, headers: dict[str, str] | None = None) -> Response:
    return HTMLResponse(html, status_code=status, headers={**HEADERS, **(headers or {})})


def _pixel() -> Response:
    return Response(_PIXEL, media_type="image/gif")
