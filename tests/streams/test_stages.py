"""What a stage sends and writes for one message."""

from schemas.envelope import Bundle
from schemas.events import Identify, IdentifyMethod
from schemas.topics import ACTIVITY, EVENTS, IDENTIFIED
from streams.records import MemoryTable
from streams.stage import Incoming
from streams.visitor_stage import VisitorStage
from tests.streams.journeys import START_MS, directory, envelope


def test_news_of_a_visitor_stands_on_the_same_partition_as_the_event_that_told() -> None:
    sign = Identify(event_id="i", occurred_ms=START_MS, contact_id="dana", method=IdentifyMethod.email_link)
    bundle = Bundle(envelopes=(envelope("visitor-1", START_MS, sign),))
    for partition in (0, 3):
        message = Incoming(EVENTS.name, partition, 7, bundle.to_bytes())
        work = VisitorStage(directory()).handle([message], MemoryTable(), START_MS)
        assert [(send.topic, send.key, send.partition) for send in work.sends] == [
            (IDENTIFIED, "visitor-1", partition),
            (ACTIVITY, "acme", None),
        ]
        assert [change.key for change in work.changes] == ["visitor-1"]
