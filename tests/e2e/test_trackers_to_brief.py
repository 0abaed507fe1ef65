"""Other trackers' own clients, unmodified, on a site whose word is taken: what they tell becomes a brief.

Segment's     |- identify by address, page -|
Snowplow's                                   |- page view, pings -| .. brief
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from segment.analytics.client import Client
from snowplow_tracker import Emitter, SelfDescribingJson, Subject, Tracker
from snowplow_tracker import PagePing as Ping
from snowplow_tracker import PageView as View

from schemas.settings import Settings, Site
from tests.support.clickhouse import ClickHouseAddress
from tests.support.fresh_brokers import broker_settings, fresh_embedded_broker
from tests.support.ports import free_port
from tests.support.receivers import HOST, Mailbox, receiving_mail
from tests.support.system import readbrief, running_system

COMPANY = Path(__file__).parents[2] / "docs" / "example"
SITE = "crm"
ORIGINS = ("https://www.vendor.example",)
PRICES = "https://www.vendor.example/prices"
WEB_PAGE = "iglu:com.snowplowanalytics.snowplow/web_page/jsonschema/1-0-0"
HEARTBEAT_S = 5
PINGS = 4  # together they are as much reading as the playbook's rules ask of a page on prices


@dataclass
class System:
    settings: Settings
    mail: Mailbox


@pytest.fixture(scope="module")
def system(clickhouse: ClickHouseAddress, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    directory = tmp_path_factory.mktemp("trackers")
    port = free_port()
    with fresh_embedded_broker(directory) as bootstrap, receiving_mail() as mail:
        given = broker_settings(bootstrap).model_dump() | {
            "clickhouse_port": clickhouse.port,
            "clickhouse_database": f"trackers_{port}",
            "collector_port": port,
            "collector_url": f"http://{HOST}:{port}",
            "sites": {
                SITE: Site(origins=("https://www.vendor.example",), trust_identify=True, heartbeat_s=HEARTBEAT_S)
            },
            "playbook": COMPANY / "playbook.yaml",
            "smtp_port": mail.port,
            "chat_targets": {"sales": "json://127.0.0.1:1/"},  # nobody is there: the mail is what is looked at
        }
        settings = Settings.model_validate(given)
        with running_system(settings, directory):
            content = directory / "content.csv"
            content.write_text(
                f"url,title,topics,stage,owner,reading_time_s\n{PRICES},Prices and plans,downtime,price,Marketing,60\n"
            )
            files = [str(COMPANY / f"{kind}.csv") for kind in ("accounts", "contacts", "reps")]
            readbrief(settings, "directory", "import", *files, str(content))
            yield System(settings, mail)


def snowplow_reads(settings: Settings, visitor: str, view_id: str, user: str = "") -> None:
    """Let Snowplow's tracker for Python tell of a reading on the page of prices."""
    failures: list[object] = []
    emitter = Emitter(
        HOST,
        protocol="http",
        port=settings.collector_port,
        method="post",
        batch_size=1,
        on_failure=lambda _, unsent: failures.append(unsent),
    )
    subject = Subject().set_domain_user_id(visitor).set_viewport(1280, 800)
    if user:
        subject.set_user_id(user)
    tracker = Tracker(namespace="py", emitters=emitter, subject=subject, app_id=SITE)
    page = [SelfDescribingJson(WEB_PAGE, {"id": view_id})]
    tracker.track(View(page_url=PRICES, page_title="Prices", context=page))
    for step in range(PINGS):
        tracker.track(Ping(page_url=PRICES, page_title="Prices", max_y=step * 100, context=page))
    tracker.flush()
    assert not failures


def segment_identifies(settings: Settings, visitor: str, user: str, email: str) -> None:
    """Let Segment's library for Python tell who a visitor is, and of a page."""
    failures: list[object] = []
    client = Client(SITE, host=settings.collector_url, max_retries=0, on_error=lambda error, _: failures.append(error))
    client.identify(user, {"email": email}, anonymous_id=visitor)
    client.page(user, None, "Home", {"url": "https://www.vendor.example/", "title": "Home"}, anonymous_id=visitor)
    client.flush()
    client.join()
    assert not failures


def told(mail: Mailbox, count: int) -> str:
    newest = mail.wait_for(count, 30)[-1].content
    body = newest.get_body(("plain",))
    assert body is not None
    return f"{newest['To']} {body.get_content()}"


@pytest.mark.timeout(180)
def test_who_segment_names_and_what_snowplow_saw_them_read_reaches_the_rep(system: System) -> None:
    segment_identifies(system.settings, "anon-1", "crm-4711", "Dana@acme.example")
    snowplow_reads(system.settings, "anon-1", "8a1c0a64-5d7e-4f4e-9a55-1f1f0f6b2a01")
    brief = told(system.mail, 1)
    for phrase in ("rita@vendor.example", "Dana Weiß", "Prices and plans"):
        assert phrase in brief, phrase
    assert re.search(r"\b(10|15|20) sec\b", brief), brief  # of pings alone; the rep hears after two of them, or later


@pytest.mark.timeout(180)
def test_a_reader_whom_snowplow_itself_names_reaches_the_rep_too(system: System) -> None:
    before = len(system.mail.wait_for(0, 0))
    snowplow_reads(system.settings, "anon-2", "8a1c0a64-5d7e-4f4e-9a55-1f1f0f6b2a02", user="fay")
    brief = told(system.mail, before + 1)
    for phrase in ("omar@vendor.example", "Fay Lind", "Prices and plans"):
        assert phrase in brief, phrase
