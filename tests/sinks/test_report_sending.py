"""Each week's page goes once to each address, on its day."""

import json
from collections.abc import Iterator
from datetime import datetime, time
from email.message import EmailMessage
from pathlib import Path

import pytest

from schemas.playbook import Playbook
from schemas.settings import Settings
from sinks.clickhouse.client import connect
from sinks.delivery.ledger import DeliveryLedger, LedgerState
from sinks.report.process import send_due
from sinks.report.sending import delivery_id
from tests.sinks.clickhouse_store import migrated_database
from tests.sinks.report_store import BERLIN, HOSTILE, fill
from tests.support.clickhouse import ClickHouseAddress
from tests.support.ports import free_port
from tests.support.receivers import Mailbox, receiving_mail
from tests.support.system import readbrief

PLAYBOOK = Playbook(company="Nordhaven")
WEEK = "2026-W47"
TO = ("ann@example.com", "Marketing@example.com")


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp() * 1000)


@pytest.fixture(scope="module")
def filled(clickhouse: ClickHouseAddress) -> Iterator[Settings]:
    with migrated_database(clickhouse) as settings:
        with connect(settings) as client:
            fill(client)
        yield settings.model_copy(
            update={
                "report_to": ", ".join(TO),
                "report_time": time(7),
                "report_time_zone": "Europe/Berlin",
                "report_language": "zh-Hant",
            }
        )


@pytest.fixture(scope="module")
def mail() -> Iterator[Mailbox]:
    with receiving_mail() as box:
        yield box


def test_a_page_waits_for_its_day_and_for_a_mail_server_then_goes_once_to_each(filled: Settings, mail: Mailbox) -> None:
    early, due = at("2026-11-23T06:59"), at("2026-11-23T07:00")
    nowhere = filled.model_copy(update={"smtp_port": free_port()})
    assert send_due(nowhere, PLAYBOOK, lambda: early) == 0
    assert send_due(nowhere, PLAYBOOK, lambda: due) == 2  # refused: it is let go, and goes with the next look
    there = filled.model_copy(update={"smtp_port": mail.port})
    assert send_due(there, PLAYBOOK, lambda: due + 60_000) == 2
    assert send_due(there, PLAYBOOK, lambda: at("2026-11-27T12:00")) == 0
    sent = mail.wait_for(2, 10)
    assert len(sent) == 2
    message: EmailMessage = sent[0].content
    assert message["Subject"].startswith("2026-W47 週報")
    assert message["Message-ID"].startswith("<weekly_")
    html, text = (message.get_body((kind,)) for kind in ("html", "plain"))
    assert html is not None
    assert text is not None
    assert HOSTILE in text.get_content()
    assert "<script" not in html.get_content()
    assert "<details" not in html.get_content()
    (attached,) = list(message.iter_attachments())
    assert attached.get_filename() == f"queries-{WEEK}.sql"
    assert "FROM outcomes FINAL" in attached.get_content()


def test_a_page_whose_sending_was_cut_short_is_not_sent_again(filled: Settings, mail: Mailbox) -> None:
    later = at("2026-12-07T08:00")
    ledger = DeliveryLedger.open(filled)
    for address in TO:
        assert ledger.claim(delivery_id("2026-W49", address), later) is not None
    ledger.close()
    before = len(mail.received)
    assert send_due(filled.model_copy(update={"smtp_port": mail.port}), PLAYBOOK, lambda: later) == 0
    assert len(mail.received) == before


def test_a_refused_address_is_noted_and_the_others_still_get_it(filled: Settings, mail: Mailbox) -> None:
    settings = filled.model_copy(update={"smtp_port": mail.port, "report_to": "no address, bo@example.com"})
    now = at("2026-12-14T08:00")
    before = len(mail.received)
    assert send_due(settings, PLAYBOOK, lambda: now) == 2
    assert len(mail.wait_for(before + 1, 10)) == before + 1
    ledger = DeliveryLedger.open(settings)
    said = {address: delivery_id("2026-W50", address) for address in ("no address", "bo@example.com")}
    states = ledger.standings(list(said.values()))
    ledger.close()
    assert states[said["no address"]].state is LedgerState.failed
    assert states[said["bo@example.com"]].state is LedgerState.sent


def test_the_command_writes_the_page_and_its_numbers(filled: Settings, tmp_path: Path) -> None:
    playbook = tmp_path / "playbook.yaml"
    playbook.write_text("company: Nordhaven\n")
    settings = filled.model_copy(update={"playbook": playbook})
    html = tmp_path / "week.html"
    options = ("--week", WEEK, "--html", str(html), "--json", "--queries", "--language", "en")
    first, *queries = readbrief(settings, "report", "weekly", *options).splitlines()
    numbers = json.loads(first)
    assert "-- movers" in queries
    assert (numbers["week"], numbers["reads"], numbers["movers"][0]["accounts"]) == (WEEK, 14, 2)
    assert "Contents that moved accounts" in html.read_text()
