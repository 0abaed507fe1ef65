"""The weekly page: asked for, and sent by mail, each week once to each address."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import NamedTuple

import structlog
from clickhouse_driver import Client
from pydantic import TypeAdapter, ValidationError

from schemas.directory import Email
from schemas.ids import derived_id
from schemas.playbook import Playbook
from schemas.settings import Settings
from sinks.delivery.ledger import DeliveryLedger, Entry, LedgerState
from sinks.delivery.mail import envelope_sender, send_mail
from sinks.delivery.send_errors import PermanentSendError, TransientSendError, UnknownSendError
from sinks.report.page import Page, queries_of, weekly_page
from sinks.report.queries import Query, ask
from sinks.report.week import Week
from sinks.report.weekly import Weekly, weekly

_log = structlog.get_logger()

_ADDRESS: TypeAdapter[str] = TypeAdapter(Email)
_TARGET = "weekly page"


class Letter(NamedTuple):
    """A week's page as a mail, and the queries that go with it."""

    week: str
    page: Page
    queries: str


def weekly_of(client: Client, week: Week, playbook: Playbook) -> Weekly:
    """Ask ClickHouse what a week's page says."""
    found = {query: ask(client, query, week.since_ms, week.until_ms) for query in Query}
    return weekly(week, found, list(playbook.topics))


def letter_of(page: Weekly, language: str, playbook: Playbook) -> Letter:
    """Return a week's page as it is mailed: many mail programs show nothing folded, so the queries are a file."""
    queries = "\n\n".join(f"-- {name}\n{sql};" for name, sql in queries_of(page).items())
    return Letter(page.week, weekly_page(page, language, playbook, with_queries=False), queries)


def addresses(settings: Settings) -> list[str]:
    """Return whom the weekly page goes to."""
    return [address for part in settings.report_to.split(",") if (address := part.strip())]


def unsent(ledger: DeliveryLedger, week: str, to: list[str]) -> list[str]:
    """Return the addresses that a week's page was neither sent to nor may have been.

    Raises:
        UnavailableError: ClickHouse does not answer.
    """
    standing = ledger.standings([delivery_id(week, address) for address in to])
    return [address for address in to if delivery_id(week, address) not in standing]


def send(
    settings: Settings, ledger: DeliveryLedger, letter: Letter, to: list[str], now_ms: Callable[[], int]
) -> Iterator[tuple[str, LedgerState]]:
    """Send a week's page to each address that has not had it; yield what became of each.

    A page that the mail server did not take, and may later, is `released`: the next run sends it.

    Raises:
        UnavailableError: ClickHouse does not answer.
    """
    for address in unsent(ledger, letter.week, to):
        claim = ledger.claim(delivery_id(letter.week, address), now_ms())
        if claim is not None:
            ended = _sent(settings, letter, address, claim, now_ms)
            ledger.record(ended)
            _log.info("weekly_page_ended", week=letter.week, state=str(ended.state), reason=ended.reason)
            yield address, ended.state


def delivery_id(week: str, address: str) -> str:
    """Return the id under which the ledger keeps a week's page to an address."""
    return derived_id("weekly", week, address.lower())


def _sent(settings: Settings, letter: Letter, address: str, claim: Entry, now_ms: Callable[[], int]) -> Entry:
    try:
        mail = _mail(settings, letter, address, now_ms())
        send_mail(settings, mail, envelope_sender(settings.mail_from), address)
    except TransientSendError as error:
        state, reason = LedgerState.released, str(error)
    except PermanentSendError as error:
        state, reason = LedgerState.failed, str(error)
    except UnknownSendError as error:
        state, reason = LedgerState.uncertain, str(error)
    else:
        state, reason = LedgerState.sent, ""
    return claim.ended(state, now_ms(), 1, reason, _TARGET)


def _mail(settings: Settings, letter: Letter, address: str, now_ms: int) -> EmailMessage:
    try:
        username, _, domain = _ADDRESS.validate_python(address).rpartition("@")
    except ValidationError as error:
        raise PermanentSendError("an address in READBRIEF_REPORT_TO is no mail address") from error
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    mail["To"] = Address("", username, domain)
    mail["From"] = settings.mail_from
    mail["Subject"] = letter.page.title
    mail["Date"] = datetime.fromtimestamp(now_ms / 1000, UTC)
    sender_domain = envelope_sender(settings.mail_from).rpartition("@")[2] or "localhost.localdomain"
    mail["Message-ID"] = f"<{delivery_id(letter.week, address)}@{sender_domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # no out-of-office answers
    mail.set_content(letter.page.text)
    mail.add_alternative(letter.page.html, subtype="html")
    mail.add_attachment(letter.queries, subtype="plain", filename=f"queries-{letter.week}.sql")
    return mail
