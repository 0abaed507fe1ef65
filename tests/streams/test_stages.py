"""What a stage sends and writes for one message."""

from schemas.activity import Activity, Forgotten
from schemas.envelope import Bundle
from schemas.events import Identify, IdentifyMethod, Withdraw
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


def test_of_a_visitor_who_is_forgotten_the_stage_keeps_nothing_and_its_account_hears_it() -> None:
    stage, table = VisitorStage(directory()), MemoryTable()
    sign = Identify(event_id="i", occurred_ms=START_MS, contact_id="dana", method=IdentifyMethod.email_link)
    gone = Withdraw(event_id="w", occurred_ms=START_MS + 1, reason="asked for it", forget=True)
    told_of: tuple[Identify | Withdraw, ...] = (sign, gone)
    for offset, event in enumerate(told_of):
        bundle = Bundle(envelopes=(envelope("visitor-1", START_MS + offset, event),))
        work = stage.handle([Incoming(EVENTS.name, 0, offset, bundle.to_bytes())], table, START_MS)
        table.apply(work.changes)
    assert table.keys == {}
    (told,) = (Activity.from_bytes(send.message.to_bytes()) for send in work.sends if send.topic == ACTIVITY)
    assert told.forgotten == Forgotten(visitors=("visitor-1",))
    assert told.owners == ()
