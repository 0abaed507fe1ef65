"""The directory changes by command while a stream worker runs, and the worker follows."""

import time
from pathlib import Path

import pytest

from readbrief.importing import delete_from_directory, import_directory
from schemas.directory import Directory
from schemas.interest import Interest
from schemas.topics import INTEREST
from sinks.delivery.render import render
from sinks.directory_feed import DirectoryFeed
from tests.streams.test_worker import (
    deliveries_on,
    identify,
    progress,
    publish_directory,
    publish_events,
    worker,
)
from tests.support.fresh_brokers import broker_settings, messages_until

NINA = "rep_id,name,channels,working_hours\nnina,Nina,email:nina@example.com,Mon-Sun 00:00-00:00\n"


FOLLOWED_S = 1.5  # within a fraction of that, a worker's feed follows the topic


def quiet(_text: str) -> None:
    """Say nothing."""


def directory_on(bootstrap: str) -> Directory:
    with DirectoryFeed(bootstrap) as feed:
        feed.wait_current(20)
        return feed.directory


def put(bootstrap: str, directory: Path, **files: str) -> None:
    paths = []
    for name, text in files.items():
        paths.append(directory / f"{name}.csv")
        paths[-1].write_text(text)
    import_directory(broker_settings(bootstrap), paths, quiet)
    time.sleep(FOLLOWED_S)


def await_interest(bootstrap: str, account_id: str, active_ms: int) -> None:
    """Wait until an account's newest summary counts so much reading."""

    def newest(values: list[bytes]) -> Interest | None:
        found = [one for one in map(Interest.from_bytes, values) if one.account_id == account_id]
        return found[-1] if found else None

    def there(values: list[bytes]) -> bool:
        interest = newest(values)
        return interest is not None and sum(reader.active_ms for reader in interest.readers) == active_ms

    values = messages_until(bootstrap, INTEREST.name, there, 20)
    assert there(values), newest(values)


@pytest.mark.timeout(240)
def test_the_next_brief_follows_the_directory(fresh_broker: str, tmp_path: Path) -> None:
    publish_directory(fresh_broker)
    settings = broker_settings(fresh_broker)
    with worker(fresh_broker, tmp_path):
        publish_events(fresh_broker, "visitor-a", identify("a", "acme-1"), progress("pv-a1", 20))
        (first,) = deliveries_on(fresh_broker, "acme", 1)
        assert first.rep_id == "rita"

        # A changed owner gets the next brief.
        put(
            fresh_broker, tmp_path, accounts="account_id,name,rep_id,lifecycle\nacme,Acme,nina,opportunity\n", reps=NINA
        )
        publish_events(fresh_broker, "visitor-a", progress("pv-a2", 20))
        assert {one.rep_id for one in deliveries_on(fresh_broker, "acme", 2)} == {"rita", "nina"}

        # A contact that was deleted is not named, though what they read counts. (3 s alone are worth no brief.)
        publish_events(fresh_broker, "visitor-b", identify("b", "bolt-1"), progress("pv-b1", 3))
        await_interest(fresh_broker, "bolt", 3000)
        assert delete_from_directory(settings, ["contact:bolt-1"], quiet) == ["contact:bolt-1"]
        put(fresh_broker, tmp_path, contacts="contact_id,account_id,name\nbolt-2,bolt,Second of bolt\n")
        publish_events(fresh_broker, "visitor-b2", identify("b2", "bolt-2"), progress("pv-b2", 20))
        (delivery,) = deliveries_on(fresh_broker, "bolt", 1)
        readers = {read.page_view_id: read.contact_id for read in delivery.briefs[0].reads}
        assert readers == {"pv-b1": "", "pv-b2": "bolt-2"}
        said = repr(render(delivery, directory_on(fresh_broker)))
        assert "Second of bolt" in said
        assert "Reader of bolt" not in said

        # An account that was deleted and made again begins anew: 3 s before and 3 s after are no 6 s.
        publish_events(fresh_broker, "visitor-c", identify("c", "coil-1"), progress("pv-c1", 3))
        await_interest(fresh_broker, "coil", 3000)
        assert delete_from_directory(settings, ["account:coil"], quiet) == ["contact:coil-1", "account:coil"]
        await_interest(fresh_broker, "coil", 0)
        again = {
            "accounts": "account_id,name,rep_id,lifecycle\ncoil,Coil,rita,opportunity\n",
            "contacts": "contact_id,account_id,name\ncoil-1,coil,Reader of coil\n",
        }
        put(fresh_broker, tmp_path, **again)
        publish_events(fresh_broker, "visitor-c", progress("pv-c2", 3))
        await_interest(fresh_broker, "coil", 3000)
        assert deliveries_on(fresh_broker, "coil", 1, timeout_s=4) == []
