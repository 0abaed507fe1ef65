"""A collector for other trackers: a site whose word is taken, one whose is not, and what it stored, as reads."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from schemas.activity import ActivityItem
from schemas.envelope import Bundle, Envelope
from schemas.reads import Read
from schemas.settings import Site
from streams.reading import join_all, read_of
from tests.producers.collector_process import RunningCollector
from tests.producers.kafka_topics import TopicReader

TRUSTED, DOUBTED = "crm", "www"
HEARTBEAT_S = 2


@dataclass(frozen=True)
class TrackedSite:
    collector: RunningCollector
    page_port: int
    events: TopicReader

    @property
    def page_origin(self) -> str:
        return f"http://127.0.0.1:{self.page_port}"

    def until(self, enough: Callable[[list[Envelope]], bool], timeout_s: float = 15) -> list[Envelope]:
        """Give all envelopes in order of arrival, once there are enough; fails with what there is."""
        waited = 0.0
        while True:
            stored = [
                one for _, _, value in self.events.read_for(0.3) for one in Bundle.from_bytes(value or b"").envelopes
            ]
            if enough(stored):
                return stored
            waited += 0.3
            assert waited < timeout_s, f"never stored what was waited for, only {[one.event for one in stored][-20:]}"


def sites(page_port: int) -> dict[str, Site]:
    origins = (f"http://127.0.0.1:{page_port}",)
    return {
        TRUSTED: Site(origins=origins, trust_identify=True, heartbeat_s=HEARTBEAT_S),
        DOUBTED: Site(origins=origins, heartbeat_s=HEARTBEAT_S),
    }


def reads(envelopes: Iterable[Envelope]) -> dict[str, Read]:
    """Join events into reads as the streams do."""
    items = [ActivityItem(contact_id="dana", envelope=one) for one in envelopes]
    return join_all({}, [read for item in items if (read := read_of(item))])
