"""One request as the pages see it: who asks, about which account, in which language; and how a page is answered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Any
from urllib.parse import quote, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from schemas.directory import Account, Rep
from sinks.delivery.outside_text import one_line, web_address
from sinks.templating import environment
from sinks.web.access import For, Sight
from sinks.web.questions import Given, Question
from sinks.web.sessions import Pass, form_token
from sinks.web.static_files import static_address
from sinks.web.store import Row
from sinks.web.web import Web
from sinks.web.words import Words, languages

MAX_DAYS, DEFAULT_DAYS = 366, 30
MAX_TEXT = 200
TABS = (
    ("accounts", "/accounts", For.signed_in),
    ("content", "/content", For.signed_in),
    ("me", "/me", For.signed_in),
    ("week", "/week", For.signed_in),
    ("health", "/health", For.leads),
)
"""Phrase, address, and whom it is for."""
NOBODY = "-"  # no id is called so: an empty list can't be bound

_TEMPLATES = environment("sinks.web")
_TEMPLATES.globals |= {"line": one_line, "web_address": web_address, "static": static_address, "languages": languages()}


@dataclass(frozen=True)
class Asked:
    """A request, once it is known who asks. `account` and `rep` are those that its address names, and may be seen."""

    web: Web
    request: Request
    sight: Sight
    session: Pass | None
    words: Words
    now_ms: int
    form: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    rep: Rep | None = None

    @property
    def now(self) -> datetime:
        """The moment of the request."""
        return datetime.fromtimestamp(self.now_ms / 1000, UTC)

    @staticmethod
    def at(at_ms: int) -> datetime:
        """Return a moment that is given in Unix milliseconds."""
        return datetime.fromtimestamp(at_ms / 1000, UTC)

    @property
    def tabs(self) -> list[tuple[str, str]]:
        """The pages in the head of each page: key of the phrase, and address."""
        return [(key, path) for key, path, whom in TABS if self.sight.is_among(whom)]

    def text(self, name: str) -> str:
        """Return a GET parameter, cut to a sane length; empty if it is not given."""
        return self.request.query_params.get(name, "")[:MAX_TEXT]

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """Return a GET parameter that is one of some; the first of them otherwise."""
        return said if (said := self.text(name)) in choices else choices[0]

    @cached_property
    def days(self) -> int:
        """How many days back is asked for."""
        said = self.text("days")
        return min(max(int(said), 1), MAX_DAYS) if said.isascii() and said.isdigit() else DEFAULT_DAYS

    @cached_property
    def seen(self) -> Given:
        """What binds a question to what the viewer may see, and to the days asked for."""
        return {
            "everything": int(self.sight.marketing),
            "accounts": sorted(self.sight.accounts) or [NOBODY],
            "team": sorted(self.sight.team) or [NOBODY],
            "account_id": self.account.account_id if self.account else NOBODY,
            "first": self.now.date() - timedelta(days=self.days - 1),
            "last": self.now.date(),
        }

    def ask(self, question: Question) -> list[Row]:
        """Return a question's rows.

        Raises:
            UnavailableError: ClickHouse does not answer.
        """
        return self.web.store.ask(question.sql, question.given(self))

    def name_of(self, contact_id: str) -> str:
        """Return a contact's name; who is not known by name is said so."""
        contact = self.web.directory.contacts.get(contact_id)
        return contact.name if contact else contact_id or self.words.say("somebody")

    def rep_name(self, rep_id: str) -> str:
        """Return a rep's name, or the id if the directory has none."""
        rep = self.web.directory.reps.get(rep_id)
        return rep.name if rep else rep_id

    def topic_name(self, slug: str) -> str:
        """Return what the playbook calls a topic."""
        playbook = self.web.playbook()
        return playbook.say(playbook.topics[slug].name, self.words.language) if slug in playbook.topics else slug

    def here(self, **changed: object) -> str:
        """Return this page's address with some of its GET parameters changed; None takes one away."""
        kept = {name: value for name, value in self.request.query_params.items() if name != "lang"}
        said = {name: value for name, value in {**kept, **changed}.items() if value not in (None, "")}
        return f"{self.request.url.path}?{urlencode(said)}" if said else self.request.url.path

    def query_link(self, name: str) -> str:
        """Return where the query behind a number is shown, with this page's parameters."""
        said = {name: value for name, value in self.request.query_params.items() if name not in ("lang", "account")}
        if self.account:
            said["account"] = self.account.account_id
        return f"/queries/{name}?{urlencode(said)}" if said else f"/queries/{name}"

    def page(self, template: str, status: int = 200, **given: Any) -> Response:
        """Answer a page, or, if the browser has just this one, that it has not changed."""
        html = _TEMPLATES.get_template(template).render(
            asked=self,
            words=self.words,
            say=self.words.say,
            csrf=form_token(self.web.settings, self.session) if self.session else "",
            account_link=account_link,
            **given,
        )
        tag = f'"{blake2b(html.encode(), digest_size=12).hexdigest()}"'
        headers = {"etag": tag}
        if status == 200 and self.request.headers.get("if-none-match") == tag:  # noqa: PLR2004 - OK
            return Response(status_code=304, headers=headers)
        return HTMLResponse(html, status_code=status, headers=headers)

    def go(self, path: str) -> Response:
        """Answer that the browser should look at another of our pages."""
        return RedirectResponse(path, status_code=303)


Endpoint = Callable[[Asked], Response]


def account_link(account_id: str) -> str:
    """Return where an account's page is."""
    return f"/accounts/{quote(account_id, safe='')}"


def not_found() -> HTTPException:
    """Return the answer to what is not there, or is not for this viewer: nobody can tell which."""
    return HTTPException(404)
