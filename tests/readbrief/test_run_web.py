"""`readbrief run web`, as operators run it: it answers, signs people in by mail, and ends when it is asked to."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from readbrief.workers import as_environment
from schemas import topics
from schemas.channel import ChannelKind
from schemas.directory import Channel, Rep
from schemas.settings import Settings
from tests.sinks.clickhouse_store import spare_database
from tests.sinks.delivery_servers import MailServer, mail_server
from tests.sinks.topics_on_broker import make_topics, producing
from tests.support.clickhouse import ClickHouseAddress
from tests.support.migrated import make_migrated
from tests.support.ports import free_port
from tests.support.processes import PROJECT, Running, running

REP = Rep(
    rep_id="rep-of-run-web",
    name="Wanda Web",
    channels=(Channel(kind=ChannelKind.email, target="wanda@nordhaven.example"),),
)


@dataclass
class Served:
    """A running process of pages, and the mail server that it sends by."""

    process: Running
    url: str
    mails: MailServer
    settings: Settings


@pytest.fixture(scope="module")
def served(
    embedded_broker: str, clickhouse: ClickHouseAddress, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    make_topics(embedded_broker, {topic.name: 2 if topic.keyed else 1 for topic in topics.TOPICS})
    with producing(embedded_broker) as producer:
        producer.send(topics.DIRECTORY.name, key=REP.entity_id.encode(), value=REP.to_bytes())
    with spare_database(clickhouse) as base, mail_server() as mails:
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        settings = base.model_copy(
            update={
                "kafka_bootstrap": embedded_broker, "web_port": port, "web_url": url, "smtp_port": mails.port,
                "web_marketing": "mara@nordhaven.example", "playbook": PROJECT / "docs/example/playbook.yaml",
            }
        )  # fmt: skip
        make_migrated(settings)
        with running(
            [sys.executable, "-m", "readbrief", "run", "web"],
            tmp_path_factory.mktemp("run-web") / "output.log",
            ready=lambda: httpx.get(f"{url}/healthz").raise_for_status(),
            timeout_seconds=90,
            environment=as_environment(settings),
        ) as process:
            yield Served(process, url, mails, settings)


@contextmanager
def signed_in(served: Served, address: str) -> Iterator[httpx.Client]:
    before = len(served.mails.mails)
    with httpx.Client(base_url=served.url, headers={"Origin": served.url}, timeout=60) as client:
        assert client.post("/sign-in", data={"address": address}).status_code == 200
        served.process.wait_until(lambda: served.mails.mails[before], 60)
        link = re.search(rf"{re.escape(served.url)}\S+", served.mails.mails[before].get_content())
        assert link
        assert client.post(link[0]).status_code == 303
        yield client


def test_a_rep_of_the_directory_is_let_in_by_a_mail(served: Served) -> None:
    with httpx.Client(base_url=served.url) as stranger:
        assert stranger.get("/accounts").headers["location"].startswith("/sign-in")
    with signed_in(served, "wanda@nordhaven.example") as client:
        shown = client.get("/me")
        assert (shown.status_code, "Wanda Web" in shown.text) == (200, True)
        assert client.get("/health").status_code == 404
    assert served.mails.recipients == ["wanda@nordhaven.example"]


def test_the_health_page_asks_the_broker(served: Served) -> None:
    with signed_in(served, "mara@nordhaven.example") as client:
        shown = client.get("/health").text
    assert "readbrief-visitors" in shown
    assert "readbrief-delivery" in shown


def test_it_ends_well_when_it_is_asked_to(served: Served) -> None:
    """The last of the module: nobody is served after it."""
    assert served.process.stop(60) == 0, served.process.tail()
    said = served.process.output.read_text()
    assert '"web_starts"' in said
    assert '"web_stopped"' in said
    assert "Traceback" not in said
    assert "wanda" not in said.lower()
